import type { Clock } from '../../src/core/ports.js';

/** Time passes only when the test says so; whoever sleeps until then wakes in order. */
export function createHandClock() {
  let nowMs = 1_000_000;
  let sleepers: { readonly atMs: number; wake(): void }[] = [];
  const clock: Clock = {
    nowMs: () => nowMs,
    sleep: (delayMs, signal) =>
      new Promise((resolve) => {
        const wake = () => {
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        if (signal?.aborted === true) wake();
        sleepers.push({ atMs: nowMs + delayMs, wake });
        signal?.addEventListener('abort', wake);
      }),
  };
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  async function pass(ms: number): Promise<void> {
    await settle();
    const untilMs = nowMs + ms;
    for (;;) {
      const due = sleepers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      sleepers = sleepers.filter((one) => one !== due);
      nowMs = Math.max(nowMs, due.atMs);
      due.wake();
      await settle();
    }
    nowMs = untilMs;
    await settle();
  }
  return { clock, pass };
}
