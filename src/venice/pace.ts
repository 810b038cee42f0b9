import type { RateHeaders } from './client.js';

/**
 * The request budget of one key and model, kept from this side: as long as nobody else spends from it, the
 * service never has to answer 429. Understands fixed windows and token buckets by their headers, and does
 * with a log of its own sends where there are none. Pure: time and answers come in by calls.
 */
export interface Pacer {
  /** Requests that may be sent now. 0 to `Infinity`. */
  credit(nowMs: number): number;
  /** While `credit` is 0: when that may change without an answer. `Infinity`: only an answer changes it. */
  opensAtMs(nowMs: number): number;
  /** While paused by a 429: until when. */
  pausedUntilMs(nowMs: number): number | undefined;
  /** Counts a request as sent; returns the ticket that its answer is told with. */
  sent(nowMs: number): number;
  /** What came of a request. `ticket` is absent for one that this pacer did not count: then only its headers matter. */
  answered(ticket: number | undefined, answer: PacedAnswer, nowMs: number): void;
  /** The limit as the service states it elsewhere, requests a minute; `Infinity`: none. */
  limit(perMinute: number): void;
  /** Requests a minute, as far as known. */
  perMinute(): number;
  /** How long from now until that many requests may be expected to have been allowed, ms. */
  spanMs(requests: number, nowMs: number): number;
}

export interface PacedAnswer {
  /** Absent: no answer came. */
  readonly status?: number;
  readonly rate: RateHeaders;
}

/** As documented, where nothing else is known. */
export const LIMIT_DOCUMENTED_PER_MINUTE = 60;
const WINDOW_MS = 60_000;
/** The log's own window: longer than the service's by what the way there may vary. */
const LOG_WINDOW_MS = 60_300;
/** From the told end of a window to the first request of the next. */
const RESET_MARGIN_MS = 150;
/** A first request that takes longer than this no longer holds up the others. */
const PROBE_PATIENCE_MS = 3_000;
/** Waiting after a 429 that tells nothing. */
const PAUSE_UNTOLD_MS = 60_000;
/** Bounds on what a header may ask for. */
const PAUSE_MS_MAX = 24 * 3_600_000;
/** A token bucket is taken to fill a little slower than told. */
const REFILL_SHARE = 0.985;
/** Resets nearer to each other than this belong to a bucket that fills, not to windows. */
const RESET_STEP_MS_MAX = 20_000;
/** Unanswered requests at most while somebody else spends from the same budget: each may become a 429. */
const UNANSWERED_BESIDE_OTHERS_MAX = 3;

export function createPacer(): Pacer {
  return new BucketPacer();
}

/** What the newest headers say. */
interface Told {
  readonly kind: 'window' | 'bucket';
  /** Window: its end. Bucket: the reset last told. Local time. */
  resetMs: number;
  /** What is left by the first answer, less what was sent since. Of a bucket at `atMs`. */
  ledger: number;
  atMs: number;
  /** What is left by the answer to the newest request. */
  newest: number;
  newestTicket: number;
  /** The request that is to bring the next window's headers. */
  probeSentMs: number | undefined;
  /** Added to the told end until the service agrees that it has passed. */
  lagMs: number;
}

class BucketPacer implements Pacer {
  #statedLimit: number | undefined;
  #headerLimit: number | undefined;
  #tickets = 0;
  #answers = 0;
  /** Unanswered: ticket → when sent, in order. */
  readonly #out = new Map<number, number>();
  /** When requests were sent, within the last log window; the first `#logStart` are stale. */
  #log: number[] = [];
  #logStart = 0;
  #told: Told | undefined;
  #pausedUntilMs = 0;
  #othersUntilMs = 0;

  limit(perMinute: number): void {
    if (perMinute > 0) this.#statedLimit = perMinute;
  }

  perMinute(): number {
    return this.#headerLimit ?? this.#statedLimit ?? LIMIT_DOCUMENTED_PER_MINUTE;
  }

  pausedUntilMs(nowMs: number): number | undefined {
    return nowMs < this.#pausedUntilMs ? this.#pausedUntilMs : undefined;
  }

