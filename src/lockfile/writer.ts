import type { Attempt } from './attempt.js';
import { attemptFault } from './check.js';
import { createGroupCommit } from './group-commit.js';
import { letGoOfJournal } from './journal.js';
import { ledAway, movedAway } from './led-away.js';
import { closeFile, type LockFile, leaveJournal, makeCanonical, writeRecords } from './lock-file.js';
import type { LockStore } from './lock-store.js';

const RECORDS_PER_SYNC_MAX = 1000;
/** Queued like a record, to check whether the file is still there. */
const NOTHING = 'nothing';

/** A `LockStore` over a file in a known state. */
export function createWriter(file: LockFile): LockStore {
  const commit = createGroupCommit<Attempt | typeof NOTHING>(
    (items) =>
      writeRecords(
        file,
        items.filter((item) => item !== NOTHING),
      ),
    RECORDS_PER_SYNC_MAX,
  );
  const beingWritten = new Map<string, Attempt>();
  let closed = false;

  const newest = (id: string) => beingWritten.get(id) ?? file.fold.attempts.get(id);

  async function settle(): Promise<void> {
    closed = true;
    await commit.settled();
    await closeFile(file);
  }

  return {
    get header() {
      return file.header;
    },
    attempts: file.fold.attempts,
    newest,
    async record(attempt) {
      const fault = closed
        ? 'comes after the end'
        : (attemptFault(attempt) ?? orderFault(newest(attempt.attempt), attempt));
      if (fault !== undefined) throw new Error(`bug: lock record ${fault}`);
      beingWritten.set(attempt.attempt, attempt);
      try {
        await commit.add(attempt);
        return 'recorded';
      } finally {
        if (beingWritten.get(attempt.attempt) === attempt) beingWritten.delete(attempt.attempt);
      }
    },
    confirm: () => commit.add(NOTHING),
    fault() {
      if (file.displaced !== undefined) return { kind: 'displaced', error: file.displaced };
      return file.grown ? { kind: 'grown' } : undefined;
    },
    async close() {
      await settle();
      const moved = await movedAway(file);
      if (moved !== undefined) {
        await letGoOfJournal(file.journal);
        throw moved;
      }
      const elsewhere = await ledAway(file);
      await makeCanonical(file);
      file.folder?.held?.close();
      if (elsewhere !== undefined) throw elsewhere;
    },
    async abandon() {
      await settle();
      await leaveJournal(file);
      file.folder?.held?.close();
    },
  };
}

/** A record that the fold would hide is a bug in the caller: its content would be lost. */
function orderFault(known: Attempt | undefined, attempt: Attempt): string | undefined {
  if (known === undefined) return undefined;
  if (known.queue_id === attempt.queue_id) {
    if (known.file !== undefined && attempt.file === undefined) return 'lacks the file that is known';
    return known.rev < attempt.rev ? undefined : `has rev ${attempt.rev}, known is ${known.rev}`;
  }
  return attempt.queue_id === undefined ? 'lacks the queue_id that is known' : undefined;
}
