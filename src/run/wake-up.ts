import type { Clock } from '../core/ports.js';

/** Lets the run sleep until a given time, or until something happens. */
export interface WakeUp {
  wake(): void;
  /** Resolves when something happened or at `untilMs`, sometimes earlier. */
  orUntil(untilMs: number): Promise<void>;
  /** Cancels the alarm. */
  close(): void;
}

/** An alarm set for an earlier time than needed stays set: waking for nothing costs less than setting a new one. */
export function createWakeUp(clock: Clock): WakeUp {
  let pending = false;
  let resolve = () => {};
  let alarm: { readonly atMs: number; readonly off: AbortController } | undefined;

  const wake = () => {
    pending = true;
    resolve();
  };
  const unset = () => {
    // A constant reason: the default is an error with its stack, created each time.
    alarm?.off.abort('unset');
    alarm = undefined;
  };
  const set = (atMs: number) => {
    unset();
    const mine = { atMs, off: new AbortController() };
    alarm = mine;
    void clock.sleep(Math.max(1, atMs - clock.nowMs()), mine.off.signal).then(() => {
      if (alarm !== mine) return;
      alarm = undefined;
      wake();
    });
  };
  return {
    wake,
    async orUntil(untilMs) {
      if (!pending) {
        if (untilMs < (alarm?.atMs ?? Number.POSITIVE_INFINITY)) set(untilMs);
        await new Promise<void>((done) => {
          resolve = done;
        });
      }
      pending = false;
    },
    close: unset,
  };
}
