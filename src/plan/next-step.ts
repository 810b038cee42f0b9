import type { Attempt } from '../lockfile/attempt.js';
import { mayPass } from './decide.js';
import { isInDoubt, isInFlight } from './history.js';
import { isFetchable, isNothingHere, missingOf } from './latest-attempts.js';
import type { Decision, PlanRow } from './plan.js';
import { takeWord } from './selection.js';

/** The user's next step for an album. All but the last two are commands that change its state. */
export type NextStep =
  /** Download paid audio, and settle what an ended run left open. */
  | { readonly kind: 'collect' }
  /** Missing files that `collect` may still get. */
  | { readonly kind: 'fetch' }
  | { readonly kind: 'resolve' }
  /** The flags that `run` needs: `force` names single takes. */
  | { readonly kind: 'buy'; readonly retryFailed: boolean; readonly force: readonly string[] }
  /** Refused because of the request itself: the manifest has to change first. */
  | { readonly kind: 'edit' }
  | { readonly kind: 'nothing' };

/**
 * Determined from the rows of `decide` without a selection, and from the whole lockfile: a paid job matters even if a
 * later attempt was made, or its track is gone.
 *
 * @param elsewhere missing files are probably in another folder, so do not offer to buy them again
 */
export function nextStep(
  rows: readonly PlanRow[],
  attempts: readonly Attempt[],
  elsewhere = isNothingHere(rows),
): NextStep {
  if (attempts.some((attempt) => isComing(attempt) || isUnsettled(attempt))) return { kind: 'collect' };
  if (attempts.some(({ state }) => state === 'in_doubt')) return { kind: 'resolve' };
  const claims = rows.flatMap(({ decision }) => (decision.kind === 'elsewhere' ? [decision] : []));
  if (claims.length > 0) return { kind: claims.every(({ stale }) => stale) ? 'resolve' : 'collect' };
  if (rows.some(({ decision }) => decision.kind === 'collect')) return { kind: 'collect' };
  if (rows.some(isFetchable)) return { kind: 'fetch' };
  if (elsewhere) return { kind: 'nothing' };
  const ways = new Set(rows.map(({ decision }) => remedyOf(decision)));
  if (ways.has('buy') || ways.has('retry') || ways.has('force'))
    return { kind: 'buy', retryFailed: ways.has('retry'), force: forcedOf(rows) };
  return { kind: ways.has('edit') ? 'edit' : 'nothing' };
}

/** Excludes unverified files: every run fetches them again, and that may never help. */
function isComing(attempt: Attempt): boolean {
  return isInFlight(attempt) && attempt.state !== 'unverified';
}

/** An intent that the next run on this machine settles. */
function isUnsettled(attempt: Attempt): boolean {
  return attempt.state === 'intent' && isInDoubt(attempt);
}

/** Takes that a run would make with the right flags. */
export function notMade(rows: readonly PlanRow[]): readonly string[] {
  return rows
    .filter(({ decision }) => ['buy', 'retry', 'force'].includes(remedyOf(decision) ?? ''))
    .map(({ take }) => takeWord(take));
}

/** Whether all that is not made is only missing here, and on other machines: buying it again is not the next step. */
export function isAllAway(
  rows: readonly PlanRow[],
  machineWith?: (attempt: Attempt) => string | undefined,
): boolean {
  return rows.every((row) => {
    const missing = missingOf(row);
    return remedyOf(row.decision) === undefined || (missing && machineWith?.(missing)) !== undefined;
  });
}

/** Takes that only `--force` makes again. */
export function forcedOf(rows: readonly PlanRow[]): readonly string[] {
  return rows.filter(({ decision }) => remedyOf(decision) === 'force').map(({ take }) => takeWord(take));
}

type Remedy = 'buy' | 'retry' | 'force' | 'edit' | undefined;

/** How to get a take made that is not. */
function remedyOf(decision: Decision): Remedy {
  if (decision.kind === 'buy') return decision.why.kind === 'forced' ? 'force' : 'buy';
  if (decision.kind !== 'held') return undefined;
  if (decision.because === 'rejected' && !mayPass(decision.attempt)) return 'edit';
  return decision.kept === undefined ? 'retry' : 'force';
}
