import type { Diagnostic } from '../core/diagnostic.js';
import type { BoughtTwiceTake } from '../core/events.js';
import { formatUsd } from '../core/money.js';
import { takeKey } from '../core/take-key.js';
import { type BoughtTwice, boughtTwice, extraMicroUsd } from '../lockfile/bought-twice.js';
import type { Take } from '../manifest/take.js';
import { isInDoubt } from './history.js';

/** In the form of documents and events. */
export function boughtTwiceTake(double: BoughtTwice): BoughtTwiceTake {
  const { track, take, attempts, totalMicroUsd } = double;
  return {
    key: takeKey(double),
    track,
    take,
    attempts: attempts.map(({ attempt, state, queue_id, quote_micro_usd }) => ({
      attempt,
      state,
      ...(queue_id === undefined ? {} : { queue_id }),
      price_micro_usd: quote_micro_usd,
    })),
    total_micro_usd: totalMicroUsd,
    extra_micro_usd: double.extraMicroUsd,
  };
}

/** `last-exit was bought 2 times ($0.69 + $0.69): $0.69 more than needed`. */
export function boughtTwicePhrase(double: BoughtTwice): string {
  const doubtful = double.attempts.some(isInDoubt) ? 'may have been' : 'was';
  const more = formatUsd(double.extraMicroUsd);
  return `${takeKey(double)} ${doubtful} bought ${double.attempts.length} times (${pricesPhrase(double)}): ${more} more than needed`;
}

/** Takes named in one message at most. */
const NAMED_MAX = 5;

/**
 * One warning for all takes with more than one live purchase. Empty if there are none.
 *
 * @param takes of the manifest, for the place of a take
 * @param command builds the next command from a verb
 */
export function boughtTwiceWarning(
  attempts: Parameters<typeof boughtTwice>[0],
  takes: readonly Take[],
  command: (verb: string) => string,
): readonly Diagnostic[] {
  const doubles = boughtTwice(attempts);
  const [first] = doubles;
  if (first === undefined) return [];
  const only = doubles.length === 1 ? takes.find(({ key }) => key === takeKey(first)) : undefined;
  return [
    {
      code: 'bought-twice',
      severity: 'warning',
      message: only === undefined && doubles.length > 1 ? manyPhrase(doubles) : boughtTwicePhrase(first),
      hint: `every copy is kept and collected; buy from one place at a time, with the newest lockfile; to list each purchase: ${command('status')}`,
      ...(only === undefined ? {} : { span: only.span }),
    },
  ];
}

function manyPhrase(doubles: readonly BoughtTwice[]): string {
  const named = doubles
    .slice(0, NAMED_MAX)
    .map((double) => `${takeKey(double)} (${pricesPhrase(double)})`)
    .join(', ');
  const more = doubles.length > NAMED_MAX ? `, and ${doubles.length - NAMED_MAX} more` : '';
  const doubtful = doubles.some(({ attempts }) => attempts.some(isInDoubt))
    ? 'were or may have been'
    : 'were';
  return `${doubles.length} takes ${doubtful} bought more than once, ${formatUsd(extraMicroUsd(doubles))} more than needed: ${named}${more}`;
}

/** `$0.69 + $0.69`. */
export function pricesPhrase({ attempts }: BoughtTwice): string {
  return attempts.map(({ quote_micro_usd }) => formatUsd(quote_micro_usd)).join(' + ');
}
