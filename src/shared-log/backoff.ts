import type { Clock, Random } from '../core/ports.js';
import type { Patience } from './patience.js';

/** How long to retry a store that gives no useful response, in ms. */
const PATIENCE_MS = 60_000;
/** At least so many pauses, however slow each try is: one push to a crowded git ref may take most of a minute. */
const PAUSES_MIN = 8;
/** Nothing is retried after this long: tries of a quarter of an hour each must not add up to hours. */
const PATIENCE_MS_MAX = 10 * 60_000;
/** The same for a store that was just retried in vain. */
const LOST_PATIENCE_MS = 10_000;
const LOST_PAUSES_MIN = 0;
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 5_000;

/** Random pauses between tries, each up to twice as long as the one before, so that machines do not retry in step. */
export interface Backoff {
  /** Waits. Returns `false` at once when the time is up and there were enough tries, or the run was stopped. */
  pause(): Promise<boolean>;
}

export function createBackoff(
  clock: Clock,
  random: Random,
  patience?: Patience,
  direction: 'reads' | 'writes' = 'reads',
): Backoff {
  const reach = patience?.[direction];
  const [totalMs, pausesMin] =
    reach?.isLost === true ? [LOST_PATIENCE_MS, LOST_PAUSES_MIN] : [PATIENCE_MS, PAUSES_MIN];
  const startMs = clock.nowMs();
  let pauseMs = PAUSE_MS_MIN;
  let pauses = 0;
  const isOver = () => patience?.over.aborted === true;
  return {
    pause: async () => {
      if (isOver()) return false;
      const spentMs = clock.nowMs() - startMs;
      if (spentMs >= PATIENCE_MS_MAX || (spentMs >= totalMs && pauses >= pausesMin)) {
        if (reach !== undefined) reach.isLost = true;
        return false;
      }
      patience?.repeated(direction, startMs);
      pauses += 1;
      await clock.sleep(pauseMs * (0.5 + (random.bytes(1)[0] ?? 0) / 512));
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX);
      return !isOver();
    },
  };
}
