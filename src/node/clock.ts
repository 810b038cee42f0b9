import type { Clock } from '../core/ports.js';

/** The longest single timer. After a suspended machine wakes, a sleep is late by at most this much. */
const TIMER_MS_MAX = 30_000;

/**
 * How far the wall clock must be ahead to be followed. Less is drift; more means that the machine was suspended or the
 * clock was set.
 */
const AHEAD_MS_MAX = 1_000;

/**
 * The system's clock. Follows the monotonic clock, so that it never goes back when the wall clock is set back. If the
 * wall clock is ahead (the machine slept, or the time was corrected), it jumps there.
 *
 * @param wallMs milliseconds since the epoch
 * @param monotonicMs milliseconds since any moment, never going back
 */
export function createClock(wallMs = () => Date.now(), monotonicMs = () => performance.now()): Clock {
  let offsetMs = wallMs() - monotonicMs();
  const nowMs = () => {
    if (wallMs() - monotonicMs() - offsetMs > AHEAD_MS_MAX) offsetMs = wallMs() - monotonicMs();
    return Math.floor(monotonicMs() + offsetMs);
  };
  return { nowMs, sleep: (delayMs, signal) => sleepUntil(nowMs, nowMs() + delayMs, signal) };
}

/** In steps, because one timer cannot be longer than 2^31 ms and does not count the time that the machine sleeps. */
async function sleepUntil(nowMs: () => number, untilMs: number, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const leftMs = untilMs - nowMs();
    if (!(leftMs > 0) || signal?.aborted) return;
    await timer(Math.min(leftMs, TIMER_MS_MAX), signal);
  }
}

function timer(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(handle);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const handle = setTimeout(done, Math.ceil(delayMs));
    signal?.addEventListener('abort', done);
  });
}
