import type { Diagnostic } from '../core/diagnostic.js';
import { takeKey } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import { isInDoubt } from './history.js';
import { listed } from './text.js';

/** After this many lost responses in a row, nothing is bought until the user resolves them. */
export const LOST_IN_A_ROW_MAX = 3;

export interface LostAnswers {
  /** Since the last submit that was accepted. */
  readonly latest: number;
  /** The longest streak in the lockfile's lifetime. */
  readonly longest: number;
}

/**
 * Counts consecutive submits whose responses were lost and that have not been resolved, in the order in which they ended.
 * An accepted submit ends a streak, a refused one does not count. Pure.
 */
export function countLostAnswers(attempts: Iterable<Attempt>): LostAnswers {
  const endings: { readonly at: string; readonly lost: boolean }[] = [];
  for (const attempt of attempts) {
    if (isInDoubt(attempt)) endings.push({ at: attempt.at.in_doubt ?? attempt.at.intent ?? '', lost: true });
    else if (attempt.at.queued !== undefined) endings.push({ at: attempt.at.queued, lost: false });
  }
  // Of those that ended at the same time, the lost ones count as consecutive.
  endings.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : Number(b.lost) - Number(a.lost)));
  let latest = 0;
  let longest = 0;
  for (const { lost } of endings) {
    latest = lost ? latest + 1 : 0;
    longest = Math.max(longest, latest);
  }
  return { latest, longest };
}

const NAMED_MAX = 5;

/** Why nothing may be bought, whatever was selected; `undefined` if responses arrived. */
export function lostAnswersError(
  attempts: Iterable<Attempt>,
  command: (verb: string) => string,
): Diagnostic | undefined {
  const all = [...attempts];
  const { longest } = countLostAnswers(all);
  if (longest < LOST_IN_A_ROW_MAX) return undefined;
  const doubtful = listed(all.filter(isInDoubt).map(takeKey), NAMED_MAX);
  return {
    code: 'answers-lost',
    severity: 'error',
    // Lost on the way, or with a run that was killed before they arrived.
    message: `no response is recorded for ${longest} submits in a row, so these takes may have been charged: ${doubtful}. Nothing is bought until they are settled`,
    hint: `to see what is known and settle them: ${command('resolve')}`,
  };
}
