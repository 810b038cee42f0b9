import { posix } from 'node:path';
import { foldName } from '../core/file-name.js';
import type { Attempt } from '../lockfile/attempt.js';
import { compareRecords, familyOf } from '../lockfile/fold-attempts.js';
import { attemptLine } from '../lockfile/line.js';
import { hadNoJob, isSalvaged, setApart, UNKNOWN_DIGEST, UNREADABLE } from '../lockfile/salvage.js';
import { compareNewest, takeId } from '../plan/history.js';
import { supersededPaths } from '../plan/superseded-paths.js';

/*
 * The log has one record of an attempt for all machines, and each machine's lockfile has its own copy. Where the file
 * is, and whether it is being moved, is local to the machine. Moves raise only the copy's `rev`; `log_rev` is the `rev`
 * under which the log has the copy's content.
 */

/** The record for other machines. Its path says where the file may go, not that it is there. */
export function shareable(attempt: Attempt): Attempt {
  const { move_to: _move, run: _run, log_rev: _rev, ...shared } = attempt;
  return shared;
}

/** The `rev` that a copy's content has, or will have, in the log. */
export function sharedRev({ rev, log_rev }: Attempt): number {
  return log_rev ?? rev;
}

/**
 * Attempts that used to be in the log and no longer are: its newest entries were deleted, or it was restored from an
 * older backup. An older log looks valid, so only a machine's copy can show this.
 */
export function missingFromLog(
  copy: Iterable<Attempt>,
  log: ReadonlyMap<string, Attempt>,
): readonly Attempt[] {
  const families = new Set([...log.values()].map(familyOf));
  return [...copy].filter(
    (known) => known.log_rev !== undefined && !isSalvaged(known) && !families.has(familyOf(known)),
  );
}

/**
 * The doubts that a repair made of damaged lines of the copy, where the log has all that these lines can have said. In the log
 * they would stop every machine. A doubt about a job that the log does not have is kept: only this copy may know of it.
 */
export function settledByLog(
  copy: ReadonlyMap<string, Attempt>,
  log: ReadonlyMap<string, Attempt>,
): ReadonlySet<string> {
  const doubts = [...copy.values()].filter(isSalvaged);
  if (doubts.length === 0) return new Set();
  const sound = [...log.values()].filter((shared) => !isSalvaged(shared));
  const jobs = new Set(sound.map((shared) => shared.queue_id));
  const settled = doubts.filter((doubt) => {
    if (doubt.queue_id !== undefined && !jobs.has(doubt.queue_id)) return false;
    // If the job is of another take, the line mixes two.
    const ofTake = sound.filter((shared) => doubt.track === UNREADABLE || takeId(shared) === takeId(doubt));
    if (ofTake.some((shared) => shared.queue_id === (doubt.queue_id ?? ''))) return true;
    const meant = log.has(doubt.attempt)
      ? ofTake.filter((shared) => shared.attempt === doubt.attempt)
      : ofTake.filter((shared) => doubt.log_rev !== undefined && !copy.has(shared.attempt));
    return meant.length > 0 && meant.every((shared) => hadNoJob(doubt) || !isClosedWithoutJob(shared));
  });
  return new Set(settled.map(({ attempt }) => attempt));
}

/**
 * Rejected, or given up by the user: the damaged line may have named a job that whoever closed it did not know. What the user
 * said of the doubt itself counts: it has no digest.
 */
function isClosedWithoutJob({ state, queue_id, digest }: Attempt): boolean {
  const isOpen = state === 'intent' || state === 'in_doubt';
  return queue_id === undefined && !isOpen && digest !== UNKNOWN_DIGEST;
}

/**
 * Doubts that the log does not settle although it has their attempts, as separate attempts, by the id that they have in the copy:
 * under that id the log's record would replace them.
 */