  credit(nowMs: number): number {
    if (nowMs < this.#pausedUntilMs) return 0;
    const credit = Math.max(0, this.#creditOfMode(nowMs));
    if (nowMs >= this.#othersUntilMs) return credit;
    return Math.max(0, Math.min(credit, UNANSWERED_BESIDE_OTHERS_MAX - this.#unansweredLately(nowMs)));
  }

  #creditOfMode(nowMs: number): number {
    const told = this.#told;
    if (told === undefined) {
      if (this.perMinute() === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
      if (this.#answers === 0 && !this.#impatient(nowMs)) return this.#out.size === 0 ? 1 : 0;
      return Math.floor(this.perMinute()) - this.#logged(nowMs);
    }
    if (told.kind === 'bucket') return Math.floor(this.#level(told, nowMs));
    if (nowMs < told.resetMs + told.lagMs) {
      return Math.min(told.ledger, told.newest - (this.#tickets - told.newestTicket));
    }
    return told.probeSentMs === undefined || nowMs >= told.probeSentMs + PROBE_PATIENCE_MS ? 1 : 0;
  }

  opensAtMs(nowMs: number): number {
    if (nowMs < this.#pausedUntilMs) return this.#pausedUntilMs;
    const told = this.#told;
    if (told === undefined) {
      if (this.#answers === 0 && !this.#impatient(nowMs)) return this.#oldestOutMs() + PROBE_PATIENCE_MS;
      this.#logged(nowMs);
      return (this.#log[this.#logStart] ?? nowMs) + LOG_WINDOW_MS;
    }
    if (told.kind === 'bucket') {
      return nowMs + Math.ceil((1 - this.#level(told, nowMs)) / this.#refillPerMs()) + 1;
    }
    const endMs = told.resetMs + told.lagMs;
    if (nowMs < endMs) return endMs;
    return (told.probeSentMs ?? nowMs) + PROBE_PATIENCE_MS;
  }

  sent(nowMs: number): number {
    this.#tickets += 1;
    this.#out.set(this.#tickets, nowMs);
    this.#log.push(nowMs);
    this.#logged(nowMs);
    const told = this.#told;
    if (told?.kind === 'bucket') {
      told.ledger = this.#level(told, nowMs) - 1;
      told.atMs = nowMs;
    } else if (told !== undefined) {
      told.ledger -= 1;
      if (nowMs >= told.resetMs + told.lagMs) told.probeSentMs = nowMs;
    }
    return this.#tickets;
  }

  answered(ticket: number | undefined, answer: PacedAnswer, nowMs: number): void {
    const sentMs = ticket === undefined ? nowMs : (this.#out.get(ticket) ?? nowMs);
    if (ticket !== undefined) this.#out.delete(ticket);
    this.#answers += 1;
    const { rate } = answer;
    if (rate.limit !== undefined && rate.limit > 0) this.#headerLimit = rate.limit;
    const resetMs = usableReset(rate, nowMs);
    if (rate.remaining !== undefined && resetMs !== undefined) {
      this.#read(ticket ?? this.#tickets, rate.remaining, resetMs, sentMs, nowMs);
    } else if (this.#told !== undefined && this.#isProbe(sentMs)) {
      this.#told = undefined;
    }
    if (answer.status === 429) this.#pause(rate, resetMs, nowMs);
  }

  spanMs(requests: number, nowMs: number): number {
    const perMs = this.perMinute() / WINDOW_MS;
    const beyond = requests - Math.max(0, this.credit(nowMs));
    if (beyond <= 0 || perMs === Number.POSITIVE_INFINITY) return 0;
    const told = this.#told;
    const fromMs = told?.kind === 'window' ? Math.max(nowMs, told.resetMs + told.lagMs) : nowMs;
    return Math.max(fromMs, this.#pausedUntilMs) - nowMs + beyond / perMs;
  }

  #read(ticket: number, remaining: number, resetMs: number, sentMs: number, nowMs: number): void {
    const told = this.#told;
    const unanswered = this.#out.size;
    if (told === undefined || resetMs > told.resetMs + RESET_STEP_MS_MAX) {
      this.#told = openTold(
        'window',
        remaining - unanswered,
        remaining,
        this.#tickets - unanswered,
        resetMs,
        nowMs,
      );
      if (told !== undefined && told.kind === 'window') this.#told.lagMs = told.lagMs;
      return;
    }
    if (resetMs < told.resetMs - RESET_STEP_MS_MAX) return;
    if (told.kind === 'window' && Math.abs(resetMs - told.resetMs) > 500) {
      this.#told = openTold('bucket', remaining - unanswered, remaining, ticket, resetMs, nowMs);
      return;
    }
    told.resetMs = Math.max(told.resetMs, resetMs);
    if (ticket >= told.newestTicket) {
      const expected = told.kind === 'bucket' ? this.#level(told, nowMs) : told.ledger;
      told.newest = remaining;
      told.newestTicket = ticket;
      const left = remaining - (this.#tickets - ticket);
      if (left < expected - 2) this.#othersUntilMs = nowMs + 2 * WINDOW_MS;
      if (told.kind === 'bucket') {
        told.ledger = unanswered === 0 ? left : Math.min(expected, left + 1);
        told.atMs = nowMs;
      } else if (unanswered === 0) told.ledger = left;
    }
    if (told.kind === 'window' && this.#isProbe(sentMs)) {
      told.probeSentMs = undefined;
      told.lagMs = nowMs - told.resetMs + 1_000;
    }
  }

  #pause(rate: RateHeaders, resetMs: number | undefined, nowMs: number): void {
    const told = this.#told;
    let untilMs = nowMs + PAUSE_UNTOLD_MS;
    if (rate.retryAfterSeconds !== undefined) {
      untilMs = nowMs + Math.min(PAUSE_MS_MAX, Math.max(1_000, rate.retryAfterSeconds * 1_000));
    } else if (resetMs !== undefined) {
      untilMs = Math.max(nowMs + 1_000, resetMs + (told?.kind === 'window' ? told.lagMs : RESET_MARGIN_MS));
    }
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, untilMs);
    if (told !== undefined) told.ledger = Math.min(told.ledger, 0);
  }

  /** The send was after the told end of the window: its answer should have brought a new one. */
  #isProbe(sentMs: number): boolean {
    const told = this.#told;
    return told?.kind === 'window' && sentMs >= told.resetMs + told.lagMs;
  }

  #refillPerMs(): number {
    return (this.perMinute() * REFILL_SHARE) / WINDOW_MS;
  }

  #level(told: Told, nowMs: number): number {
    return Math.min(this.perMinute(), told.ledger + (nowMs - told.atMs) * this.#refillPerMs());
  }

  #oldestOutMs(): number {
    for (const sentMs of this.#out.values()) return sentMs;
    return Number.POSITIVE_INFINITY;
  }

  #impatient(nowMs: number): boolean {
    return nowMs >= this.#oldestOutMs() + PROBE_PATIENCE_MS;
  }

  #unansweredLately(nowMs: number): number {
    let count = 0;
    for (const sentMs of this.#out.values()) if (nowMs < sentMs + PROBE_PATIENCE_MS) count += 1;
    return count;
  }

  /** Sends within the last log window. */
  #logged(nowMs: number): number {
    while (this.#logStart < this.#log.length && this.#log[this.#logStart]! <= nowMs - LOG_WINDOW_MS) {
      this.#logStart += 1;
    }
    if (this.#logStart > 1_024) {
      this.#log = this.#log.slice(this.#logStart);
      this.#logStart = 0;
    }
    return this.#log.length - this.#logStart;
  }
}

function openTold(
  kind: 'window' | 'bucket',
  ledger: number,
  newest: number,
  newestTicket: number,
  resetMs: number,
  nowMs: number,
): Told {
  return {
    kind,
    resetMs,
    ledger,
    atMs: nowMs,
    newest,
    newestTicket,
    probeSentMs: undefined,
    lagMs: RESET_MARGIN_MS,
  };
}

/** The told reset in local time, or `undefined` where it makes no sense. */
function usableReset(rate: RateHeaders, nowMs: number): number | undefined {
  if (rate.resetUnixSeconds === undefined) return undefined;
  const resetMs = rate.resetUnixSeconds * 1_000;
  return Math.abs(resetMs - nowMs) <= PAUSE_MS_MAX ? resetMs : undefined;
}
