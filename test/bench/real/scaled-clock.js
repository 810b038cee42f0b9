import { createClock } from '../../../dist/node/clock.js';

/**
 * A clock that runs `factor` times as fast as the system's, from the same moment in every process that is given the
 * same `epochMs`.
 *
 * @param {number} epochMs when both clocks show the same, ms since the Unix epoch
 * @param {number} factor at least 1
 * @returns {import('../../../src/core/ports.js').Clock}
 */
export function createScaledClock(epochMs, factor) {
  const system = createClock();
  const nowMs = () => Math.floor(epochMs + (performance.timeOrigin + performance.now() - epochMs) * factor);
  /** Again where the system's millisecond, which is `factor` of ours, was rounded down. */
  const sleep = async (delayMs, signal) => {
    const untilMs = nowMs() + delayMs;
    for (let leftMs = delayMs; leftMs > 0 && !signal?.aborted; leftMs = untilMs - nowMs())
      await system.sleep(leftMs / factor, signal);
  };
  return { nowMs, sleep };
}
