import { createRequestLog, WINDOW_MS } from './request-log.js';

/**
 * The request budget of one route, shared by all models and processes of a user, where no header describes it. How the
 * service counts its minute is unknown, so at most the limit is sent in any 60 s, which satisfies both a fixed and a
 * sliding window. The documented limit applies until a 429 shows a different one.
 */
export interface RouteBudget {
  /** Requests that may be sent now: 0 to `Infinity`. */
  available(nowMs: number): number;
  /** While `available` is 0: when that may change if no response comes first. */
  opensAtMs(nowMs: number): number;
  /** Counts a request as sent. Pass the returned object to `answered`. */
  sent(nowMs: number): Sent;
  /**
   * `refused`: a 429 about the limit. `paused`: a 429 about something else. `unsent`: the request was never sent.
   * `retryAfterMs`: the pause that a 429 asks for.
   */
  answered(
    request: Sent,
    outcome: 'counted' | 'refused' | 'paused' | 'unsent',
    nowMs: number,
    retryAfterMs?: number,
  ): void;
  /** Adopts a limit that an earlier run learned from a 429. */
  learn(perMinute: number, nowMs: number): void;
  /** Adds requests that an earlier run or another machine sent. */
  remember(sentMs: readonly number[]): void;
  /**
   * Assumes that only this share of the documented limit is left until a 429 shows the real one. Without a 429 the
   * assumption is relaxed a little each minute.
   */
  expectShare(share: number, nowMs: number): void;
  /** Shares the limit equally between this many runs, this one included. */
  shareWith(runs: number): void;
  /** Requests a minute for this run. */
  perMinute(): number;
  /** Requests a minute for all runs together. */
  limit(): number;
  /** Whether the limit was learned from a 429, by this run or an earlier one. */
  isLearned(): boolean;
  /** When the pause after the last 429 ends, in ms; in the past if there is none. */
  pausedUntilMs(): number;
  /** The limit as learned from a 429 in this run. */
  learnedLimit(): number | undefined;
  /** Time until this many more requests could be sent, each as soon as possible, in ms. */
  spanMs(requests: number, nowMs: number): number;
}

export interface Sent {
  readonly sentMs: number;
}

/**
 * Requests are sent one at a time, so that a limit reached early costs only one 429. A slow response holds up the next
 * request for at most this time.
 */
const GAP_MS_MAX = 250;
/** The same after a 429, until a request is accepted: others may be using up the same budget. */
const UNCONFIRMED_GAP_MS_MAX = 3_000;
/** Fewer requests than this in a minute say nothing about the limit: others have used it up. */
const LEARNED_MIN = 3;
/** Bounds on the pause that the service can ask for, in ms: it keeps finished audio for only about a day. */
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 3_600_000;
/**
 * A learned limit may have been caused by other processes. After this long, if it holds requests up, higher ones are tried,
 * minute by minute.
 */
const TRIAL_AFTER_MS = 10 * 60_000;
const TRIAL_FACTOR = 1.25;
/** The same after a trial that drew a 429. */
const NEXT_TRIAL_AFTER_MS = 60 * 60_000;
/** An assumed share is kept this long, and then raised each minute. */
const SHARE_KEPT_MS = 3 * 60_000;

const NEVER_YET = Number.NEGATIVE_INFINITY;

