import type { Attempt } from '../lockfile/attempt.js';
import { STATE_RANK } from '../lockfile/check.js';
import { attemptLine } from '../lockfile/line.js';
import { familyOf } from '../lockfile/merge.js';

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
  return [...copy].filter((known) => known.log_rev !== undefined && !families.has(familyOf(known)));
}

/** This machine's copy of a record in the log: a file that is here stays where it is. */
export function placed(shared: Attempt, known: Attempt | undefined, run: string | undefined): Attempt {
  const copy: Attempt = {
    ...shared,
    log_rev: shared.rev,
    ...(shared.state === 'intent' && run !== undefined ? { run } : {}),
  };
  if (known === undefined) return copy;
  const rev = Math.max(shared.rev, known.rev + 1);
  const { file } = copy;
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
  return sharedRev(known) - shared.rev || STATE_RANK[known.state] - STATE_RANK[shared.state];
}
