/**
 * The request budget of one route, shared by all models and processes of a user, where no header describes it. How the
 * service counts its minute is not known, so at most the limit is sent in any 60 s: that keeps within a fixed window
 * as well as a sliding one. What the limit is follows from the documentation until a 429 shows otherwise.
 */
export interface RouteBudget {
  /** Requests that may be sent now: 0 to `Infinity`. */
  available(nowMs: number): number;
  /** While `available` is 0: when that may change without an answer. */
  opensAtMs(nowMs: number): number;
  /** Counts a request as sent: it is the returned object, for `answered`. */
  sent(nowMs: number): Sent;
  /** `refused`: a 429 about the limit. `unsent`: it never left. `retryAfterMs`: as the service asks for with a 429. */
  answered(
    request: Sent,
    outcome: 'counted' | 'refused' | 'unsent',
    nowMs: number,
    retryAfterMs?: number,
  ): void;
  /** Takes a limit that an earlier run learned from a 429. */
  learn(perMinute: number, nowMs: number): void;
  /** Requests that were sent elsewhere, by an earlier run or by others at the same time. */
  remember(sentMs: readonly number[]): void;
  /**
   * Assumes that only this share of the documented limit is left, until a 429 shows the limit itself. An assumption that no
   * 429 confirms gives way, a little each minute.
   */
  expectShare(share: number, nowMs: number): void;
  /** So many runs share the limit, this one included: each keeps to an equal part of it. */
  shareWith(runs: number): void;
  /** Of this run, requests a minute. */
  perMinute(): number;
  /** Of all runs together, requests a minute. */
  limit(): number;
  /** Whether the limit was learned from a 429, by this run or an earlier one. */
  isLearned(): boolean;
  /** When the pause after the last 429 ends, ms; in the past where there is none. */
  pausedUntilMs(): number;
  /** The limit as a 429 of this run showed it. */
  lesson(): number | undefined;
  /** ms from now until that many more requests may have been sent, each as soon as possible. */
  spanMs(requests: number, nowMs: number): number;
}

export interface Sent {
  readonly sentMs: number;
}

/** A minute from a request's answer: by then the service has counted it. */
const WINDOW_MS = 60_100;
/** One request at a time goes out, so that a limit reached too early costs one 429; a slow answer holds up the rest no longer than this. */
const GAP_MS_MAX = 250;
/** The same after a 429, until a request has been accepted: others may be using up the same budget. */
const UNCONFIRMED_GAP_MS_MAX = 3_000;
/** Fewer requests than this in a minute say nothing about the limit: others have used it up. */
const LESSON_MIN = 3;
/** Bounds on what the service may ask for, ms. */
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 24 * 3_600_000;
/** A learned limit may have been another's doing: after so long it is tried a little higher, once. */
const TRIAL_AFTER_MS = 10 * 60_000;
const TRIAL_FACTOR = 1.25;
/** What was only assumed of a share is kept for so long, and then tried higher each minute. */
const SHARE_KEPT_MS = 3 * 60_000;

const NEVER_YET = Number.NEGATIVE_INFINITY;

