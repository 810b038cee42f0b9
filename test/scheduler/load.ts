import type { RateHeaders } from '../../src/core/rate-headers.js';
import { createRateLimiter } from '../../src/scheduler/rate-limiter.js';
import type { Route } from '../../src/scheduler/route.js';
import { readRateHeaders } from '../../src/venice/read-rate-headers.js';
import { createChance } from '../bench/virtual/chance.js';
import { createLimiter, EPOCH_MS, type LimitRule } from '../bench/virtual/service.js';

/** A client that uses one route of one model only. */
export interface Hammering {
  readonly seed: number;
  readonly rule: LimitRule;
  readonly minutes: number;
  /** One way, ms. */
  readonly latencyMs: readonly [number, number];
  /** Most requests in flight at once. */
  readonly atOnce: number;
  /** Average time between wanted requests, ms; 0: there is always one. */
  readonly wishEveryMs?: number;
  readonly otherPerMinute?: number;
  /** A limit that is known apart from the headers. */
  readonly stated?: number;
  /** The service's clock minus this one; sent in whole seconds as `Date`. */
  readonly skewMs?: number;
  /** Default: `queue`. */
  readonly route?: Route;
  /** Whether headers give the reset in milliseconds. */
  readonly resetsInMs?: boolean;
}

export interface Hammered {
  readonly sent: number;
  readonly refusals: number;
  readonly refusalsInWindowMax: number;
}

type Event = readonly [timeMs: number, then: () => void];

/** A client that sends whenever the rate limiter allows it, against a service that counts strictly. */
export function loadTest(given: Hammering): Hammered {
  const chance = createChance(given.seed);
  const phaseMs = given.rule.phaseMs ?? 1 + chance() * 59_999;
  const limiter = createLimiter({ ...given.rule, phaseMs }, chance);
  const rateLimiter = createRateLimiter();
  if (given.stated !== undefined) rateLimiter.setStated(new Map([['', given.stated]]));
  const limits = rateLimiter.of('model');
  const { route = 'queue' } = given;
  const events: Event[] = [];
  const untilMs = EPOCH_MS + given.minutes * 60_000;
  const refusals = new Map<number, number>();
  let nowMs = EPOCH_MS;
  let sent = 0;
  let activeRequests = 0;
  const at = (timeMs: number, then: () => void): void => {
    const place = events.findIndex(([other]) => other > timeMs);
    events.splice(place < 0 ? events.length : place, 0, [timeMs, then]);
  };
  const way = (): number => given.latencyMs[0] + chance() * (given.latencyMs[1] - given.latencyMs[0]);

  const send = (): void => {
    const token = limits.sent(route, nowMs);
    sent += 1;
    activeRequests += 1;
    at(nowMs + way(), () => {
      const { ok, rate } = limiter.admit(nowMs, 'poll');
      if (!ok) {
        const window = Math.floor((nowMs - EPOCH_MS - phaseMs) / 60_000);
        refusals.set(window, (refusals.get(window) ?? 0) + 1);
      }
      at(nowMs + way(), () => {
        activeRequests -= 1;
        limits.answered(
          token,
          { status: ok ? 200 : 429, rate: given.resetsInMs ? inMs(rate) : skewed(rate, given.skewMs, nowMs) },
          nowMs,
        );
        step();
      });
    });
  };
  const step = (): void => {
    while (nowMs < untilMs && activeRequests < given.atOnce && limits.available(route, nowMs) >= 1) {
      send();
      if (given.wishEveryMs !== undefined) return;
    }
  };
  const wish = (): void => {
    if (nowMs >= untilMs) return;
    step();
    // No later than the limiter said, or it might never be asked.
    const opensMs = limits.available(route, nowMs) < 1 ? limits.opensAtMs(route, nowMs) : nowMs + 50;
    const nextMs =
      given.wishEveryMs === undefined ? opensMs : nowMs - Math.log(1 - chance()) * given.wishEveryMs;
    at(Math.max(nowMs + 1, Math.min(nextMs, nowMs + 1_000)), wish);
  };
  const other = (): void => {
    if (nowMs >= untilMs) return;
    limiter.admit(nowMs, 'poll');
    at(nowMs - (Math.log(1 - chance()) * 60_000) / given.otherPerMinute!, other);
  };
  if (given.otherPerMinute !== undefined) other();
  wish();
  for (let event = events.shift(); event !== undefined; event = events.shift()) {
    nowMs = event[0];
    event[1]();
  }
  const counts = [...refusals.values()];
  return {
    sent,
    refusals: counts.reduce((sum, count) => sum + count, 0),
    refusalsInWindowMax: Math.max(0, ...counts),
  };
}

/** As headers with the reset in milliseconds. */
function inMs({ limit, remaining, resetUnixSeconds }: RateHeaders): RateHeaders {
  return readRateHeaders({
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': String(Math.ceil((resetUnixSeconds ?? 0) * 1_000)),
  });
}

/** As sent by a service with another clock. */
function skewed(rate: RateHeaders, skewMs: number | undefined, nowMs: number): RateHeaders {
  if (skewMs === undefined) return rate;
  const dateUnixSeconds = Math.floor((nowMs + skewMs) / 1_000);
  const { resetUnixSeconds } = rate;
  return resetUnixSeconds === undefined
    ? { ...rate, dateUnixSeconds }
    : { ...rate, dateUnixSeconds, resetUnixSeconds: resetUnixSeconds + skewMs / 1_000 };
}
