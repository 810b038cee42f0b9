import type { Clock } from '../core/ports.js';

/**
 * When each run last wrote to the log, by this machine's clock: the clocks of two machines may differ by hours. Until a
 * run writes again, its own time counts, but never one in the future.
 *
 * @returns a function of a run and the time it gave its last entry
 */
export function createHearing(clock: Clock): (run: string, lastSeen: string) => number {
  const heard = new Map<string, { readonly lastSeen: string; readonly atMs: number }>();
  return (run, lastSeen) => {
    const known = heard.get(run);
    if (known?.lastSeen === lastSeen) return known.atMs;
    const nowMs = clock.nowMs();
    const atMs = known === undefined ? Math.min(nowMs, Date.parse(lastSeen)) : nowMs;
    heard.set(run, { lastSeen, atMs });
    return atMs;
  };
}
