import type { Survival } from './learn.js';

/** Polls of one job come no closer than this, ms from one being sent to the next. */
export const POLL_GAP_MS = 2_000;
/** However unlikely an end is, a job is asked again after at most this, ms. */
export const POLL_GAP_MS_MAX = 60_000;

/**
 * The age at which a job that was running at `ageMs` is to be asked next: as soon as the time that it may
 * be expected to have lain ready by then reaches `priceMs`, what one poll has to save.
 */
export function nextAgeMs(survival: Survival, ageMs: number, priceMs: number): number {
  const alive = survival.at(ageMs);
  const earliest = ageMs + POLL_GAP_MS;
  const latest = ageMs + POLL_GAP_MS_MAX;
  if (alive <= 1e-9) return latest;
  const from = survival.integral(ageMs);
  const idle = (untilMs: number): number => untilMs - ageMs - (survival.integral(untilMs) - from) / alive;
  if (idle(earliest) >= priceMs) return earliest;
  let low = earliest;
  let high = Math.max(latest, 4 * survival.meanMs);
  if (ageMs > 0 && idle(latest) <= priceMs) return latest;
  for (let step = 0; step < 24 && high - low > 10; step += 1) {
    const middle = (low + high) / 2;
    if (idle(middle) >= priceMs) high = middle;
    else low = middle;
  }
  return high;
}

/** What a price means for a job from its start: polls, and ms from ready to seen, as expected. */
export interface Toll {
  readonly priceMs: number;
  readonly polls: number;
  readonly waitMs: number;
}

const PRICE_MS_MIN = 50;
const PRICE_STEP = Math.SQRT2;
const PRICES = 22;

/** From the lowest price (most polls) to the highest. */
export function tolls(survival: Survival): readonly Toll[] {
  return Array.from({ length: PRICES }, (_, step) => walk(survival, PRICE_MS_MIN * PRICE_STEP ** step));
}

function walk(survival: Survival, priceMs: number): Toll {
  let ageMs = 0;
  let alive = 1;
  let polls = 0;
  let waitMs = 0;
  for (let count = 0; count < 100 && alive > 1e-3; count += 1) {
    const nextMs = nextAgeMs(survival, ageMs, priceMs);
    polls += alive;
    waitMs += (nextMs - ageMs) * alive - (survival.integral(nextMs) - survival.integral(ageMs));
    ageMs = nextMs;
    alive = survival.at(ageMs);
  }
  return { priceMs, polls, waitMs };
}

/** What is left to do for one model, and what it may spend. */
export interface Demand {
  /** Tracks not submitted. */
  readonly wanted: number;
  /** Jobs in flight. */
  readonly inFlight: number;
  /** Clean-ups owed. */
  readonly owed: number;
  /** Jobs in flight at most. */
  readonly width: number;
  readonly meanMs: number;
  readonly tolls: readonly Toll[];
  /** How long it takes until that many requests are allowed, ms. */
  spanMs(requests: number): number;
}

/** From the submit to the slot being free again, besides the run itself and the wait, ms. */
const OVERHEAD_MS = 500;

/** The price with which the rest of the run may be expected to end soonest. */
export function choosePrice(demand: Demand): Toll {
  let best = demand.tolls[0]!;
  let bestMs = Number.POSITIVE_INFINITY;
  for (const toll of demand.tolls) {
    const endMs = restMs(demand, toll);
    if (endMs < bestMs) {
      bestMs = endMs;
      best = toll;
    }
  }
  return best;
}

/** How sharply the longer of the two bounds rules. */
const NORM = 16;

function restMs(demand: Demand, toll: Toll): number {
  const { wanted, inFlight, owed, width, meanMs } = demand;
  const cycleMs = meanMs + toll.waitMs + OVERHEAD_MS;
  const slotsMs = ((wanted + inFlight / 2) * cycleMs) / Math.max(1, Math.min(width, wanted + inFlight));
  const requests = wanted * (2 + toll.polls) + inFlight * (1 + (1 + toll.polls) / 2) + owed;
  const rateMs = demand.spanMs(requests);
  const longMs = Math.max(1, slotsMs, rateMs);
  return longMs * (1 + (Math.min(slotsMs, rateMs) / longMs) ** NORM) ** (1 / NORM);
}
