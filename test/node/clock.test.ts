import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClock } from '../../src/node/clock.js';

const HOUR_MS = 3_600_000;

describe('the clock', () => {
  it('never goes back and is never more than a second behind the wall clock', () => {
    const step = fc.record({ passedMs: fc.nat(10_000), setMs: fc.integer({ min: -HOUR_MS, max: HOUR_MS }) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let wall = 1_700_000_000_000;
        let monotonic = 5;
        const clock = createClock(
          () => wall,
          () => monotonic,
        );
        let last = clock.nowMs();
        for (const { passedMs, setMs } of steps) {
          monotonic += passedMs;
          wall += passedMs + setMs;
          const now = clock.nowMs();
          expect(now).toBeGreaterThanOrEqual(last + passedMs - 1);
          expect(now).toBeGreaterThan(wall - 1_002);
          last = now;
        }
      }),
    );
  });

  it('follows the wall clock over a suspend, during which the monotonic clock stops', () => {
    let wall = 1_700_000_000_000;
    const clock = createClock(
      () => wall,
      () => 0,
    );
    wall += 8 * HOUR_MS;
    expect(clock.nowMs()).toBe(1_700_000_000_000 + 8 * HOUR_MS);
  });
});

describe('a sleep', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const asleep = (sleep: Promise<void>) => {
    const state = { over: false };
    void sleep.then(() => {
      state.over = true;
    });
    return state;
  };

  it.each([0, -5, Number.NaN])('of %s ms ends at once', async (delayMs) => {
    await createClock().sleep(delayMs);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([1, 45_000, 2 ** 31 + 10_000])(
    'of %s ms lasts exactly that long, even beyond the longest timer',
    async (delayMs) => {
      const clock = createClock(
        () => Date.now(),
        () => performance.now(),
      );
      const state = asleep(clock.sleep(delayMs));
      await vi.advanceTimersByTimeAsync(delayMs - 1);
      expect(state.over).toBe(false);
      await vi.advanceTimersByTimeAsync(2);
      expect(state.over).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it('ends at once when its signal aborts, and leaves no timer and no listener', async () => {
    const abort = new AbortController();
    const state = asleep(createClock().sleep(HOUR_MS, abort.signal));
    abort.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(state.over).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
  });

  it('ends at once if its signal has aborted', async () => {
    await createClock().sleep(HOUR_MS, AbortSignal.abort());
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no listener on a signal that outlives it', async () => {
    const abort = new AbortController();
    const state = asleep(createClock().sleep(100, abort.signal));
    await vi.advanceTimersByTimeAsync(200);
    expect(state.over).toBe(true);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
  });

  it('counts the time the machine was suspended', async () => {
    let suspendedMs = 0;
    const clock = createClock(
      () => Date.now() + suspendedMs,
      () => performance.now(),
    );
    const state = asleep(clock.sleep(HOUR_MS));
    suspendedMs = HOUR_MS;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(state.over).toBe(true);
  });
});
