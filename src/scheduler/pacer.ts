import type { RateHeaders } from '../core/rate-headers.js';
import { createBucket } from './token-bucket.js';
import { createWindow } from './window.js';

/**
 * A request budget that the service tells of, kept from this side: as long as nobody else spends from it, the
 * service never has to answer 429. Understands fixed windows and token buckets by their headers, and does
 * with a log of its own sends where only the limit is stated. Pure: time and answers come in by calls.
 */
export interface Pacer {
  /** Requests that may be sent now. 0 to `Infinity`: nothing is told, or that there is no limit. */
  credit(nowMs: number): number;
  /** While `credit` is 0: when that may change without an answer. `Infinity`: only an answer changes it. */
  opensAtMs(nowMs: number): number;
  /** When credit that is not used by then is lost. `Infinity`: never. */
  lapsesAtMs(nowMs: number): number;
  /** Counts a request as sent; returns the ticket that its answer is told with. */
  sent(nowMs: number): number;
  /** What came of a request. `ticket` is absent for one that this pacer did not count: then only its headers matter. */
  answered(ticket: number | undefined, answer: PacedAnswer, nowMs: number): void;
  /** The limit as the service states it elsewhere, requests a minute; `Infinity`: none. */
  limit(perMinute: number): void;
  /** Requests a minute, as far as told; else `Infinity`. */
  perMinute(): number;
  /** Whether headers, or a statement apart from them, tell of this budget. */
  isTold(): boolean;
  /** How long from now until that many requests may be expected to have been allowed, ms. */
  spanMs(requests: number, nowMs: number): number;
  /** The least that it can take: all requests of the last window at its start. */
  spanMsMin(requests: number, nowMs: number): number;
}

export interface PacedAnswer {
  /** Absent: no answer came. */
  readonly status?: number;
  readonly rate: RateHeaders;
  /** A 429 that is about the model, not about the limit. */
  readonly overloaded?: boolean;
}

/** The headers of one answer, with what is known of its request. Times are local where not said otherwise, ms. */
export interface Reading {
  readonly ticket: number;
  readonly remaining: number;
  /** By the service's clock. */
  readonly resetMs: number;
  /** The service's clock less this machine's: at least this, and at most about a second more. `undefined`: not told. */
  readonly skewMs: number | undefined;
  readonly sentMs: number;
  readonly nowMs: number;
  /** Requests that the service may have counted after this one: sent later, still under way, or answered meanwhile without a word. */
  readonly uncounted: number;
  /** Requests sent after this one. */
  readonly sentAfter: number;
  /** Nothing else was under way from its being sent to its answer: its count is exact. */
  readonly alone: boolean;
}

/** Keeps the count by one way of limiting. */
export interface Ledger {
  credit(nowMs: number): number;
  opensAtMs(nowMs: number): number;
  lapsesAtMs(nowMs: number): number;
  sent(ticket: number, nowMs: number): void;
  /** `stale`: of a time before; `shared`: somebody else spends from the same budget; `foreign`: not of this way of limiting. */
  read(reading: Reading): 'fits' | 'stale' | 'shared' | 'foreign';
  /** An answer without headers. `true`: it was to bring them. */
  unread(ticket: number): boolean;
  /** A 429 came. */
  refused(nowMs: number): void;
}

const MINUTE_MS = 60_000;
/** A minute as the log counts it, from the answer: by then the service has counted the request. */
const LOG_SPAN_MS = 60_100;
/** A first request that takes longer than this no longer holds up the others. */
const FIRST_PATIENCE_MS = 3_000;
/** Waiting after a 429 that tells nothing. */
const PAUSE_UNTOLD_MS = 60_000;
const PAUSE_MS_MIN = 1_000;
/** Bounds on what a header may ask for. */
const PAUSE_MS_MAX = 24 * 3_600_000;
/** Requests under way at most while the count may be wrong, so that at most as many become a 429. */
const UNANSWERED_UNSURE_MAX = 3;
/** The count may be wrong for so long after it showed that somebody else spends from the same budget, */
const OTHERS_REMEMBERED_MS = 120_000;
/** and when the newest answer is older than this. */
const FRESH_MS = 5_000;
/** Answers without headers in a row, where headers were due, after which they are no longer counted on. */
const UNREAD_MAX = 3;

