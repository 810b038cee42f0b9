import type { RateHeaders } from '../core/rate-headers.js';
import { createWindow } from './rate-window.js';
import type { Ledger, Reading } from './reading.js';
import { createRequestLog, WINDOW_MS } from './request-log.js';
import { createBucket } from './token-bucket.js';

/**
 * Tracks a request budget that the service describes, so that a run that is alone on it never gets a 429. Understands
 * fixed windows and token buckets from their headers, and counts its own requests where only the limit is stated. Pure:
 * time and responses are passed in.
 */
export interface Pacer {
  /** Requests that may be sent now, 0 to `Infinity` (no limit, or none known). */
  available(nowMs: number): number;
  /** While `available` is 0: when that may change if no response comes first. `Infinity`: only a response changes it. */
  opensAtMs(nowMs: number): number;
  /** When unused requests expire. `Infinity`: never. */
  lapsesAtMs(nowMs: number): number;
  /** When the pause after the last 429 ends, in ms; in the past if there is none. */
  pausedUntilMs(): number;
  /** Sends nothing before then, ms since the epoch: a 429 counted elsewhere asks for it. */
  pauseUntil(untilMs: number): void;
  /** Counts a request as sent. Returns the token to report its response with. */
  sent(nowMs: number): number;
  /**
   * Reports the response to a request. `token` is absent for a request that this pacer did not count; then only the
   * headers matter.
   */
  answered(token: number | undefined, answer: PacedAnswer, nowMs: number): void;
  /** Sets the limit that the service states elsewhere, in requests a minute. `Infinity`: none. */
  limit(perMinute: number): void;
  /** Requests a minute, or `Infinity` if not known. */
  perMinute(): number;
  /** Whether headers or `rate_limits` describe this budget. */
  isKnown(): boolean;
  /** How long it is expected to take until this many requests have been allowed, in ms. */
  spanMs(requests: number, nowMs: number): number;
  /** The shortest time it can take: all requests of the last window are sent at its start. */
  spanMsMin(requests: number, nowMs: number): number;
}

export interface PacedAnswer {
  /** Absent if no response came. */
  readonly status?: number;
  readonly rate: RateHeaders;
  /** A 429 because the model is overloaded, not because of the limit. */
  readonly overloaded?: boolean;
  /** A 429 that says nothing about the limit, and how long to wait after it. */
  readonly pauseMs?: number;
}

const MINUTE_MS = 60_000;
/** After this long, a slow first request no longer holds up the others. */
const FIRST_PATIENCE_MS = 3_000;
/** The pause after a 429 without headers. */
const PAUSE_UNKNOWN_MS = 60_000;
const PAUSE_MS_MIN = 1_000;
/** The longest pause that headers can ask for: the service keeps finished audio for only about a day. */
const PAUSE_MS_MAX = 3_600_000;
/** Requests in flight at most while the count may be wrong: at most this many can become 429s. */
const UNANSWERED_UNSURE_MAX = 3;
/** The count is doubted for this long after it showed that others use the same budget, */
const OTHERS_REMEMBERED_MS = 120_000;
/** and while the newest response is older than this. */
const FRESH_MS = 5_000;
/** Responses without headers in a row, where headers were due, after which they are no longer counted on. */
const UNREAD_MAX = 3;

interface PendingRequest {
  readonly sentMs: number;
  /** Responses without headers before it was sent. */
  readonly headerless: number;
}

