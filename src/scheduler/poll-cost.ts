import type { Requests } from './rate-limiter.js';
import type { Survival } from './run-time-estimator.js';

/** The shortest time between two polls of one job, in ms. */
export const POLL_GAP_MS = 2_000;
/** A job that was seen running is polled again after at most this time, in ms. */
const POLL_GAP_MS_MAX = 60_000;
/** The first poll of a job happens at this age at the latest, in ms, however long jobs are reported to run. */
const FIRST_LOOK_MS_MAX = 10 * 60_000;

/**
 * The age for the next poll of a job that was running at `ageMs`: when its expected waiting time since it became ready
 * reaches `thresholdMs`, the time that one poll has to save.
 */
export function nextAgeMs(survival: Survival, ageMs: number, thresholdMs: number): number {
  const alive = survival.at(ageMs);
  if (alive < 1e-9) return ageMs + POLL_GAP_MS_MAX;
  const area = survival.integral(ageMs);
  const idleMs = (untilMs: number): number => untilMs - ageMs - (survival.integral(untilMs) - area) / alive;
  let low = ageMs + POLL_GAP_MS;
  let high =
    ageMs === 0
      ? Math.min(4 * survival.meanMs + POLL_GAP_MS_MAX, FIRST_LOOK_MS_MAX)
      : ageMs + POLL_GAP_MS_MAX;
  if (idleMs(low) >= thresholdMs) return low;
  if (idleMs(high) <= thresholdMs) return high;
  while (high - low > RESOLUTION_MS) {
    const middle = (low + high) / 2;
    if (idleMs(middle) >= thresholdMs) high = middle;
    else low = middle;
  }
  return high;
}

const RESOLUTION_MS = 20;

/** What a poll threshold means for a job over its whole life, as expected: number of polls, and ms from ready to seen. */
export interface PollCost {
  readonly thresholdMs: number;
  readonly polls: number;
  readonly waitMs: number;
}

/** The lowest threshold, and the number of steps to the highest, about 90 s. */
const THRESHOLD_MS_MIN = 66;
const THRESHOLD_RATIO = 2 ** 0.25;
const THRESHOLDS = 43;
/** Where the search for the threshold begins: about 2 s. */
const STEP_FIRST = 20;
/** Sums stop at this many polls, or when this share of the jobs is left. */
const POLLS_MAX = 24;
const SHARE_MIN = 0.005;

/** Poll costs by threshold step. Step 0 is the lowest threshold, with the most polls. */
export type PollCosts = (step: number) => PollCost;

const worked = new WeakMap<Survival, PollCost[]>();

/** Poll costs of each threshold, computed on first use. */
export function pollCostsOf(survival: Survival): PollCosts {
  const pollCosts = worked.get(survival) ?? [];
  worked.set(survival, pollCosts);
  return (step) => {
    pollCosts[step] ??= simulate(survival, THRESHOLD_MS_MIN * THRESHOLD_RATIO ** step);
    return pollCosts[step];
  };
}

function simulate(survival: Survival, thresholdMs: number): PollCost {
  let ageMs = 0;
  let alive = 1;
  let polls = 0;
  let waitMs = 0;
  for (let count = 0; count < POLLS_MAX && alive > SHARE_MIN; count += 1) {
    const nextMs = nextAgeMs(survival, ageMs, thresholdMs);
    polls += alive;
    waitMs += (nextMs - ageMs) * alive - (survival.integral(nextMs) - survival.integral(ageMs));
    ageMs = nextMs;
    alive = survival.at(ageMs);
  }
  return { thresholdMs, polls, waitMs };
}

/** The work left for one model. */
export interface Demand {
  /** Tracks not submitted yet. */
  readonly unsubmitted: number;
  readonly inFlight: number;
  /** Jobs in flight that were never polled. */
  readonly neverPolled: number;
  /** Clean-ups that are due. */
  readonly toCleanUp: number;
  /** Jobs in flight at most. */
  readonly widthMax: number;
  /** Mean run time, in ms. */
  readonly meanMs: number;
  /** How long it takes until these requests are allowed, in ms. */
  spanMs(requests: Requests): number;
  /** Whether submits have their own budget. Then the last job still has to run after the last submit. */
  readonly submitsApart: boolean;
}

/** Time from a job's submit until its place is free again, besides run time and wait, in ms. */
const OVERHEAD_MS = 500;
/** The last jobs end later than the average one, by this share of its run time. */
const LAST_ROUND = 0.2;
/** A single job may need more failed polls than expected, by this share. */
const POLLS_DOUBT = 2;
/** The same where polls have their own budget: once it is used up, nothing is fetched for up to a minute. */
const POLLS_DOUBT_APART = 5;
/** What it is worth, in seconds of the whole run, that each finished track waits one second less. */
const WAIT_WORTH = 0.5;
/** The exponent of the norm in `restMs`: the higher, the more the longer of the two bounds dominates. */
const SHARPNESS = 32;

/** Time from a job's submit to the next submit in its place, in ms. */
export function cycleMs(meanMs: number, pollCost: PollCost): number {
  return meanMs + pollCost.waitMs + OVERHEAD_MS;
}

/**
 * The threshold step with which the rest of the run ends soonest. Moves by at most one step from the step before, which
 * bounds the work: thresholds are chosen far more often than the best one changes.
 */
export function chooseThreshold(demand: Demand, pollCosts: PollCosts, before: number | undefined): number {
  if (before !== undefined) return better(demand, pollCosts, before);
  let step = STEP_FIRST;
  for (let moves = 0; moves < THRESHOLDS; moves += 1) step = better(demand, pollCosts, step);
  return step;
}

function better(demand: Demand, pollCosts: PollCosts, step: number): number {
  const endMs = restMs(demand, pollCosts(step));
  if (step > 0 && restMs(demand, pollCosts(step - 1)) < endMs) return step - 1;
  if (step < THRESHOLDS - 1 && restMs(demand, pollCosts(step + 1)) < endMs) return step + 1;
  return step;
}

/**
 * How long the rest of the run takes, in ms: the longer of what the places in flight and what the request budget allow.
 * Bounds that are close to each other add up to more than the longer one, which the norm models. Between two equal
 * results, the one whose finished tracks wait less is better.
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

/**
 * Assumes more failed polls than expected: few jobs do not average out, and a window used up too early costs a minute.
 */
function doubted({ unsubmitted, inFlight, submitsApart }: Demand, pollCost: PollCost): PollCost {
  const doubtMax = submitsApart ? POLLS_DOUBT_APART : POLLS_DOUBT;
  const doubt = doubtMax / Math.sqrt(Math.max(1, unsubmitted + inFlight));
  return { ...pollCost, polls: 1 + (pollCost.polls - 1) * (1 + doubt) };
}

/** How long all jobs take given the places in flight, in ms. */
export function placesMs({ unsubmitted, inFlight, widthMax, meanMs }: Demand, pollCost: PollCost): number {
  const jobs = unsubmitted + inFlight;
  if (jobs === 0) return 0;
  const rounds = (unsubmitted + inFlight) / Math.max(1, Math.min(widthMax, jobs));
  return cycleMs(meanMs, pollCost) * (rounds + LAST_ROUND);
}

/** Requests still needed. A job that was polled before is assumed to have half of its failed polls behind it. */
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
