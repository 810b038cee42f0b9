import { describe, expect, it } from 'vitest';
import { createCircuitBreaker } from '../../src/scheduler/circuit-breaker.js';

describe('submits to a model that accepts none', () => {
  it('wait as long as the model asks, then go one at a time until one is accepted', () => {
    const breaker = createCircuitBreaker();
    for (let count = 0; count < 3; count += 1) breaker.sent();
    for (let count = 0; count < 3; count += 1) {
      breaker.refused(30, 1_000);
      breaker.settled(false);
    }
    expect([breaker.allows(30_999), breaker.opensAtMs(2_000)]).toEqual([false, 31_000]);
    expect(breaker.allows(31_000)).toBe(true);
    breaker.sent();
    expect([breaker.allows(31_000), breaker.opensAtMs(31_000)]).toEqual([false, Number.POSITIVE_INFINITY]);
    breaker.settled(true);
    breaker.sent();
    expect(breaker.allows(31_100)).toBe(true);
  });

  it('wait longer after each refusal without a time, up to 80 s; refusals sent together count once', () => {
    const breaker = createCircuitBreaker();
    const pauses: number[] = [];
    let nowMs = 0;
    for (let count = 0; count < 5; count += 1) {
      for (let submit = 0; submit < 2; submit += 1) {
        breaker.sent();
        breaker.refused(undefined, nowMs + submit);
        breaker.settled(false);
      }
      pauses.push(breaker.opensAtMs(nowMs + 1) - (nowMs + 1));
      nowMs = breaker.opensAtMs(nowMs + 1);
    }
    expect(pauses).toEqual([10_000, 20_000, 40_000, 80_000, 80_000]);
    expect(breaker.refusals()).toBe(5);
    breaker.sent();
    breaker.settled(true);
    expect(breaker.refusals()).toBe(0);
  });

  it('believe a short time that the model asks for three times only', () => {
    const breaker = createCircuitBreaker();
    const pauses: number[] = [];
    let nowMs = 0;
    for (let count = 0; count < 6; count += 1) {
      breaker.sent();
      breaker.refused(1, nowMs);
      breaker.settled(false);
      pauses.push(breaker.opensAtMs(nowMs) - nowMs);
      nowMs = breaker.opensAtMs(nowMs);
    }
    expect(pauses).toEqual([1_000, 1_000, 1_000, 80_000, 80_000, 80_000]);
  });
});
