import type { Requests } from './rate-limiter.js';
import type { Survival } from './run-time-estimator.js';

/** Polls of one job come no closer than this, ms from one being sent to the next. */
export const POLL_GAP_MS = 2_000;
/** A job that was seen running is polled again after at most this, ms. */
export const POLL_GAP_MS_MAX = 60_000;
/** However long jobs are said to run, one that was not asked for yet is asked for at this age at the latest, ms. */
const FIRST_LOOK_MS_MAX = 10 * 60_000;

/**
 * The age at which a job that was running at `ageMs` is to be polled next: when the time for which it may
 * by then be expected to have lain ready reaches `priceMs`, what one poll has to save.
 */
export function nextAgeMs(survival: Survival, ageMs: number, priceMs: number): number {
  const alive = survival.at(ageMs);
  if (alive < 1e-9) return ageMs + POLL_GAP_MS_MAX;
  const area = survival.integral(ageMs);
  const idleMs = (untilMs: number): number => untilMs - ageMs - (survival.integral(untilMs) - area) / alive;
  let low = ageMs + POLL_GAP_MS;
  let high =
    ageMs === 0
      ? Math.min(4 * survival.meanMs + POLL_GAP_MS_MAX, FIRST_LOOK_MS_MAX)
      : ageMs + POLL_GAP_MS_MAX;
  if (idleMs(low) >= priceMs) return low;
  if (idleMs(high) <= priceMs) return high;
  while (high - low > RESOLUTION_MS) {
    const middle = (low + high) / 2;
    if (idleMs(middle) >= priceMs) high = middle;
    else low = middle;
  }
  return high;
}

const RESOLUTION_MS = 20;

/** What a price comes to for a job from its start, as expected: polls, and ms from ready to seen. */
export interface PollCost {
  readonly priceMs: number;
  readonly polls: number;
  readonly waitMs: number;
}

/** The lowest price, and the steps from there to the highest, about 90 s. */
const PRICE_MS_MIN = 66;
const PRICE_STEP = 2 ** 0.25;
const PRICES = 43;
/** Where the search begins: about 2 s. */
const STEP_FIRST = 20;
/** Polls of one job, and the share of jobs left, beyond which nothing is added up any more. */
const POLLS_MAX = 24;
const SHARE_MIN = 0.005;

/** Poll costs by step of the price, from 0: the lowest price, with the most polls. */
export type PollCosts = (step: number) => PollCost;

const worked = new WeakMap<Survival, PollCost[]>();

/** What each price comes to; computed on first use. */
export function pollCostsOf(survival: Survival): PollCosts {
  const pollCosts = worked.get(survival) ?? [];
  worked.set(survival, pollCosts);
  return (step) => {
    pollCosts[step] ??= simulate(survival, PRICE_MS_MIN * PRICE_STEP ** step);
    return pollCosts[step];
  };
}

function simulate(survival: Survival, priceMs: number): PollCost {
  let ageMs = 0;
  let alive = 1;
  let polls = 0;
  let waitMs = 0;
  for (let count = 0; count < POLLS_MAX && alive > SHARE_MIN; count += 1) {
    const nextMs = nextAgeMs(survival, ageMs, priceMs);
    polls += alive;
    waitMs += (nextMs - ageMs) * alive - (survival.integral(nextMs) - survival.integral(ageMs));
    ageMs = nextMs;
    alive = survival.at(ageMs);
  }
  return { priceMs, polls, waitMs };
}

/** What is left to do for one model. */
export interface Demand {
  /** Tracks not submitted. */
  readonly unsubmitted: number;
  readonly inFlight: number;
  /** Of these, jobs that were never polled. */
  readonly neverPolled: number;
  /** Clean-ups that are due. */
  readonly toCleanUp: number;
  /** Jobs in flight at most. */
  readonly widthMax: number;
  /** Of the run times, ms. */
  readonly meanMs: number;
  /** How long it takes until these requests are allowed, ms. */
  spanMs(requests: Requests): number;
  /** Whether submits have a budget that nothing else draws on: the last job then still has to run after the last submit. */
  readonly submitsApart: boolean;
}

