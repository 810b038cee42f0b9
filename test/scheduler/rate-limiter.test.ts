import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRateLimiter, type RateLimiter } from '../../src/scheduler/rate-limiter.js';
import type { Route } from '../../src/scheduler/route.js';
import { loadTest } from './load.js';

const ways = fc.constantFrom([35, 55] as const, [5, 15] as const, [20, 400] as const);
const shapes = fc.constantFrom('window' as const, 'sliding' as const);
const DOCUMENTED = [
  ['queue', 40],
  ['retrieve', 120],
] as const;
const silent = (kind: 'window' | 'sliding', perMinute: number) =>
  ({ kind, perMinute, headersMissing: 1 }) as const;

/** Sends one request and answers it. */
function ask(
  limiter: RateLimiter,
  model: string,
  route: Route,
  atMs: number,
  status: number,
  rate = {},
): void {
  const limits = limiter.of(model);
  limits.answered(limits.sent(route, atMs), { status, rate }, atMs + 50);
}

describe('where no limit is known', () => {
  it('the documented limits get no 429, whether the minute is a fixed window or slides', () => {
    fc.assert(
      fc.property(
        fc.record({ seed: fc.nat(1e9), latencyMs: ways, atOnce: fc.constantFrom(1, 4, 16) }),
        shapes,
        fc.constantFrom(...DOCUMENTED),
        (given, kind, [route, perMinute]) => {
          const { refusals } = loadTest({ ...given, rule: silent(kind, perMinute), minutes: 6, route });
          expect(refusals).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each(DOCUMENTED)('%s uses its whole limit', (route, perMinute) => {
    for (const kind of ['window', 'sliding'] as const) {
      const rule = silent(kind, perMinute);
      const { sent } = loadTest({ seed: 3, rule, minutes: 30, latencyMs: [35, 55], atOnce: 16, route });
      expect(sent).toBeGreaterThanOrEqual(0.97 * 30 * perMinute);
    }
  });

  it('a lower limit is learned from one 429, or a few if windows end in between, and then used up', () => {
    fc.assert(
      fc.property(
        fc.nat(1e9),
        shapes,
        fc.constantFrom('queue' as const, 'retrieve' as const, 'complete' as const),
        fc.integer({ min: 5, max: 38 }),
        (seed, kind, route, perMinute) => {
          const rule = silent(kind, perMinute);
          const given = { seed, rule, latencyMs: [35, 55] as const, atOnce: 4, route };
          const { refusals, sent } = loadTest({ ...given, minutes: 9 });
          // If no limit was known at all, requests in flight together are refused together.
          const atOnce = route === 'complete' ? 4 : 1;
          expect(refusals).toBeLessThanOrEqual(kind === 'window' ? atOnce + 2 : atOnce);
          expect(sent).toBeGreaterThanOrEqual(0.8 * 8 * perMinute);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('each route has its own budget, shared by all models', () => {
    const limiter = createRateLimiter();
    for (let count = 0; count < 40; count += 1)
      ask(limiter, count % 2 === 0 ? 'one' : 'other', 'queue', count * 100, 200);
    const nowMs = 5_000;
    expect(limiter.of('one').available('queue', nowMs)).toBe(0);
    expect(limiter.of('other').available('queue', nowMs)).toBe(0);
    expect(limiter.of('other').opensAtMs('queue', nowMs)).toBe(60_150);
    expect(limiter.of('one').available('retrieve', nowMs)).toBe(120);
    expect(limiter.of('one').available('complete', nowMs)).toBe(Number.POSITIVE_INFINITY);
  });

  it('a 429 pauses only its route, for at least a second and at most an hour', () => {
    for (const [seconds, opensMs] of [
      [7, 7_050],
      [0, 1_050],
      [1e9, 3_600_050],
    ] as const) {
      const limiter = createRateLimiter();
      ask(limiter, 'one', 'retrieve', 0, 429, { retryAfterSeconds: seconds });
      expect(limiter.of('one').opensAtMs('retrieve', 100)).toBe(opensMs);
      expect(limiter.of('one').available('queue', 100)).toBe(40);
    }
  });

  it('a low limit of one route lowers the others for some minutes, not for good', () => {
    const limiter = createRateLimiter();
    for (let count = 0; count < 60; count += 1) ask(limiter, 'one', 'retrieve', count * 100, 200);
    ask(limiter, 'one', 'retrieve', 6_000, 429);
    const limits = limiter.of('one');
    expect(limits.perMinute('queue')).toBe(20);
    for (let minute = 1; minute <= 3; minute += 1) ask(limiter, 'one', 'queue', minute * 60_000, 200);
    expect(limits.perMinute('queue')).toBe(20);
    for (let minute = 4; minute <= 8; minute += 1) ask(limiter, 'one', 'queue', minute * 61_000, 200);
    expect(limits.perMinute('queue')).toBe(40);
    expect(limits.perMinute('retrieve')).toBe(60);
  });

  it.each([{}, { limit: 60, remaining: 50, resetUnixSeconds: 60 }])(
    'a 429 about something else pauses its route and teaches no limit, with the headers %o',
    (rate) => {
      const limiter = createRateLimiter();
      for (let count = 0; count < 12; count += 1) ask(limiter, 'one', 'queue', count * 100, 200, rate);
      const limits = limiter.of('one');
      const before = limits.perMinute('queue');
      const token = limits.sent('queue', 2_000);
      limits.answered(token, { status: 429, rate, pauseMs: 5_000 }, 2_050);
      expect([limits.available('queue', 7_049), limits.opensAtMs('queue', 3_000)]).toEqual([0, 7_050]);
      expect(limits.available('queue', 7_050)).toBeGreaterThan(0);
      expect(limits.available('retrieve', 3_000)).toBeGreaterThan(0);
      expect(limits.perMinute('queue')).toBe(before);
      expect(limiter.learnedLimits()).toEqual({});
    },
  );

  it('a 429 to the very first request means that others use the budget, not that it is small', () => {
    const limiter = createRateLimiter();
    ask(limiter, 'one', 'queue', 0, 429);
    expect(limiter.of('one').opensAtMs('queue', 100)).toBe(60_150);
    expect(limiter.of('one').perMinute('queue')).toBe(40);
  });
});

describe('what an earlier run saw', () => {
  it('counts: its learned limit and its last requests', () => {
    const limiter = createRateLimiter();
    const sentMs = Array.from({ length: 12 }, (_, count) => 100_000 + count);
    limiter.remember('queue', { perMinute: 12, sentMs }, 130_000);
    expect(limiter.of('one').perMinute('queue')).toBe(12);
    expect(limiter.of('one').opensAtMs('queue', 130_000)).toBe(160_100);
  });
});

describe('if the service reports its limits', () => {
  const reported = { limit: 60, remaining: 59, resetUnixSeconds: 60 };

  it('they apply per model, and the documented ones do not', () => {
    const limiter = createRateLimiter();
    ask(limiter, 'one', 'queue', 0, 200, reported);
    expect(limiter.of('one').available('queue', 100)).toBe(59);
    expect(limiter.of('one').isShared()).toBe(true);
    for (let count = 0; count < 50; count += 1)
      ask(limiter, 'one', 'queue', 100, 200, { ...reported, remaining: 58 - count });
    expect(limiter.of('one').available('queue', 200)).toBe(9);
    // For a model not asked yet, wait for the first response.
    expect(limiter.of('other').available('queue', 200)).toBe(1);
  });

  it('resets in milliseconds work like seconds', () => {
    const rule = { kind: 'window', perMinute: 60 } as const;
    const given = { seed: 5, rule, minutes: 20, latencyMs: [35, 55] as const, atOnce: 16, resetsInMs: true };
    const { sent, refusals } = loadTest(given);
    expect(refusals).toBe(0);
    expect(sent).toBeGreaterThanOrEqual(0.97 * 20 * 60);
  });

  it('so does a limit that is known apart from headers', () => {
    const limiter = createRateLimiter();
    limiter.setStated(new Map([['one', 200]]));
    ask(limiter, 'one', 'queue', 0, 200);
    expect(limiter.of('one').available('queue', 100)).toBe(199);
    expect(limiter.of('other').perMinute('queue')).toBe(40);
  });

  it.each([40, 2])(
    'a 429 without headers is respected whatever earlier headers said, after %i requests',
    (many) => {
      const limiter = createRateLimiter();
      const high = { limit: 200, remaining: 199, resetUnixSeconds: 60 };
      for (let count = 0; count < many; count += 1)
        ask(limiter, 'one', 'queue', count * 100, 200, { ...high, remaining: 199 - count });
      ask(limiter, 'one', 'queue', 5_000, 429);
      expect(limiter.of('one').available('queue', 5_100)).toBe(0);
      expect(limiter.of('one').opensAtMs('queue', 5_100)).toBe(65_150);
      expect(limiter.of('one').perMinute('queue')).toBe(many === 40 ? 40 : 200);
    },
  );

  it('a 429 without headers, while the model has tokens, is about its route', () => {
    const limiter = createRateLimiter();
    for (let count = 0; count < 20; count += 1)
      ask(limiter, 'one', 'queue', count * 100, 200, { ...reported, remaining: 59 - count });
    ask(limiter, 'one', 'queue', 2_000, 429);
    expect(limiter.of('one').perMinute('queue')).toBe(20);
    expect(limiter.of('one').available('queue', 2_100)).toBe(0);
    expect(limiter.of('one').available('retrieve', 2_100)).toBeGreaterThan(30);
  });
});

describe('headers that differ by route', () => {
  const headers = (limit: number, remaining: number) => ({ limit, remaining, resetUnixSeconds: 60 });

  it('describe a budget per route once a route keeps its own limit', () => {
    const limiter = createRateLimiter();
    ask(limiter, 'one', 'queue', 0, 200, headers(40, 39));
    ask(limiter, 'one', 'retrieve', 100, 200, headers(120, 119));
    ask(limiter, 'one', 'queue', 200, 200, headers(40, 38));
    ask(limiter, 'one', 'retrieve', 300, 200, headers(120, 118));
    const limits = limiter.of('one');
    expect(limits.isShared()).toBe(false);
    expect([limits.available('queue', 400), limits.available('retrieve', 400)]).toEqual([38, 118]);
    for (let left = 37; left >= 0; left -= 1) ask(limiter, 'one', 'queue', 500, 200, headers(40, left));
    expect([limits.available('queue', 600), limits.available('retrieve', 600)]).toEqual([0, 118]);
  });

  it('describe the routes at once if they are the documented limits', () => {
    const limiter = createRateLimiter();
    for (let left = 39; left >= 0; left -= 1) ask(limiter, 'one', 'queue', 0, 200, headers(40, left));
    const limits = limiter.of('one');
    expect([limits.available('queue', 100), limits.available('retrieve', 100)]).toEqual([0, 1]);
    expect(limits.perMinute('retrieve')).toBe(120);
  });

  it('no longer do so once another route names the same limit', () => {
    const limiter = createRateLimiter();
    ask(limiter, 'one', 'queue', 0, 200, headers(40, 39));
    ask(limiter, 'one', 'retrieve', 100, 200, headers(40, 38));
    expect(limiter.of('one').isShared()).toBe(true);
    expect(limiter.of('one').available('queue', 200)).toBe(38);
  });

  it('describe one budget if the limit itself changes', () => {
    const limiter = createRateLimiter();
    ask(limiter, 'one', 'queue', 0, 200, headers(60, 59));
    ask(limiter, 'one', 'retrieve', 100, 200, headers(90, 88));
    ask(limiter, 'one', 'retrieve', 200, 200, headers(90, 87));
    ask(limiter, 'one', 'queue', 300, 200, headers(90, 86));
    expect(limiter.of('one').isShared()).toBe(true);
  });
});

describe('a 429 about an overloaded model', () => {
  it('teaches no limit', () => {
    const limiter = createRateLimiter();
    for (let count = 0; count < 10; count += 1) ask(limiter, 'one', 'queue', count * 100, 200);
    const limits = limiter.of('one');
    limits.answered(limits.sent('queue', 2_000), { status: 429, rate: {}, overloaded: true }, 2_050);
    expect(limits.perMinute('queue')).toBe(40);
    expect(limits.available('queue', 2_100)).toBeGreaterThan(0);
  });
});
