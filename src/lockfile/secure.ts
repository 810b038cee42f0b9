import { dirname } from 'node:path';
import type { AttemptState } from './attempt.js';
import { attemptLine } from './line.js';
import { bytesOf, canonical, encode, type LockFile, rewrite } from './lock-file.js';
import type { Fold } from './merge.js';
import { type ReadLock, readLockAlone } from './read.js';

/**
 * Makes durable what was read, before anything is built on it: a run that was killed may have left records that
 * can be read but would not outlive a power cut. After a sync that failed, not even another sync helps (the
 * system has forgotten those bytes), so that only a file that a clean end has left is kept, any other is written anew.
 */
export async function secure(file: LockFile): Promise<void> {
  if (file.end.kind === 'absent') return;
  let missing: Uint8Array = new Uint8Array(0);
  if (!isSettled(file)) {
    try {
      return await rewrite(file, []);
    } catch (fault) {
      // On a full disk there may still be room to append. An empty file in the place of none would be taken for damage.
      const alone = await readLockAlone(file.files, file.path);
      if (!alone.ok || alone.header === undefined) throw fault;
      missing = missingIn(alone, file.fold);
      // After a torn line no other can be read.
      if (missing.length > 0 && alone.notes.some(({ kind }) => kind === 'unterminated')) throw fault;
      const bytesMax = alone.bytes + missing.length;
      file.end = { kind: 'unsound', bytesMin: alone.bytes, bytesMax };
    }
  }
  const handle = await file.files.open(file.path, 'append');
  try {
    if (missing.length > 0) await handle.write(missing);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await file.files.syncDirectory(dirname(file.path));
  file.seen = await file.files.facts(file.path);
}

/** The lines of what the file lacks: it is known from journals, which may not be durable. */
function missingIn(alone: ReadLock & { ok: true }, { attempts }: Fold): Uint8Array {
  const newer = [...attempts.values()].filter(
    ({ attempt, rev }) => (alone.attempts.get(attempt)?.rev ?? 0) < rev,
  );
  return encode(newer.map((attempt) => `${attemptLine(attempt)}\n`).join(''));
}

/** Whether it looks as a clean end leaves it, with nothing to be done. */
function isSettled(file: LockFile): boolean {
  for (const { state } of file.fold.attempts.values()) if (!SETTLED.has(state)) return false;
  return file.end.kind === 'sound' && file.end.bytes === bytesOf(canonical(file, file.fold));
}

const SETTLED: ReadonlySet<AttemptState> = new Set(['done', 'rejected', 'failed', 'lost']);
