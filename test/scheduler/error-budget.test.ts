import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createErrorBudget } from '../../src/scheduler/error-budget.js';

describe('the block of a key', () => {
  it('is never reached, however many requests in flight fail', () => {
    const steps = fc.array(fc.record({ waitMs: fc.nat(4_000), atOnce: fc.integer({ min: 1, max: 16 }) }), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(steps, (given) => {
        const errorBudget = createErrorBudget();
        const failuresMs: number[] = [];
        let nowMs = 0;
        for (const { waitMs, atOnce } of given) {
          nowMs += waitMs;
          let unanswered = 0;
          while (unanswered < atOnce && errorBudget.allows(unanswered, nowMs)) unanswered += 1;
          for (; unanswered > 0; unanswered -= 1) {
            errorBudget.answered(429, nowMs);
            failuresMs.push(nowMs);
          }
          expect(failuresMs.filter((ms) => ms > nowMs - 30_000).length).toBeLessThanOrEqual(20);
        }
      }),
    );
  });

  it('does not slow down requests that succeed', () => {
    const errorBudget = createErrorBudget();
    for (let nowMs = 0; nowMs < 10_000; nowMs += 10) {
      expect(errorBudget.allows(16, nowMs)).toBe(true);
      errorBudget.answered(200, nowMs);
    }
  });

  it('makes requests wait until enough failures are half a minute old', () => {
    const errorBudget = createErrorBudget();
    for (let count = 0; count < 14; count += 1) errorBudget.answered(undefined, count * 100);
    expect(errorBudget.allows(0, 2_000)).toBe(false);
    const opensMs = errorBudget.opensAtMs(0, 2_000);
    expect(opensMs).toBeGreaterThan(30_000);
    expect(errorBudget.allows(0, opensMs - 1)).toBe(false);
    expect(errorBudget.allows(0, opensMs)).toBe(true);
  });

  it('is lifted only by a response while too many requests are in flight', () => {
    const errorBudget = createErrorBudget();
    errorBudget.answered(500, 0);
    expect(errorBudget.allows(18, 10)).toBe(false);
    expect(errorBudget.opensAtMs(20, 10)).toBe(Number.POSITIVE_INFINITY);
    expect(errorBudget.allows(17, 10)).toBe(true);
  });
});