export function createPacer(): Pacer {
  let stated: number | undefined;
  let inHeaders: number | undefined;
  let lastToken = 0;
  let answers = 0;
  let unread = 0;
  let ledger: Ledger | undefined;
  let fills = true;
  let isBucket = false;
  let pausedMs = Number.NEGATIVE_INFINITY;
  let sharedUntilMs = Number.NEGATIVE_INFINITY;
  let readMs = Number.NEGATIVE_INFINITY;
  /** The service named a time to retry: from then on one request may be sent, whatever the count says. */
  let retryMs = Number.POSITIVE_INFINITY;
  /** The last request, while no other has been in flight with it. */
  let aloneToken: number | undefined;
  /** Responses without headers so far. */
  let headerless = 0;
  /** Unanswered requests by token, in order. */
  const pending = new Map<number, PendingRequest>();
  /** Of responses: by then the service has counted the request. */
  const log = createRequestLog();

  const perMinute = (): number => inHeaders ?? stated ?? Number.POSITIVE_INFINITY;
  const firstSentMs = (): number => pending.values().next().value?.sentMs ?? Number.POSITIVE_INFINITY;
  const waitsForFirst = (nowMs: number): boolean =>
    answers === 0 && pending.size > 0 && nowMs < firstSentMs() + FIRST_PATIENCE_MS;

  const counted = (nowMs: number): number => {
    if (ledger !== undefined) return ledger.available(nowMs);
    if (stated === Number.POSITIVE_INFINITY && inHeaders === undefined) return stated;
    if (waitsForFirst(nowMs)) return 0;
    if (answers === 0 && pending.size === 0) return 1;
    return perMinute() === Number.POSITIVE_INFINITY
      ? Number.POSITIVE_INFINITY
      : Math.floor(perMinute()) - pending.size - log.count(nowMs);
  };
  const available = (nowMs: number): number => {
    if (nowMs < pausedMs) return 0;
    if (nowMs >= retryMs && pending.size === 0) return Math.max(1, counted(nowMs));
    const left = Math.max(0, counted(nowMs));
    const sure = ledger === undefined || (nowMs >= sharedUntilMs && nowMs < readMs + FRESH_MS);
    return sure
      ? left
      : Math.min(left, Math.max(0, UNANSWERED_UNSURE_MAX - recentlySent(pending, nowMs).length));
  };
  const read = (reading: Reading): void => {
    unread = 0;
    readMs = reading.nowMs;
    const found = ledger?.read(reading);
    if (found === undefined) ledger = createWindow(reading);
    if (found === 'shared') sharedUntilMs = reading.nowMs + OTHERS_REMEMBERED_MS;
    if (found === 'foreign' && fills) {
      ledger = createBucket(reading, perMinute);
      isBucket = true;
    }
  };
  const pause = (rate: RateHeaders, resetMs: number | undefined, nowMs: number): void => {
    ledger?.refused(nowMs);
    if (rate.retryAfterSeconds !== undefined) retryMs = nowMs + rate.retryAfterSeconds * 1_000;
    const reportedMs =
      rate.retryAfterSeconds !== undefined
        ? nowMs + rate.retryAfterSeconds * 1_000
        : resetMs !== undefined
          ? Math.max(resetMs, isBucket ? resetMs : (ledger?.lapsesAtMs(nowMs) ?? 0))
          : nowMs + PAUSE_UNKNOWN_MS;
    pausedMs = Math.max(pausedMs, Math.min(Math.max(reportedMs, nowMs + PAUSE_MS_MIN), nowMs + PAUSE_MS_MAX));
    if (isBucket) {
      // It does not fill as a bucket does: count requests instead.
      ledger = undefined;
      fills = false;
    }
  };

  const span = (requests: number, nowMs: number, more: (beyond: number) => number): number => {
    const inWindows = ledger !== undefined && !isBucket;
    const lapsesMs = inWindows ? ledger!.lapsesAtMs(nowMs) : nowMs;
    // The next window has begun, but its headers are not here yet.
    const begun = inWindows && lapsesMs <= nowMs && nowMs >= pausedMs;
    const beyond = requests - (begun ? perMinute() : available(nowMs));
    if (!(beyond > 0) || perMinute() === Number.POSITIVE_INFINITY) return 0;
    const fromMs = begun ? nowMs + MINUTE_MS : Math.max(nowMs, lapsesMs);
    return Math.max(fromMs, pausedMs) - nowMs + more(beyond);
  };

  return {
    available,
    perMinute,
    isKnown: () => inHeaders !== undefined || stated !== undefined || ledger !== undefined,
    limit: (amount) => {
      if (amount > 0) stated = amount;
    },
    pausedUntilMs: () => pausedMs,
    pauseUntil: (untilMs) => {
      pausedMs = Math.max(pausedMs, untilMs);
    },
    lapsesAtMs: (nowMs) => Math.max(ledger?.lapsesAtMs(nowMs) ?? Number.POSITIVE_INFINITY, pausedMs),
    opensAtMs: (nowMs) => {
      if (nowMs < pausedMs) return pausedMs;
      if (counted(nowMs) >= 1) return Math.min(...recentlySent(pending, nowMs)) + FIRST_PATIENCE_MS;
      const retriesMs = pending.size === 0 ? Math.max(nowMs, retryMs) : Number.POSITIVE_INFINITY;
      if (ledger !== undefined) return Math.min(retriesMs, ledger.opensAtMs(nowMs));
      return waitsForFirst(nowMs)
        ? firstSentMs() + FIRST_PATIENCE_MS
        : (log.at(0, nowMs) ?? Number.POSITIVE_INFINITY) + WINDOW_MS;
    },
    sent: (nowMs) => {
      lastToken += 1;
      aloneToken = pending.size === 0 ? lastToken : undefined;
      pending.set(lastToken, { sentMs: nowMs, headerless });
      ledger?.sent(lastToken, nowMs);
      return lastToken;
    },
    answered: (token, answer, nowMs) => {
      const { rate } = answer;
      const request = token === undefined ? undefined : pending.get(token);
      if (token !== undefined && pending.delete(token)) log.add(nowMs);
      answers += 1;
      const skewMs = skewOf(rate, nowMs);
      if (rate.limit !== undefined && rate.limit > 0) inHeaders = rate.limit;
      const resetMs = usableReset(rate, skewMs ?? 0, nowMs);
      const known = token ?? lastToken;
      if (rate.remaining !== undefined && resetMs !== undefined) {
        read({
          token: known,
          remaining: rate.remaining,
          resetMs: resetMs + (skewMs ?? 0),
          skewMs,
          sentMs: request?.sentMs ?? nowMs,
          nowMs,
          uncounted:
            lastToken - known + earlier(pending, known) + headerless - (request?.headerless ?? headerless),
          sentAfter: lastToken - known,
          alone: token !== undefined && token === aloneToken && pending.size === 0,
        });
      } else {
        headerless += 1;
        if (ledger?.unread(known) === true) unread += 1;
        if (unread >= UNREAD_MAX) ledger = undefined;
      }
      if (answer.status !== 429) retryMs = Number.POSITIVE_INFINITY;
      else if (answer.overloaded !== true) pause(rate, resetMs, nowMs);
    },
    spanMs: (requests, nowMs) => span(requests, nowMs, (beyond) => (beyond * MINUTE_MS) / perMinute()),
    spanMsMin: (requests, nowMs) =>
      span(requests, nowMs, (beyond) =>
        isBucket || ledger === undefined
          ? (beyond * MINUTE_MS) / perMinute()
          : (Math.ceil(beyond / perMinute()) - 1) * MINUTE_MS,
      ),
  };
}

