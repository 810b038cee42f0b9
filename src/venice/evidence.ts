import type { Attempt } from '../lock/attempt.js';
import type { UsageEntry } from './client.js';

/** The amount in the history may differ from the quote by rounding: half a per cent, and never less than a tenth of a cent. */
const AMOUNT_TOLERANCE = 0.005;
const AMOUNT_TOLERANCE_MICRO_USD = 1_000;
const BEFORE_MS = 60_000;
const AFTER_MS = 10 * 60_000;

/**
 * The entries of the billing history that an attempt in doubt may be: right model, amount and time, less
 * those that the known jobs account for. Evidence for a person, never a proof. Pure.
 *
 * @param known all attempts of the lockfile
 */
export function matchUsage(
  attempt: Attempt,
  history: readonly UsageEntry[],
  known: Iterable<Attempt>,
): readonly UsageEntry[] {
  const left = new Set(history);
  for (const other of known) {
    if (other.attempt === attempt.attempt || other.queue_id === undefined) continue;
    const own = candidates(other, [...left]).sort(byCloseness(other))[0];
    if (own !== undefined) left.delete(own);
  }
  return candidates(attempt, [...left]).sort(byCloseness(attempt));
}

function candidates(attempt: Attempt, entries: readonly UsageEntry[]): UsageEntry[] {
  const sentMs = sentAt(attempt);
  const slack = Math.max(AMOUNT_TOLERANCE_MICRO_USD, attempt.quote_micro_usd * AMOUNT_TOLERANCE);
  return entries.filter(
    (entry) =>
      entry.sku.startsWith(attempt.model) &&
      Math.abs(entry.spentMicroUsd - attempt.quote_micro_usd) <= slack &&
      entry.timestampMs >= sentMs - BEFORE_MS &&
      entry.timestampMs <= sentMs + AFTER_MS,
  );
}

function byCloseness(attempt: Attempt): (a: UsageEntry, b: UsageEntry) => number {
  const sentMs = sentAt(attempt);
  return (a, b) => Math.abs(a.timestampMs - sentMs) - Math.abs(b.timestampMs - sentMs);
}

function sentAt(attempt: Attempt): number {
  return Date.parse(attempt.at.intent ?? '');
}