/** @param assumedPerMinute the documented limit; `Infinity` where none is known */
export function createRouteBudget(assumedPerMinute: number): RouteBudget {
  let limit = assumedPerMinute;
  let learnedAtMs: number | undefined;
  let lesson: number | undefined;
  let runs = 1;
  let trialled = false;
  let shareUntilMs = Number.POSITIVE_INFINITY;
  let pausedUntilMs = NEVER_YET;
  let retries = false;
  /** No request has been accepted since a 429. */
  let unconfirmed = false;
  let refusedMs = NEVER_YET;
  /** Under way. */
  const pending = new Set<Sent>();
  const log = createLog();
  /** Of others: they count against the limit, not against this run's part of it. */
  const elsewhere = createLog();

  /** Of this run. */
  const part = (): number => Math.max(1, Math.floor(limit / runs));
  const left = (nowMs: number): number =>
    Math.min(part(), Math.floor(limit) - elsewhere.count(nowMs)) - pending.size - log.count(nowMs);
  /** When the next request of any run leaves the window. */
  const oldestMs = (nowMs: number): number => {
    const own = part() - pending.size - log.count(nowMs) < 1;
    return own ? log.oldestMs(nowMs) : Math.min(log.oldestMs(nowMs), elsewhere.oldestMs(nowMs));
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
    if (learnedAtMs === undefined) {
      if (nowMs < shareUntilMs) return;
      shareUntilMs = nowMs + WINDOW_MS;
    } else {
      if (trialled || nowMs < learnedAtMs + TRIAL_AFTER_MS) return;
      trialled = true;
    }
    const higher = Math.max(limit + 1, Math.floor(limit * TRIAL_FACTOR));
    limit = Math.max(limit, Math.min(assumedPerMinute, higher));
  };
  const refused = (sentMs: number, nowMs: number, retryAfterMs: number | undefined): void => {
    const own = log.count(nowMs);
    // Of other runs not every request is known: each had about as many.
    const seen = Math.max(own * runs, own + elsewhere.count(nowMs));
    // Of those that were under way together, the first counts.
    if (sentMs >= refusedMs) {
      refusedMs = nowMs;
      // As many as documented, or more where that was not kept to: the limit is what was let through.
      if (seen >= LESSON_MIN) {
        limit = learnedAtMs === undefined ? seen : Math.min(limit, seen);
        lesson = limit;
        learnedAtMs = nowMs;
      }
    }
    // A fixed window that is full now has ended in a minute, and nothing of the next one is used up then.
    const pauseMs =
      retryAfterMs === undefined ? WINDOW_MS : Math.min(RETRY_MS_MAX, Math.max(RETRY_MS_MIN, retryAfterMs));
    retries = retryAfterMs !== undefined;
    unconfirmed = true;
    pausedUntilMs = Math.max(pausedUntilMs, nowMs + pauseMs);
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
      learnedAtMs = nowMs;
    },
    answered: (request, outcome, nowMs, retryAfterMs) => {
      const { sentMs } = request;
      if (!pending.delete(request)) return;
      if (outcome === 'unsent') return;
      if (outcome === 'refused') return refused(sentMs, nowMs, retryAfterMs);
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
      if (learnedAtMs !== undefined || assumedPerMinute === Number.POSITIVE_INFINITY) return;
      limit = Math.min(limit, Math.max(1, Math.floor(assumedPerMinute * share)));
      shareUntilMs = nowMs + SHARE_KEPT_MS;
    },
    shareWith: (count) => {
      runs = Math.max(1, count);
    },
    perMinute: () => part(),
    limit: () => limit,
    isLearned: () => learnedAtMs !== undefined,
    pausedUntilMs: () => pausedUntilMs,
    lesson: () => lesson,
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

/** When requests were answered, within the last window. */
function createLog() {
  let times: number[] = [];
  let start = 0;
  const forget = (nowMs: number): void => {
    while (start < times.length && times[start]! <= nowMs - WINDOW_MS) start += 1;
    if (start > 1_024) {
      times = times.slice(start);
      start = 0;
    }
  };
  return {
    add: (nowMs: number): void => {
      times.push(nowMs);
    },
    /** Also of times before those that are known. */
    addAll: (sentMs: readonly number[]): void => {
      times = [...times.slice(start), ...sentMs].sort((a, b) => a - b);
      start = 0;
    },
    count: (nowMs: number): number => {
      forget(nowMs);
      return times.length - start;
    },
    oldestMs: (nowMs: number): number => {
      forget(nowMs);
      return times[start] ?? Number.POSITIVE_INFINITY;
    },
    at: (place: number, nowMs: number): number | undefined => {
      forget(nowMs);
      return times[start + place];
    },
  };
}
