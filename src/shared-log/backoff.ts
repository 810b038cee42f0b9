import type { Clock, Random } from '../core/ports.js';

/** How long to retry a store that gives no useful response, in ms. */
const PATIENCE_MS = 60_000;
/** At least so many pauses, however slow each try is: one push to a crowded git ref may take most of a minute. */
const PAUSES_MIN = 8;
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 5_000;

/** Random pauses between tries, each up to twice as long as the one before, so that machines do not retry in step. */
export interface Backoff {
  /** Waits. Returns `false` at once when the time is up and there were enough tries. */
  pause(): Promise<boolean>;
}

export function createBackoff(clock: Clock, random: Random, totalMs = PATIENCE_MS): Backoff {
  const endMs = clock.nowMs() + totalMs;
  let pauseMs = PAUSE_MS_MIN;
  let pauses = 0;
  return {
    pause: async () => {
      if (clock.nowMs() >= endMs && pauses >= PAUSES_MIN) return false;
      pauses += 1;
      await clock.sleep(pauseMs * (0.5 + (random.bytes(1)[0] ?? 0) / 512));
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX);
      return true;
    },
  };
}
