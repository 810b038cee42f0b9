/**
 * A clock that runs `factor` times as fast as the system's, from the same moment in every process that is given the
 * same `epochMs`.
 *
 * @param {number} epochMs when both clocks show the same, ms since the Unix epoch
 * @param {number} factor at least 1
 * @returns {import('../../../src/ports.js').Clock}
 */
export function createScaledClock(epochMs, factor) {
  const nowMs = () => Math.floor(epochMs + (performance.timeOrigin + performance.now() - epochMs) * factor);
  return { nowMs, sleep: (delayMs, signal) => sleepUntil(nowMs, nowMs() + delayMs, factor, signal) };
}

/** Node's timers may fire a moment early. */
async function sleepUntil(nowMs, untilMs, factor, signal) {
  for (let leftMs = untilMs - nowMs(); leftMs > 0 && !signal?.aborted; leftMs = untilMs - nowMs()) {
    await timer(Math.min(leftMs / factor, 30_000), signal);
  }
}

function timer(delayMs, signal) {
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
