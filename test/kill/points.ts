import type { Rng } from '../sim/random.js';
import type { Way } from './way.js';

/** How long an undisturbed run takes, and how many events it has. */
export interface RunSize {
  readonly ms: number;
  readonly events: number;
}

/** Approximate, of a run without a shared log. */
const USUAL: RunSize = { ms: 4_500, events: 40 };
const DELAY_MS_MAX = 30;

/** Moments at system calls: all of the rare calls if there is room, the others spread evenly over the run. */
export function callWays(counts: ReadonlyMap<string, number>, number: number): readonly Way[] {
  const ways: Way[] = [];
  // The rarest first: what they leave of their share goes to the others.
  const names = [...counts].sort(([, a], [, b]) => a - b);
  for (const [index, [name, count]] of names.entries()) {
    const share = Math.round((number - ways.length) / (names.length - index));
    for (const nth of spread(count, Math.min(count, share))) ways.push({ kind: 'call', name, nth: nth + 1 });
  }
  return ways;
}

/** Random moments: half of them around an event, half at any time of a run. */
export function randomWay(rng: Rng, { ms, events } = USUAL): Way {
  if (rng.chance(0.5)) return { kind: 'time', afterMs: rng.between(150, ms) };
  return { kind: 'event', nth: rng.between(1, events), delayMs: rng.below(DELAY_MS_MAX) };
}

/** So many of the numbers from 0 to `count` - 1, evenly spread. */
function spread(count: number, number: number): readonly number[] {
  return Array.from({ length: number }, (_, index) => Math.floor((index * count) / number));
}
