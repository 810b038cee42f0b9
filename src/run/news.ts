import type { Clock } from '../ports.js';

/** Lets the run sleep until its time has come, or something happened. */
export interface News {
  wake(): void;
  /** Until something happened, or the time has come. */
  orUntil(delayMs: number, clock: Clock): Promise<void>;
}

export function createNews(): News {
  let pending = false;
  let resolve: (() => void) | undefined;
  return {
    wake() {
      pending = true;
      resolve?.();
    },
    async orUntil(delayMs, clock) {
      if (!pending) {
        const over = new AbortController();
        const woken = new Promise<void>((done) => {
          resolve = done;
        });
        const waits = [woken];
        if (delayMs !== Number.POSITIVE_INFINITY) waits.push(clock.sleep(Math.max(1, delayMs), over.signal));
        await Promise.race(waits);
        // A reason of our own: the default is an error with its stack, made anew each time.
        over.abort('over');
        resolve = undefined;
      }
      pending = false;
    },
  };
}