interface UnderWay {
  readonly sentMs: number;
  /** Answers that told nothing before it was sent. */
  readonly headerless: number;
}

export function createPacer(): Pacer {
  let stated: number | undefined;
  let inHeaders: number | undefined;
  let tickets = 0;
  let answers = 0;
  let unread = 0;
  let ledger: Ledger | undefined;
  let fills = true;
  let isBucket = false;
  let pausedMs = Number.NEGATIVE_INFINITY;
  let othersMs = Number.NEGATIVE_INFINITY;
  let readMs = Number.NEGATIVE_INFINITY;
  /** The service named the time to try again: one request may do so from then on, whatever the count says. */
  let retryMs = Number.POSITIVE_INFINITY;
  /** The request that was sent, and so far answered, with nothing else under way. */
  let aloneTicket: number | undefined;
  /** Answers that told nothing, so far. */
  let headerless = 0;
  /** Unanswered, by ticket, in order. */
  const out = new Map<number, UnderWay>();
  const log = createLog();

  const perMinute = (): number => inHeaders ?? stated ?? Number.POSITIVE_INFINITY;
  const firstSentMs = (): number => out.values().next().value?.sentMs ?? Number.POSITIVE_INFINITY;
  const waitsForFirst = (nowMs: number): boolean =>
    answers === 0 && out.size > 0 && nowMs < firstSentMs() + FIRST_PATIENCE_MS;

  const counted = (nowMs: number): number => {
    if (ledger !== undefined) return ledger.credit(nowMs);
    if (stated === Number.POSITIVE_INFINITY && inHeaders === undefined) return stated;
    if (waitsForFirst(nowMs)) return 0;
    if (answers === 0 && out.size === 0) return 1;
    return perMinute() === Number.POSITIVE_INFINITY
      ? Number.POSITIVE_INFINITY
      : Math.floor(perMinute()) - out.size - log.count(nowMs);
  };
  const credit = (nowMs: number): number => {
    if (nowMs < pausedMs) return 0;
    if (nowMs >= retryMs && out.size === 0) return Math.max(1, counted(nowMs));
    const left = Math.max(0, counted(nowMs));
    const sure = ledger === undefined || (nowMs >= othersMs && nowMs < readMs + FRESH_MS);
    return sure ? left : Math.min(left, Math.max(0, UNANSWERED_UNSURE_MAX - lately(out, nowMs).length));
  };
  const read = (reading: Reading): void => {
    unread = 0;
    readMs = reading.nowMs;
    const found = ledger?.read(reading);
    if (found === undefined) ledger = createWindow(reading);
    if (found === 'shared') othersMs = reading.nowMs + OTHERS_REMEMBERED_MS;
    if (found === 'foreign' && fills) {
      ledger = createBucket(reading, perMinute);
      isBucket = true;
    }
  };
  const pause = (rate: RateHeaders, resetMs: number | undefined, nowMs: number): void => {
    ledger?.refused(nowMs);
    if (rate.retryAfterSeconds !== undefined) retryMs = nowMs + rate.retryAfterSeconds * 1_000;
    const toldMs =
      rate.retryAfterSeconds !== undefined
        ? nowMs + rate.retryAfterSeconds * 1_000
        : resetMs !== undefined
          ? Math.max(resetMs, isBucket ? resetMs : (ledger?.lapsesAtMs(nowMs) ?? 0))
          : nowMs + PAUSE_UNTOLD_MS;
    pausedMs = Math.max(pausedMs, Math.min(Math.max(toldMs, nowMs + PAUSE_MS_MIN), nowMs + PAUSE_MS_MAX));
    if (isBucket) {
      // It does not fill as a bucket does: count what was sent instead.
      ledger = undefined;
      fills = false;
    }
  };

  const span = (requests: number, nowMs: number, more: (beyond: number) => number): number => {
    const inWindows = ledger !== undefined && !isBucket;
    const lapsesMs = inWindows ? ledger!.lapsesAtMs(nowMs) : nowMs;
    // The next window has begun, though its headers are not here yet.
    const begun = inWindows && lapsesMs <= nowMs && nowMs >= pausedMs;
    const beyond = requests - (begun ? perMinute() : credit(nowMs));
    if (!(beyond > 0) || perMinute() === Number.POSITIVE_INFINITY) return 0;
    const fromMs = begun ? nowMs + MINUTE_MS : Math.max(nowMs, lapsesMs);
    return Math.max(fromMs, pausedMs) - nowMs + more(beyond);
  };

  return {
    credit,
    perMinute,
    isTold: () => inHeaders !== undefined || stated !== undefined || ledger !== undefined,
    limit: (amount) => {
      if (amount > 0) stated = amount;
    },
    lapsesAtMs: (nowMs) => Math.max(ledger?.lapsesAtMs(nowMs) ?? Number.POSITIVE_INFINITY, pausedMs),
    opensAtMs: (nowMs) => {
      if (nowMs < pausedMs) return pausedMs;
      if (counted(nowMs) >= 1) return Math.min(...lately(out, nowMs)) + FIRST_PATIENCE_MS;
      const retriesMs = out.size === 0 ? Math.max(nowMs, retryMs) : Number.POSITIVE_INFINITY;
      if (ledger !== undefined) return Math.min(retriesMs, ledger.opensAtMs(nowMs));
      return waitsForFirst(nowMs) ? firstSentMs() + FIRST_PATIENCE_MS : log.oldestMs() + LOG_SPAN_MS;
    },
    sent: (nowMs) => {
      tickets += 1;
      aloneTicket = out.size === 0 ? tickets : undefined;
      out.set(tickets, { sentMs: nowMs, headerless });
      ledger?.sent(tickets, nowMs);
      return tickets;
    },
    answered: (ticket, answer, nowMs) => {
      const { rate } = answer;
      const request = ticket === undefined ? undefined : out.get(ticket);
      if (ticket !== undefined && out.delete(ticket)) log.add(nowMs);
      answers += 1;
      const skewMs = skewOf(rate, nowMs);
      if (rate.limit !== undefined && rate.limit > 0) inHeaders = rate.limit;
      const resetMs = usableReset(rate, skewMs ?? 0, nowMs);
      const known = ticket ?? tickets;
      if (rate.remaining !== undefined && resetMs !== undefined) {
        read({
          ticket: known,
          remaining: rate.remaining,
          resetMs: resetMs + (skewMs ?? 0),
          skewMs,
          sentMs: request?.sentMs ?? nowMs,
          nowMs,
          uncounted: tickets - known + earlier(out, known) + headerless - (request?.headerless ?? headerless),
          sentAfter: tickets - known,
          alone: ticket !== undefined && ticket === aloneTicket && out.size === 0,
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

/** When those of the requests under way were sent whose answers may still be on time. */
function lately(out: ReadonlyMap<number, UnderWay>, nowMs: number): readonly number[] {
  return [...out.values()].map(({ sentMs }) => sentMs).filter((sentMs) => nowMs < sentMs + FIRST_PATIENCE_MS);
}

/** How many of those under way were sent before that one. */
function earlier(out: ReadonlyMap<number, UnderWay>, ticket: number): number {
  let count = 0;
  for (const other of out.keys()) {
    if (other >= ticket) break;
    count += 1;
  }
  return count;
}

/** The told reset in local time, or `undefined` where it makes no sense. */
function usableReset(rate: RateHeaders, skewMs: number, nowMs: number): number | undefined {
  if (rate.resetUnixSeconds === undefined) return undefined;
  const resetMs = rate.resetUnixSeconds * 1_000 - skewMs;
  return Math.abs(resetMs - nowMs) <= PAUSE_MS_MAX ? resetMs : undefined;
}

/**
 * The service's clock less this machine's, at least: what `Date` tells is cut to whole seconds and some moments old.
 * `undefined`: not told.
 */
function skewOf({ dateUnixSeconds }: RateHeaders, nowMs: number): number | undefined {
  return dateUnixSeconds === undefined ? undefined : dateUnixSeconds * 1_000 - nowMs;
}

/** When requests were answered, within the last span. */
function createLog() {
  let times: number[] = [];
  let start = 0;
  const forget = (nowMs: number): void => {
    while (start < times.length && times[start]! <= nowMs - LOG_SPAN_MS) start += 1;
    if (start > 1_024) {
      times = times.slice(start);
      start = 0;
    }
  };
  return {
    add: (nowMs: number): void => {
      forget(nowMs);
      times.push(nowMs);
    },
    count: (nowMs: number): number => {
      forget(nowMs);
      return times.length - start;
    },
    oldestMs: (): number => times[start] ?? Number.POSITIVE_INFINITY,
  };
}
