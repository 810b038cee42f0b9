import type { RouteHistory } from './rate-limiter.js';
import type { Route } from './route.js';

const MINUTE_MS = 60_000;
/** A limit learned longer ago than this may have changed. */
const REMEMBERED_MS = 24 * 3_600_000;
/** Fewer submits in a minute say nothing about the limit. */
const LEARNED_MIN = 3;
/** Recorded for a 429 that is not about the request limit. */
const NOT_THE_LIMIT: ReadonlySet<string> = new Set([
  'MODEL_OVERLOADED',
  'X402_CONCURRENCY_LIMIT',
  'KEY_BLOCKED',
]);

/** What the lockfile records about one attempt. Dates are ISO 8601 in UTC. */
export interface RecordedAttempt {
  readonly at: Readonly<
    Partial<
      Record<
        'queued' | 'in_doubt' | 'rejected' | 'stored' | 'done' | 'failed' | 'lost' | 'unverified',
        string
      >
    >
  >;
  readonly reason?: { readonly code: string; readonly status?: number };
  /** Requests a minute by route, as learned from 429s before this record was written. */
  readonly limits?: Readonly<Partial<Record<'retrieve' | 'complete', number>>>;
}

/**
 * What the lockfile says about request limits, so that a run starts with what an earlier one learned and does not get
 * the same 429s.
 */
export function routeHistories(
  attempts: readonly RecordedAttempt[],
  nowMs: number,
): Partial<Record<Route, RouteHistory>> {
  return {
    queue: submitHistory(attempts, nowMs),
    retrieve: recordedHistory(attempts, 'retrieve', 'stored', nowMs),
    complete: recordedHistory(attempts, 'complete', 'done', nowMs),
  };
}

/** Submits of the last minute, which still count, and how many were accepted in the minute before a 429. */
function submitHistory(attempts: readonly RecordedAttempt[], nowMs: number): RouteHistory {
  const acceptedMs: number[] = [];
  const refusedMs: number[] = [];
  for (const { at, reason } of attempts) {
    const acceptedAtMs = Date.parse(at.queued ?? at.in_doubt ?? '');
    if (isWithin(acceptedAtMs, nowMs - REMEMBERED_MS, nowMs)) acceptedMs.push(acceptedAtMs);
    const refusedAtMs = Date.parse(at.rejected ?? '');
    const isLimit = reason?.status === 429 && !NOT_THE_LIMIT.has(reason.code);
    if (isLimit && isWithin(refusedAtMs, nowMs - REMEMBERED_MS, nowMs)) refusedMs.push(refusedAtMs);
  }
  acceptedMs.sort((a, b) => a - b);
  const sentMs = acceptedMs.filter((ms) => ms > nowMs - MINUTE_MS);
  const perMinute = learnedPerMinute(acceptedMs, refusedMs);
  return { sentMs, ...(perMinute === undefined ? {} : { perMinute }) };
}

/** The newest limit recorded for the route, and its requests of the last minute, as far as the states show them. */
function recordedHistory(
  attempts: readonly RecordedAttempt[],
  route: 'retrieve' | 'complete',
  shownBy: 'stored' | 'done',
  nowMs: number,
): RouteHistory {
  const sentMs: number[] = [];
  let newestMs = nowMs - REMEMBERED_MS;
  let perMinute: number | undefined;
  for (const { at, limits } of attempts) {
    const shownAtMs = Date.parse(at[shownBy] ?? '');
    if (isWithin(shownAtMs, nowMs - MINUTE_MS, nowMs)) sentMs.push(shownAtMs);
    const limit = limits?.[route];
    const recordedMs = Date.parse(
      at.stored ?? at.failed ?? at.lost ?? at.unverified ?? at.done ?? at.queued ?? '',
    );
    if (limit === undefined || !isWithin(recordedMs, newestMs, nowMs)) continue;
    newestMs = recordedMs;
    perMinute = limit;
  }
  return { sentMs, ...(perMinute === undefined ? {} : { perMinute }) };
}

function learnedPerMinute(acceptedMs: readonly number[], refusedMs: readonly number[]): number | undefined {
  if (refusedMs.length === 0) return undefined;
  const lastMs = refusedMs.reduce((last, ms) => Math.max(last, ms));
  const before = acceptedMs.filter((ms) => isWithin(ms, lastMs - MINUTE_MS, lastMs)).length;
  return before < LEARNED_MIN ? undefined : Math.max(before, mostInAMinute(acceptedMs, lastMs));
}

/** The most requests accepted in any minute since then: if that exceeds the limit, the limit is higher. */
function mostInAMinute(sortedMs: readonly number[], fromMs: number): number {
  let most = 0;
  let first = 0;
  for (const [place, ms] of sortedMs.entries()) {
    while (sortedMs[first]! <= Math.max(fromMs, ms - MINUTE_MS)) {
      first += 1;
      if (first > place) break;
    }
    most = Math.max(most, place - first + 1);
  }
  return most;
}

function isWithin(ms: number, afterMs: number, untilMs: number): boolean {
  return ms > afterMs && ms <= untilMs;
}
