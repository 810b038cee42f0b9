import { type Doing, type Job, type Lane, unsubmitted } from './model-queue.js';
import { demandOf, hasRoom, opensAtMs, type Ruled } from './next-action.js';
import { type Demand, placesMs, requestsLeft, type Toll } from './poll-cost.js';
import type { Estimate } from './scheduler.js';

/** How far off the end may be as a share, with nothing and with very much seen. */
const DOUBT_MAX = 0.5;
const DOUBT_MIN = 0.06;
/** The last jobs are taken to end between these quantiles. */
const SOON = 0.1;
const LATE = 0.98;
/** As long as this share runs is what is told of a job: the mean would lean on the few that run for ever. */
const MIDDLE = 0.5;
/** How many standard deviations the sum of what is left may be off. */
const DOUBT_DEVIATIONS = 1.3;
/** Between the 5th and the 95th percentile, in standard deviations. */
const DEVIATIONS_5_TO_95 = 3.3;
/** A job that runs longer than nearly all is taken to end before this multiple of its age. */
const STRAGGLER = 3;
/** Requests may turn out to be more by this share. */
const DOUBT_REQUESTS = 0.05;
/** A pause shorter than this is not worth telling, ms. */
const PAUSE_TOLD_MS_MIN = 2_000;

/** What is left, from the same knowledge that places the polls. Lanes run side by side: the longest counts. */
export function forecast(lanes: readonly Ruled[], jobs: ReadonlyMap<string, Job>, nowMs: number): Estimate {
  const ranges = lanes.map((ruled) => rangeOf(ruled, nowMs));
  const known = lanes.every(({ lane }) => lane.pooled.known() || unsubmitted(lane) + lane.inFlight === 0);
  const pausedUntilMs = pauseOf(lanes, nowMs);
  return {
    expectedRunMs: (id) => expectedRunMs(jobs.get(id)),
    ...(known
      ? {
          remainingMs: {
            low: Math.max(0, ...ranges.map(({ low }) => low)),
            high: Math.max(0, ...ranges.map(({ high }) => high)),
          },
        }
      : {}),
    ...(pausedUntilMs === undefined ? {} : { pausedUntilMs }),
  };
}

interface Range {
  readonly low: number;
  readonly high: number;
}

function rangeOf({ lane, rules }: Ruled, nowMs: number): Range {
  const demand = demandOf(lane, rules, nowMs);
  // Where the budget is short, the price makes jobs wait that need not: the places are not what the run waits for.
  const toll = { ...lane.toll, waitMs: Math.min(lane.toll.waitMs, demand.meanMs / 2) };
  // What is under way may be the poll that finds its job done.
  const least = requestsLeft(demand, { ...toll, polls: 1 });
  const requestsMin = {
    ...least,
    retrieve: Math.max(0, least.retrieve - (lane.inFlight - lane.flight.size)),
  };
  const likely = requestsLeft(demand, toll);
  const requestsMax = { ...likely, retrieve: likely.retrieve * (1 + DOUBT_REQUESTS) };
  const lastRun = lastRuns(lane, demand, toll);
  const last = lastJobs(lane, toll, nowMs);
  const places = demand.unsubmitted === 0 ? last : placesRange(lane, demand, placesMs(demand, toll));
  return {
    low: Math.max(places.low, lane.limits.spanMsMin(requestsMin, nowMs) + lastRun.low),
    high: Math.max(places.high, last.high, demand.spanMs(requestsMax) + lastRun.high),
  };
}

/** What the jobs of the last submits still run, where submits have a budget of their own. */
function lastRuns(lane: Lane, { unsubmitted, submitsApart }: Demand, toll: Toll): Range {
  if (!submitsApart || unsubmitted === 0) return { low: 0, high: 0 };
  const { quantileMs } = lane.pooled.survival();
  return { low: quantileMs(SOON), high: quantileMs(LATE) + toll.waitMs };
}

function placesRange(lane: Lane, { unsubmitted, inFlight }: Demand, middleMs: number): Range {
  const { meanMs, quantileMs } = lane.pooled.survival();
  const deviation = (quantileMs(0.95) - quantileMs(0.05)) / DEVIATIONS_5_TO_95 / meanMs;
  const unseen = (DOUBT_MAX - DOUBT_MIN) / Math.sqrt(1 + lane.pooled.count());
  const uneven = (DOUBT_DEVIATIONS * deviation) / Math.sqrt(unsubmitted + inFlight);
  const doubt = Math.min(1, DOUBT_MIN + unseen + uneven);
  return { low: middleMs * (1 - doubt), high: middleMs * (1 + doubt) + quantileMs(LATE) - meanMs };
}

/** When the last of the jobs in flight may be stored, ms from now. */
function lastJobs(lane: Lane, toll: Toll, nowMs: number): Range {
  let low = 0;
  let high = 0;
  for (const job of [...lane.flight.items(), ...lane.polled]) {
    low = Math.max(low, job.bornMs + quantileFromMs(job, SOON) - nowMs);
    high = Math.max(high, job.bornMs + quantileFromMs(job, LATE) + toll.waitMs - nowMs);
  }
  return { low, high };
}

/** The age that the given share does not reach of those jobs that run as long as this one has been seen to. */
function quantileFromMs({ kind, ranMs }: Job, share: number): number {
  const survival = kind.times.survival();
  const ageMs = survival.quantileMs(1 - survival.at(ranMs) * (1 - share));
  const ageMsMax = Math.max(survival.quantileMs(share), STRAGGLER * ranMs);
  return Math.max(ranMs, Math.min(ageMs, ageMsMax));
}

export function hasWork(lane: Lane): boolean {
  return lane.wanted.size + lane.held.size + lane.inFlight + lane.owed.size > 0;
}

/** What there is to ask for now, the limit apart. */
function dueNow({ lane, rules }: Ruled, nowMs: number): readonly Doing[] {
  const { flight, wanted, held, owed, inFlight } = lane;
  const submits = rules.submits && (wanted.size > 0 || held.peekKey() <= nowMs) && hasRoom(lane, rules);
  return [
    ...(flight.peekKey() <= nowMs ? (['poll'] as const) : []),
    ...(submits ? (['submit'] as const) : []),
    ...(owed.peekKey() <= nowMs && inFlight + unsubmitted(lane) === 0 ? (['complete'] as const) : []),
  ];
}

/** Until when the limits keep all lanes from what they would ask for. */
function pauseOf(lanes: readonly Ruled[], nowMs: number): number | undefined {
  const times = lanes.flatMap((ruled) =>
    dueNow(ruled, nowMs).map((doing) => opensAtMs(ruled.lane, doing, nowMs)),
  );
  const untilMs = Math.min(...times);
  return Number.isFinite(untilMs) && untilMs >= nowMs + PAUSE_TOLD_MS_MIN ? untilMs : undefined;
}

function expectedRunMs(job: Job | undefined): number | undefined {
  return job?.kind.times.known() === true ? quantileFromMs(job, MIDDLE) : undefined;
}
