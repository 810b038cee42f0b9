import type { Clock } from '../core/ports.js';

/** Lets the run sleep until its time has come, or something happened. */
export interface WakeUp {
  wake(): void;
  /** Until something happened, or `untilMs` has come; now and then earlier. */
  orUntil(untilMs: number): Promise<void>;
  /** No alarm goes off any more. */
  close(): void;
}

/** An alarm that was set for an earlier time than is now wanted stays set: waking for nothing costs less than a new one. */
export function createWakeUp(clock: Clock): WakeUp {
  let pending = false;
  let resolve = () => {};
  let alarm: { readonly atMs: number; readonly off: AbortController } | undefined;

  const wake = () => {
    pending = true;
    resolve();
  };
  const unset = () => {
    // A reason of our own: the default is an error with its stack, made anew each time.
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
