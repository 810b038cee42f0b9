/*
 * For `node --import`: the program's clock and timers run so many times as fast as the system's, from the same moment in
 * every process that is given the same `FAST_CLOCK` (`<Unix ms>x<factor>`). What takes the service a minute is then over in seconds.
 */
const [epochMs, factor] = process.env.FAST_CLOCK.split('x').map(Number);
const fast = (systemMs) => epochMs + (systemMs - epochMs) * factor;

const systemNow = Date.now;
Date.now = () => Math.floor(fast(systemNow()));

const monotonicNow = performance.now.bind(performance);
performance.now = () => monotonicNow() * factor;

const systemTimeout = globalThis.setTimeout;
globalThis.setTimeout = (callback, delayMs = 0, ...rest) =>
  systemTimeout(callback, delayMs / factor, ...rest);
