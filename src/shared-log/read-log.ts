import { checkpointKey, checkpointNumber, decodeCheckpoint } from './checkpoint.js';
import { decodeEntry, entryKey, entryNumber, hashOf } from './entry.js';
import { asStateError, type LogCore, noteProblem, passOver, takeEntry } from './log-core.js';
import { StoreFault } from './object-store.js';
import { withRetries } from './store-retries.js';

/** Simultaneous requests. */
const AHEAD_MAX = 16;
/** Entries missing from a list are requested one by one, up to this many. */
const LOOKED_FOR_MAX = 16;
/** More entries than this cannot be missing by accident: one with a high number was put there. */
const MISSING_MAX = 100_000;

/**
 * Reads the whole log: the newest checkpoint, then all entries after it. A list shows whether any is missing, because a
 * missing one may have been a claim.
 */
export async function readLog(core: LogCore): Promise<void> {
  const keys = await withRetries(core, () => core.store.list('log/'));
  const numbers = new Set(keys.flatMap((key) => entryNumber(key) ?? []));
  const checkpoints = keys.flatMap((key) => checkpointNumber(key) ?? []).sort((a, b) => b - a);
  // A checkpoint is written after its entry, so one without its entry means that the log was cut.
  const listed = [...numbers, ...checkpoints].reduce((a, b) => Math.max(a, b), -1);
  const top = listed + 1 - numbers.size > MISSING_MAX ? await beforeGap(core, numbers) : listed;
  const missing = await missingOf(core, numbers, top);
  core.checkpointed = await startAtCheckpoint(core, checkpoints, missing);
  await readTo(core, top, missing);
  await readForward(core);
}

/** The last entry before the first one that is missing. */
async function beforeGap(core: LogCore, numbers: ReadonlySet<number>): Promise<number> {
  let first = 0;
  while (numbers.has(first)) first += 1;
  await noteGap(core, numbers, first);
  return first - 1;
}

async function missingOf(
  core: LogCore,
  numbers: ReadonlySet<number>,
  top: number,
): Promise<ReadonlySet<number>> {
  const unlisted = Array.from({ length: top + 1 }, (_, number) => number).filter((one) => !numbers.has(one));
  const missing = new Set(unlisted);
  // Another machine may have written while the list was made.
  for (const number of unlisted.slice(0, LOOKED_FOR_MAX))
    if ((await entry(core, number)) !== undefined) missing.delete(number);
  const [first] = missing;
  if (first !== undefined) await noteGap(core, numbers, first);
  return missing;
}

/** A file that something else put there under a later name makes it look as if entries were missing. */
async function noteGap(core: LogCore, numbers: ReadonlySet<number>, first: number): Promise<void> {
  const after = Math.min(...[...numbers].filter((number) => number > first));
  const bytes = Number.isFinite(after) ? await entry(core, after) : undefined;
  const read = bytes && decodeEntry(after, bytes);
  const isForeign = read?.ok === false && read.problem.kind === 'foreign';
  noteProblem(core, isForeign ? { kind: 'foreign', entry: after } : { kind: 'gap', entry: first });
}

/** @returns the last entry that the checkpoint covers, or -1 */
async function startAtCheckpoint(
  core: LogCore,
  checkpoints: readonly number[],
  missing: ReadonlySet<number>,
): Promise<number> {
  for (const number of checkpoints) {
    if (missing.has(number)) continue;
    const bytes = await withRetries(core, () => core.store.get(checkpointKey(number)));
    const state = bytes && decodeCheckpoint(number, bytes);
    const last = state && (await entry(core, number));
    if (state === undefined || last === undefined) continue;
    if (hashOf(last) !== state.last) {
      noteProblem(core, { kind: 'changed', entry: number });
      continue;
    }
    core.state = state;
    return number;
  }
  return -1;
}

async function readTo(core: LogCore, top: number, missing: ReadonlySet<number>): Promise<void> {
  while (core.state.next <= top) {
    const from = core.state.next;
    const found = await entries(core, from, Math.min(AHEAD_MAX, top + 1 - from), missing);
    for (const bytes of found) {
      if (bytes === undefined) passOver(core);
      else takeEntry(core, bytes);
    }
  }
}

/**
 * Folds new entries up to the first one that does not exist yet: one request at first, then more and more at once, so
 * that a machine that fell behind catches up faster than others write.
 */
export async function readForward(core: LogCore): Promise<void> {
  for (let ahead = 1; ; ahead = Math.min(2 * ahead, AHEAD_MAX)) {
    const found = await entries(core, core.state.next, ahead);
    const absent = found.indexOf(undefined);
    for (const bytes of absent < 0 ? found : found.slice(0, absent)) if (bytes) takeEntry(core, bytes);
    if (absent < 0) continue;
    if (found.slice(absent).every((bytes) => bytes === undefined)) return;
    // A later one exists, so this one was written before it: if it is still absent, it is gone.
    const again = await entry(core, core.state.next);
    if (again === undefined) passOver(core);
    else takeEntry(core, again);
  }
}

/** Whether the newest entry read is unchanged. */
export async function checkNewest(core: LogCore): Promise<void> {
  const { next, last } = core.state;
  if (next === 0 || last === undefined) return;
  const bytes = await entry(core, next - 1);
  if (bytes === undefined) noteProblem(core, { kind: 'vanished', entry: next - 1 });
  else if (hashOf(bytes) !== last) noteProblem(core, { kind: 'changed', entry: next - 1 });
}

/** One that was deleted, or has something else in its place, is absent: what is paid for is collected from the others. */
export async function entry(core: LogCore, number: number): Promise<Uint8Array | undefined> {
  try {
    return await withRetries(core, () => core.store.get(entryKey(number)));
  } catch (fault) {
    if (!(fault instanceof StoreFault) || (fault.kind !== 'deleted' && fault.kind !== 'foreign')) throw fault;
    core.closed = Math.max(core.closed, number);
    if (fault.kind === 'deleted') noteProblem(core, { kind: 'gap', entry: number });
    else asStateError(core, fault);
    return undefined;
  }
}

function entries(
  core: LogCore,
  from: number,
  count: number,
  missing?: ReadonlySet<number>,
): Promise<readonly (Uint8Array | undefined)[]> {
  const numbers = Array.from({ length: count }, (_, at) => from + at);
  return Promise.all(numbers.map((one) => (missing?.has(one) ? undefined : entry(core, one))));
}