/** Send times of the requests in flight that may still be answered in time. */
function recentlySent(pending: ReadonlyMap<number, PendingRequest>, nowMs: number): readonly number[] {
  return [...pending.values()]
    .map(({ sentMs }) => sentMs)
    .filter((sentMs) => nowMs < sentMs + FIRST_PATIENCE_MS);
}

/** How many of the requests in flight were sent before this one. */
function earlier(pending: ReadonlyMap<number, PendingRequest>, token: number): number {
  let count = 0;
  for (const other of pending.keys()) {
    if (other >= token) break;
    count += 1;
  }
  return count;
}

/** The reset in local time, or `undefined` if it is implausible. */
function usableReset(rate: RateHeaders, skewMs: number, nowMs: number): number | undefined {
  if (rate.resetUnixSeconds === undefined) return undefined;
  const resetMs = rate.resetUnixSeconds * 1_000 - skewMs;
  return Math.abs(resetMs - nowMs) <= PAUSE_MS_MAX ? resetMs : undefined;
}

/**
 * A lower bound for how far the service's clock is ahead of this machine's: `Date` is cut to whole seconds and already
 * a moment old.
 */
function skewOf({ dateUnixSeconds }: RateHeaders, nowMs: number): number | undefined {
  return dateUnixSeconds === undefined ? undefined : dateUnixSeconds * 1_000 - nowMs;
}