/** From a job's submit to its place being free again, besides run and wait, ms. */
const OVERHEAD_MS = 500;
/** The last jobs end later than the average one, by this share of its time. */
const LAST_ROUND = 0.2;
/** By how much the polls in vain of one job alone may be more than expected, as a share. */
const POLLS_DOUBT = 2;
/** The same where polls have a budget of their own: once it is used up, nothing is fetched for up to a minute. */
const POLLS_DOUBT_APART = 5;
/** What a second that every finished track lies there is worth, in seconds of the whole run. */
const WAIT_WORTH = 0.5;
/** How sharply the longer of two bounds rules. */
const SHARPNESS = 32;

/** From a job's submit to the next one in its place, ms. */
export function cycleMs(meanMs: number, pollCost: PollCost): number {
  return meanMs + pollCost.waitMs + OVERHEAD_MS;
}

/**
 * The step of the price with which the rest of the run ends soonest. From a step chosen before it goes one
 * step at most: that bounds the work, and prices are chosen far more often than the best one moves.
 */
export function choosePrice(demand: Demand, pollCosts: PollCosts, before: number | undefined): number {
  if (before !== undefined) return better(demand, pollCosts, before);
  let step = STEP_FIRST;
  for (let moves = 0; moves < PRICES; moves += 1) step = better(demand, pollCosts, step);
  return step;
}

function better(demand: Demand, pollCosts: PollCosts, step: number): number {
  const endMs = restMs(demand, pollCosts(step));
  if (step > 0 && restMs(demand, pollCosts(step - 1)) < endMs) return step - 1;
  if (step < PRICES - 1 && restMs(demand, pollCosts(step + 1)) < endMs) return step + 1;
  return step;
}

/**
 * How long the rest of the run takes, ms: the longer of what the places in flight and what the request budget
 * allow. Near to each other they hold each other up, which the norm stands for. Of two that end alike, the one in
 * which finished tracks lie there for less time is the better.
 */
export function restMs(demand: Demand, pollCost: PollCost): number {
  const places = placesMs(demand, pollCost);
  const needed = requestsLeft(demand, doubted(demand, pollCost));
  const runMs = demand.submitsApart && demand.unsubmitted > 0 ? cycleMs(demand.meanMs, pollCost) : 0;
  const budget = Math.max(demand.spanMs(needed), demand.spanMs({ queue: demand.unsubmitted }) + runMs);
  const longMs = Math.max(places, budget);
  const shortMs = Math.min(places, budget);
  const endMs = longMs === 0 ? 0 : longMs * (1 + (shortMs / longMs) ** SHARPNESS) ** (1 / SHARPNESS);
  return endMs + WAIT_WORTH * pollCost.waitMs;
}

/** With more polls in vain than expected: few jobs do not even out, and a window that is used up too early costs a minute. */
function doubted({ unsubmitted, inFlight, submitsApart }: Demand, pollCost: PollCost): PollCost {
  const doubtMax = submitsApart ? POLLS_DOUBT_APART : POLLS_DOUBT;
  const doubt = doubtMax / Math.sqrt(Math.max(1, unsubmitted + inFlight));
  return { ...pollCost, polls: 1 + (pollCost.polls - 1) * (1 + doubt) };
}

/** How long the places in flight need for all jobs, ms. */
export function placesMs({ unsubmitted, inFlight, widthMax, meanMs }: Demand, pollCost: PollCost): number {
  const jobs = unsubmitted + inFlight;
  if (jobs === 0) return 0;
  const rounds = (unsubmitted + inFlight) / Math.max(1, Math.min(widthMax, jobs));
  return cycleMs(meanMs, pollCost) * (rounds + LAST_ROUND);
}

/** Requests that are still needed. A job that was polled before has half of its failed polls behind it. */
export function requestsLeft(
  {
    unsubmitted,
    inFlight,
    neverPolled,
    toCleanUp,
  }: Pick<Demand, 'unsubmitted' | 'inFlight' | 'neverPolled' | 'toCleanUp'>,
  { polls }: PollCost,
): Readonly<Record<'queue' | 'retrieve' | 'complete', number>> {
  return {
    queue: unsubmitted,
    retrieve: (unsubmitted + neverPolled) * polls + ((inFlight - neverPolled) * (1 + polls)) / 2,
    complete: unsubmitted + inFlight + toCleanUp,
  };
}
