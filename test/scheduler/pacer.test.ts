import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPacer } from '../../src/scheduler/pacer.js';
import type { LimitRule } from '../bench/virtual/service.js';
import { type Hammered, type Hammering, loadTest } from './load.js';

const seeds = fc.integer({ min: 1, max: 1e9 });
const ways = fc.constantFrom([35, 55] as const, [5, 15] as const, [20, 400] as const);
const pressure = fc.record({
  seed: seeds,
  latencyMs: ways,
  atOnce: fc.constantFrom(1, 4, 16),
  wishEveryMs: fc.constantFrom(undefined, 300, 900, 4_000),
});

function underLoad(
  rule: LimitRule,
  given: { seed: number; wishEveryMs: number | undefined } & Partial<Omit<Hammering, 'wishEveryMs'>>,
): Hammered {
  const { wishEveryMs, ...rest } = given;
  return loadTest({
    rule,
    minutes: 6,
    latencyMs: [35, 55],
    atOnce: 16,
    ...rest,
    ...(wishEveryMs === undefined ? {} : { wishEveryMs }),
  });
}

describe('a pacer with a budget of its own gets no 429', () => {
  it('from fixed windows of any phase, whatever order the responses arrive in', () => {
    fc.assert(
      fc.property(
        pressure,
        fc.constantFrom(5, 60, 120),
        fc.constantFrom('none' as const, 'up' as const),
        (given, perMinute, rounding) => {
          expect(underLoad({ kind: 'window', perMinute, rounding }, given).refusals).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('from fixed windows whose end is rounded down', () => {
    fc.assert(
      fc.property(pressure, (given) => {
        expect(underLoad({ kind: 'window', perMinute: 60, rounding: 'down' }, given).refusals).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('from token buckets', () => {
    fc.assert(
      fc.property(pressure, fc.constantFrom(30, 60, 120), (given, perMinute) => {
        expect(underLoad({ kind: 'bucket', perMinute }, { ...given, latencyMs: [35, 55] }).refusals).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('if only some responses have headers', () => {
    fc.assert(
      fc.property(pressure, fc.constantFrom(0.2, 0.6), (given, headersMissing) => {
        const rule: LimitRule = { kind: 'window', perMinute: 60, headersMissing };
        expect(underLoad(rule, { ...given, latencyMs: [35, 55] }).refusals).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('if the clock of the service differs', () => {
    fc.assert(
      fc.property(pressure, fc.integer({ min: -600_000, max: 600_000 }), (given, skewMs) => {
        const rule: LimitRule = { kind: 'window', perMinute: 60 };
        expect(underLoad(rule, { ...given, latencyMs: [35, 55], skewMs }).refusals).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('if the limit rises during a run, and at most a burst if it drops', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom(120, 30), (seed, later) => {
        const rule: LimitRule = {
          kind: 'window',
          perMinute: 60,
          change: { atMs: 150_000, perMinute: later },
        };
        const { refusals } = underLoad(rule, { seed, wishEveryMs: undefined });
        expect(refusals).toBeLessThanOrEqual(later > 60 ? 0 : 16);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a pacer uses its whole budget', () => {
  it.each([
    ['a fixed window', { kind: 'window', perMinute: 60 }, 0.97],
    ['a window whose end is rounded up', { kind: 'window', perMinute: 60, rounding: 'up' }, 0.97],
    ['a window whose end is rounded down', { kind: 'window', perMinute: 60, rounding: 'down' }, 0.97],
    ['a wide window', { kind: 'window', perMinute: 120 }, 0.97],
    ['a token bucket', { kind: 'bucket', perMinute: 60 }, 0.97],
  ] as const)('%s', (_, rule, share) => {
    const minutes = 30;
    const { sent } = loadTest({ seed: 3, rule, minutes, latencyMs: [35, 55], atOnce: 16 });
    expect(sent).toBeGreaterThanOrEqual(share * minutes * rule.perMinute);
  });

  it.each([-120_000, 120_000])('a fixed window, with a clock that is %i ms off', (skewMs) => {
    const rule: LimitRule = { kind: 'window', perMinute: 60 };
    const { sent } = loadTest({ seed: 3, rule, minutes: 30, latencyMs: [35, 55], atOnce: 16, skewMs });
    expect(sent).toBeGreaterThanOrEqual(0.97 * 30 * 60);
  });

  it('a limit that is known but in no header', () => {
    const rule: LimitRule = { kind: 'window', perMinute: 120, headersMissing: 1 };
    const { sent, refusals } = loadTest({
      seed: 3,
      rule,
      minutes: 10,
      latencyMs: [35, 55],
      atOnce: 16,
      stated: 120,
    });
    expect(sent).toBeGreaterThanOrEqual(0.95 * 1_200);
    expect(refusals).toBe(0);
  });

  it('a limit that rose', () => {
    const rule: LimitRule = { kind: 'window', perMinute: 60, change: { atMs: 300_000, perMinute: 120 } };
    const { sent } = loadTest({ seed: 3, rule, minutes: 10, latencyMs: [35, 55], atOnce: 16 });
    expect(sent).toBeGreaterThanOrEqual(0.95 * (300 + 600));
  });
});

describe('beside another client on the same key', () => {
  it('it gets at most three 429 per window', () => {
    fc.assert(
      fc.property(pressure, fc.constantFrom(5, 20, 50), (given, otherPerMinute) => {
        const rule: LimitRule = { kind: 'window', perMinute: 60 };
        const { refusalsInWindowMax } = underLoad(rule, { ...given, latencyMs: [35, 55], otherPerMinute });
        expect(refusalsInWindowMax).toBeLessThanOrEqual(3);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a 429', () => {
  it('pauses until the reset it names', () => {
    const pacer = createPacer();
    const token = pacer.sent(1_000_000);
    const rate = { limit: 60, remaining: 0, resetUnixSeconds: 1_030 };
    pacer.answered(token, { status: 429, rate }, 1_000_090);
    const untilMs = pacer.opensAtMs(1_000_090);
    expect(untilMs).toBeGreaterThanOrEqual(1_030_000);
    expect(untilMs).toBeLessThan(1_032_000);
    expect(pacer.available(untilMs - 1)).toBe(0);
    expect(pacer.available(untilMs)).toBe(1);
  });

  it('pauses for as long as it asks', () => {
    const pacer = createPacer();
    pacer.answered(pacer.sent(0), { status: 429, rate: { retryAfterSeconds: 7 } }, 0);
    expect(pacer.opensAtMs(0)).toBe(7_000);
  });

  it('about the model pauses nothing', () => {
    const pacer = createPacer();
    const rate = { limit: 60, remaining: 50, resetUnixSeconds: 30 };
    pacer.answered(pacer.sent(0), { status: 429, rate, overloaded: true }, 90);
    expect(pacer.available(90)).toBe(50);
  });

  it('with a time lets one request go then, whose response decides', () => {
    const pacer = createPacer();
    const rate = { limit: 60, remaining: 50, resetUnixSeconds: 60 };
    pacer.answered(pacer.sent(0), { status: 200, rate }, 90);
    pacer.answered(pacer.sent(100), { status: 429, rate: { ...rate, retryAfterSeconds: 3 } }, 200);
    expect(pacer.opensAtMs(200)).toBe(3_200);
    expect(pacer.available(3_199)).toBe(0);
    expect(pacer.available(3_200)).toBe(1);
    const token = pacer.sent(3_200);
    expect(pacer.available(3_250)).toBe(0);
    pacer.answered(token, { status: 200, rate: { ...rate, remaining: 48 } }, 3_300);
    expect(pacer.available(3_300)).toBe(48);
  });

  it('pauses for at least a second and at most an hour', () => {
    const pacer = createPacer();
    pacer.answered(pacer.sent(0), { status: 429, rate: { retryAfterSeconds: 1e9 } }, 0);
    expect(pacer.opensAtMs(0)).toBe(3_600_000);
    const hasty = createPacer();
    hasty.answered(hasty.sent(0), { status: 429, rate: { retryAfterSeconds: 0 } }, 0);
    expect(hasty.opensAtMs(0)).toBe(1_000);
  });
});

describe('what is known at the start', () => {
  it('lets one request go first, and the others after its response', () => {
    const pacer = createPacer();
    expect(pacer.available(0)).toBe(1);
    const token = pacer.sent(0);
    expect(pacer.available(50)).toBe(0);
    pacer.answered(token, { status: 200, rate: { limit: 60, remaining: 41, resetUnixSeconds: 30 } }, 90);
    expect(pacer.available(90)).toBe(41);
  });

  it('does not let a slow first request hold up the others for long', () => {
    const pacer = createPacer();
    pacer.sent(0);
    const opensMs = pacer.opensAtMs(100);
    expect(opensMs).toBeLessThanOrEqual(5_000);
    expect(pacer.available(opensMs)).toBeGreaterThan(0);
  });

  it('is no limit until one is known', () => {
    const pacer = createPacer();
    expect([pacer.perMinute(), pacer.isKnown()]).toEqual([Number.POSITIVE_INFINITY, false]);
    pacer.limit(120);
    expect([pacer.perMinute(), pacer.isKnown()]).toEqual([120, true]);
    pacer.answered(pacer.sent(0), { status: 200, rate: { limit: 90 } }, 90);
    expect(pacer.perMinute()).toBe(90);
  });

  it('may be that there is no limit', () => {
    const pacer = createPacer();
    pacer.limit(Number.POSITIVE_INFINITY);
    expect(pacer.available(0)).toBe(Number.POSITIVE_INFINITY);
    expect(pacer.spanMs(1e6, 0)).toBe(0);
  });

  it('is not taken from headers that make no sense', () => {
    const pacer = createPacer();
    const rate = { limit: 60, remaining: 5, resetUnixSeconds: 1e12 };
    pacer.answered(pacer.sent(0), { status: 200, rate }, 90);
    expect(pacer.available(90)).toBe(59);
  });
});

describe('how long requests have to wait', () => {
  it('is counted from the end of this window, in whole windows at least', () => {
    const pacer = createPacer();
    pacer.answered(
      pacer.sent(0),
      { status: 200, rate: { limit: 60, remaining: 10, resetUnixSeconds: 30 } },
      90,
    );
    expect(pacer.spanMs(10, 90)).toBe(0);
    const endMs = pacer.lapsesAtMs(90);
    expect(pacer.spanMs(40, 90)).toBeCloseTo(endMs - 90 + 30_000);
    expect(pacer.spanMsMin(70, 90)).toBeCloseTo(endMs - 90);
    expect(pacer.spanMsMin(71, 90)).toBeCloseTo(endMs - 90 + 60_000);
  });
});