/** @param assumedPerMinute the documented limit; `Infinity` if none is known */
export function createRouteBudget(assumedPerMinute: number): RouteBudget {
  let limit = assumedPerMinute;
  let isLearned = false;
  let learnedLimit: number | undefined;
  let runs = 1;
  let trialAtMs = Number.POSITIVE_INFINITY;
  /** The limit before it was tried higher. */
  let beforeTrial: number | undefined;
  let pausedUntilMs = NEVER_YET;
  let retries = false;
  /** No request has been accepted since a 429. */
  let unconfirmed = false;
  let refusedMs = NEVER_YET;
  /** Requests in flight. */
  const pending = new Set<Sent>();
  const log = createRequestLog();
  /** Requests of others. They count against the limit, but not against this run's part of it. */
  const elsewhere = createRequestLog();

  /** This run's part of the limit. */
  const part = (): number => Math.max(1, Math.floor(limit / runs));
  const left = (nowMs: number): number =>
    Math.min(part(), Math.floor(limit) - elsewhere.count(nowMs)) - pending.size - log.count(nowMs);
  /** When the oldest request of any run leaves the window. */
  const oldestMs = (nowMs: number): number => {
    const own = part() - pending.size - log.count(nowMs) < 1;
    const oldest = log.at(0, nowMs) ?? Number.POSITIVE_INFINITY;
    return own ? oldest : Math.min(oldest, elsewhere.at(0, nowMs) ?? Number.POSITIVE_INFINITY);
  };
  const newestMs = (): number =>
    [...pending].reduce((newest, { sentMs }) => Math.max(newest, sentMs), NEVER_YET);
  const gapMs = (): number => (unconfirmed ? UNCONFIRMED_GAP_MS_MAX : GAP_MS_MAX);
  const available = (nowMs: number): number => {
    if (nowMs < pausedUntilMs) return 0;
    const isPaced = unconfirmed || limit < Number.POSITIVE_INFINITY;
    if (isPaced && nowMs < newestMs() + gapMs()) return 0;
    if (limit === Number.POSITIVE_INFINITY) return limit;
    return Math.max(retries && pending.size === 0 ? 1 : 0, left(nowMs));
  };
  const tryHigher = (nowMs: number): void => {
    if (nowMs < trialAtMs || limit >= assumedPerMinute || (isLearned && left(nowMs) > 1)) return;
    trialAtMs = nowMs + WINDOW_MS;
    if (isLearned) beforeTrial = limit;
    limit = Math.min(assumedPerMinute, Math.max(limit + 1, Math.floor(limit * TRIAL_FACTOR)));
  };
  const pause = (nowMs: number, retryAfterMs: number | undefined): void => {
    // If the service counts a fixed window, the current one has ended a minute from now, and the next one starts
    // unused.
    const pauseMs =
      retryAfterMs === undefined ? WINDOW_MS : Math.min(RETRY_MS_MAX, Math.max(RETRY_MS_MIN, retryAfterMs));
    pausedUntilMs = Math.max(pausedUntilMs, nowMs + pauseMs);
  };
  const refused = (sentMs: number, nowMs: number, retryAfterMs: number | undefined): void => {
    const own = log.count(nowMs);
    // The requests of other runs are not all known: assume that each run sent about as many as this one.
    const seen = Math.max(own * runs, own + elsewhere.count(nowMs));
    // Of several 429s for requests in flight together, only the first counts.
    if (sentMs >= refusedMs) {
      refusedMs = nowMs;
      // The limit is what was accepted, even if that exceeds the documented limit.
      if (seen >= LEARNED_MIN) {
        const trialMs = nowMs + (beforeTrial === undefined ? TRIAL_AFTER_MS : NEXT_TRIAL_AFTER_MS);
        trialAtMs = isLearned ? Math.max(trialAtMs, trialMs) : trialMs;
        limit = isLearned ? Math.min(beforeTrial ?? limit, seen) : seen;
        learnedLimit = limit;
        isLearned = true;
        beforeTrial = undefined;
      }
    }
    retries = retryAfterMs !== undefined;
    unconfirmed = true;
    pause(nowMs, retryAfterMs);
  };

  return {
    available,
    opensAtMs: (nowMs) => {
      const freeMs = left(nowMs) >= 1 || retries ? nowMs : oldestMs(nowMs) + WINDOW_MS;
      return Math.max(pausedUntilMs, newestMs() + gapMs(), freeMs);
    },
    sent: (nowMs) => {
      tryHigher(nowMs);
      const request = { sentMs: nowMs };
      pending.add(request);
      return request;
    },
    learn: (perMinute, nowMs) => {
      limit = Math.min(limit, perMinute);
      isLearned = true;
      trialAtMs = nowMs + TRIAL_AFTER_MS;
    },
    answered: (request, outcome, nowMs, retryAfterMs) => {
      const { sentMs } = request;
      if (!pending.delete(request)) return;
      if (outcome === 'unsent') return;
      if (outcome === 'refused') return refused(sentMs, nowMs, retryAfterMs);
      if (outcome === 'paused') return pause(nowMs, retryAfterMs);
      log.add(nowMs);
      if (sentMs >= refusedMs) {
        retries = false;
        unconfirmed = false;
      }
    },
    remember: (sentMs) => {
      elsewhere.addAll(sentMs);
    },
    expectShare: (share, nowMs) => {
      if (isLearned || assumedPerMinute === Number.POSITIVE_INFINITY) return;
      limit = Math.min(limit, Math.max(1, Math.floor(assumedPerMinute * share)));
      trialAtMs = nowMs + SHARE_KEPT_MS;
    },
    shareWith: (count) => {
      runs = Math.max(1, count);
    },
    perMinute: () => part(),
    limit: () => limit,
    isLearned: () => isLearned,
    pausedUntilMs: () => pausedUntilMs,
    learnedLimit: () => learnedLimit,
    spanMs: (requests, nowMs) => {
      const pauseMs = Math.max(0, pausedUntilMs - nowMs);
      const beyond = Math.ceil(requests) - Math.max(0, left(nowMs));
      if (!(beyond > 0) || limit === Number.POSITIVE_INFINITY) return requests > 0 ? pauseMs : 0;
      const rounds = Math.floor((beyond - 1) / part());
      const place = (beyond - 1) % part();
      const takesPlaceOf = log.at(place, nowMs) ?? elsewhere.at(place, nowMs) ?? nowMs;
      return Math.max(pauseMs, takesPlaceOf + WINDOW_MS - nowMs + rounds * WINDOW_MS);
    },
  };
}