export function doubtsApart(
  copy: ReadonlyMap<string, Attempt>,
  log: ReadonlyMap<string, Attempt>,
): ReadonlyMap<string, Attempt> {
  const settled = settledByLog(copy, log);
  const doubts = [...copy.values()].filter((known) => {
    const shared = log.get(known.attempt);
    if (shared === undefined || isSalvaged(shared) || !isSalvaged(known)) return false;
    // A record with a job is never replaced by one without.
    return known.queue_id === undefined && !settled.has(known.attempt);
  });
  return new Map(
    doubts.map((doubt) => {
      const apart = setApart(doubt);
      // The same line was damaged before: what became of that doubt counts.
      return [doubt.attempt, copy.get(apart.attempt) ?? apart];
    }),
  );
}

/** A record of the log that this machine's copy lacks, or has less of. */
export interface Arriving {
  readonly shared: Attempt;
  readonly known: Attempt | undefined;
  /** The run that made the intent. */
  readonly run: string | undefined;
}

/**
 * This machine's copies of records in the log. The log may name one path for several files: where the first of them moved to on
 * its own machine is not in it. The path stays with the file that is here, or else goes to the newest; the others get the names
 * that superseded files have.
 *
 * @param copy what this machine has so far
 */
export function placedApart(
  arriving: readonly Arriving[],
  copy: ReadonlyMap<string, Attempt>,
): readonly Attempt[] {
  const copies = arriving.map(({ shared, known, run }) => placed(shared, known, run));
  const coming = copies.filter((one, at) => one.file?.path !== arriving[at]?.known?.file?.path);
  const moved = new Set(coming.map(({ attempt }) => attempt));
  const taken = new Set<string>();
  for (const { attempt, file } of copy.values())
    if (file !== undefined && !moved.has(attempt)) taken.add(foldName(file.path));
  const apart = new Map<Attempt, Attempt>();
  for (const one of coming.sort(compareNewest)) {
    const { file } = one;
    if (file === undefined) continue;
    const path = pathsFor(one, file.path).find((path) => !taken.has(foldName(path))) ?? file.path;
    taken.add(foldName(path));
    apart.set(one, { ...one, file: { ...file, path } });
  }
  return copies.map((one) => apart.get(one) ?? one);
}

function pathsFor(attempt: Attempt, path: string): readonly string[] {
  const extension = posix.extname(path);
  return [path, ...supersededPaths(attempt, path.slice(0, path.length - extension.length), extension)];
}

/**
 * This machine's copy of a record in the log: a file that is here stays where it is, also if another machine could not
 * get the audio and gave the job up. The next run looks for it.
 */
export function placed(shared: Attempt, known: Attempt | undefined, run: string | undefined): Attempt {
  const copy: Attempt = {
    ...shared,
    log_rev: shared.rev,
    ...(shared.state === 'intent' && run !== undefined ? { run } : {}),
  };
  if (known === undefined) return copy;
  const rev = Math.max(shared.rev, known.rev + 1);
  const { file = known.queue_id === copy.queue_id ? known.file : undefined } = copy;
  if (file === undefined || file.sha256 !== known.file?.sha256) return { ...copy, rev };
  return {
    ...copy,
    rev,
    file: { ...file, path: known.file.path },
    ...(known.move_to === undefined ? {} : { move_to: known.move_to }),
  };
}

/** Whether the two records differ only in the location of the file. */
export function isMove(before: Attempt, after: Attempt): boolean {
  return before.file !== undefined && lineWithoutPlace(before) === lineWithoutPlace(after);
}

function lineWithoutPlace(attempt: Attempt): string {
  const { file, ...rest } = shareable(attempt);
  return attemptLine({ ...rest, rev: 1, ...(file === undefined ? {} : { file: { ...file, path: '-' } }) });
}

/** Whether the log is ahead of the copy. A record with a job is never replaced by one without. */
export function isBehind(known: Attempt, shared: Attempt): boolean {
  if (known.queue_id !== shared.queue_id) return shared.queue_id !== undefined;
  return compare(known, shared) < 0;
}

/** Whether the copy is ahead of the log, because its record never got there. */
export function isAhead(known: Attempt, shared: Attempt): boolean {
  if (known.queue_id !== shared.queue_id) return known.queue_id !== undefined;
  return compare(known, shared) > 0;
}

function compare(known: Attempt, shared: Attempt): number {
  const { file, state } = known;
  return compareRecords({ file, state, rev: sharedRev(known) }, shared);
}
