import type { Attempt } from '../lockfile/attempt.js';
import { STATE_RANK } from '../lockfile/check.js';
import { attemptLine } from '../lockfile/line.js';
import { familyOf } from '../lockfile/merge.js';

/*
 * The log has one record of an attempt for all machines; each machine's lockfile has its own copy of it. Where the file is,
 * and whether it is on the move, is the machine's own. Moves raise the `rev` of the copy alone: `log_rev` is the `rev` under
 * which the log has what the copy says.
 */

/** The record as other machines get it. Its path tells them where the file may go, not that it is there. */
export function shareable(attempt: Attempt): Attempt {
  const { move_to: _move, run: _run, log_rev: _rev, ...shared } = attempt;
  return shared;
}

/** The `rev` of a copy's content in the log, or that it is to have there. */
export function sharedRev({ rev, log_rev }: Attempt): number {
  return log_rev ?? rev;
}

/**
 * The attempts that were in the log once and are not any more: its newest entries were deleted, or it was restored from an
 * older backup. An older log looks like a sound one, so that only the copy of a machine can tell.
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

/** True if the two records differ only in the place of the file. */
export function isMove(before: Attempt, after: Attempt): boolean {
  return before.file !== undefined && lineWithoutPlace(before) === lineWithoutPlace(after);
}

function lineWithoutPlace(attempt: Attempt): string {
  const { file, ...rest } = shareable(attempt);
  return attemptLine({ ...rest, rev: 1, ...(file === undefined ? {} : { file: { ...file, path: '-' } }) });
}

/** True if the log is ahead of the copy. A record with a job is never replaced by one without. */
export function isBehind(known: Attempt, shared: Attempt): boolean {
  if (known.queue_id !== shared.queue_id) return shared.queue_id !== undefined;
  return compare(known, shared) < 0;
}

/** True if the copy is ahead of the log, because its record never got there. */
export function isAhead(known: Attempt, shared: Attempt): boolean {
  if (known.queue_id !== shared.queue_id) return known.queue_id !== undefined;
  return compare(known, shared) > 0;
}

function compare(known: Attempt, shared: Attempt): number {
  return sharedRev(known) - shared.rev || STATE_RANK[known.state] - STATE_RANK[shared.state];
}
