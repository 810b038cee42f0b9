import type { Attempt } from '../lockfile/attempt.js';
import { attemptLine } from '../lockfile/line.js';
import { checkpointKey, ENTRIES_PER_CHECKPOINT, encodeCheckpoint } from './checkpoint.js';
import { entryKey } from './entry.js';
import { fill } from './fill-slot.js';
import { judge, type Verdict } from './judge.js';
import { draft, type LogCore, noteProblem, type Pending, takeEntry } from './log-core.js';
import { entry, readForward } from './read-log.js';
import type { AppendAnswer, AppendLimits } from './shared-log.js';

/** A caller is waiting for it. */
export interface Waiting {
  /** Absent: only a heartbeat. */
  readonly attempt?: Attempt;
  readonly limits: AppendLimits;
  answered(answer: AppendAnswer): void;
  failed(error: unknown): void;
}

/**
 * Writes the records as one entry, except those that the log forbids. Judged by the current log: it is read to its end
 * before a record is refused, and a written entry proves that nothing was added in between.
 */
export async function writeGroup(core: LogCore, waiting: readonly Waiting[]): Promise<void> {
  await settlePending(core);
  let open = waiting;
  let current = false;
  for (;;) {
    open = open.filter((one) => !isStopped(core, one));
    const verdicts = verdictsOn(core, open);
    if (!current && verdicts.some(isRefusal)) {
      await readForward(core);
      current = true;
      continue;
    }
    open = open.filter((one, at) => {
      const verdict = verdicts[at];
      if (verdict !== undefined && verdict !== 'write') one.answered(verdict);
      return verdict === 'write';
    });
    if (open.length === 0) return;
    if (await put(core, recordsOf(open))) break;
    await readForward(core);
    current = true;
  }
  for (const one of open) one.answered('recorded');
}

/**
 * Whether a record must not be written: an intent, while buying has to stop; and any record, where it would keep an entry
 * from being restored. That is so after a damaged last entry, and in or after the place of one that was deleted or has
 * something else in its place. The lockfile keeps what the log does not take.
 */
function isStopped({ damage, refused, state, closed }: LogCore, { attempt, failed }: Waiting): boolean {
  const stop = damage ?? refused;
  const isClosed = state.lastIsDamaged === true || closed >= Math.max(0, state.next - 1);
  if (stop === undefined || (attempt?.state !== 'intent' && !isClosed)) return false;
  failed(stop);
  return true;
}

function verdictsOn(core: LogCore, waiting: readonly Waiting[]): readonly Verdict[] {
  const records = waiting.flatMap(({ attempt, limits }) => (attempt ? [{ attempt, limits }] : []));
  const verdicts = [...judge(core.state, core.options.runId, records)];
  return waiting.map(({ attempt }) => (attempt ? verdicts.shift()! : 'write'));
}

function isRefusal(verdict: Verdict): boolean {
  return verdict !== 'write' && verdict !== 'recorded';
}

/** Each record only once, however many callers wait for it. */
function recordsOf(waiting: readonly Waiting[]): readonly Attempt[] {
  const byLine = new Map(
    waiting.flatMap(({ attempt }) => (attempt ? [[attemptLine(attempt), attempt]] : [])),
  );
  return [...byLine.values()];
}

/** @returns whether this is now the next entry; otherwise it is another run's, and was folded */
export async function put(core: LogCore, records: readonly Attempt[]): Promise<boolean> {
  const pending = draft(core, records);
  core.pending = pending;
  await settlePending(core);
  return pending.ours === true;
}

/**
 * Finds out what is in the slot of an entry that was put: these bytes, or another run's. Nothing else is put before
 * that.
 */
async function settlePending(core: LogCore): Promise<void> {
  const { pending } = core;
  if (pending === undefined) return;
  try {
    const answer = await fill(core, entryKey(pending.entry), pending.bytes, () => {
      pending.doubtful = true;
    });
    core.refused = undefined;
    if (answer === 'created') takeEntry(core, pending.bytes);
    else takeEntry(core, await present(core, pending));
  } catch (fault) {
    if (!pending.doubtful) core.pending = undefined;
    throw fault;
  }
}

/** The content of a slot that is known to be filled. */
async function present(core: LogCore, pending: Pending): Promise<Uint8Array> {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const bytes = await entry(core, pending.entry);
    if (bytes !== undefined) return bytes;
    await core.clock.sleep(LOOK_PAUSE_MS);
  }
  noteProblem(core, { kind: 'vanished', entry: pending.entry });
  throw core.damage;
}

const LOOKS_MAX = 5;
const LOOK_PAUSE_MS = 200;

/**
 * Saves the next machine from reading old entries. Covers only what is known to be in the log. Optional, so one try is
 * enough.
 */
export async function checkpoint(core: LogCore): Promise<void> {
  const { state, damage } = core;
  const { header, last, next } = state;
  if (header === undefined || last === undefined || damage !== undefined) return;
  if (next - 1 - core.checkpointed < ENTRIES_PER_CHECKPOINT) return;
  core.checkpointed = next - 1;
  const bytes = encodeCheckpoint({ ...state, header });
  await core.store.putIfAbsent(checkpointKey(next - 1), bytes).catch(() => {});
}

/** Writes the first entry unless another machine has. */
export async function create(core: LogCore): Promise<void> {
  if (!(await put(core, []))) await readForward(core);
}
