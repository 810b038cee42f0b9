import { type Job, type ModelQueue, type Operation, unsubmitted } from './model-queue.js';
import { demandOf, hasRoom, opensAtMs, type RuledQueue } from './next-action.js';
import { type Demand, type PollCost, placesMs, requestsLeft } from './poll-cost.js';
import type { Estimate } from './scheduler.js';

/** Uncertainty of the estimate as a share: at most (nothing seen yet) and at least (much seen). */
const DOUBT_MAX = 0.5;
const DOUBT_MIN = 0.06;
/** The last jobs are expected to end between these quantiles. */
const SOON = 0.1;
const LATE = 0.98;
/** The quantile shown as a job's expected time. The mean would be dominated by a few very long jobs. */
const MIDDLE = 0.5;
/** How many standard deviations the sum of the remaining times may be off. */
const DOUBT_DEVIATIONS = 1.3;
/** The 5th and 95th percentiles are this many standard deviations apart. */
const DEVIATIONS_5_TO_95 = 3.3;
/** A job that has outlived nearly all others is assumed to end before this multiple of its age. */
const STRAGGLER = 3;
/** A job this much later than the latest expected end is overdue, in ms. Polls take a few seconds. */
const OVERDUE_MS = 10_000;
/** There may be more requests than expected, by this share. */
const DOUBT_REQUESTS = 0.05;
/** Shorter pauses are not shown, in ms. */
const PAUSE_SHOWN_MS_MIN = 2_000;

/**
 * The remaining time, from the same estimates that schedule the polls. Models run in parallel, so the slowest one
 * counts.
 */
export function estimateRemaining(
  queues: readonly RuledQueue[],
  jobs: ReadonlyMap<string, Job>,
  nowMs: number,
): Estimate {
  const ranges = queues.map((ruled) => rangeOf(ruled, nowMs));
  const known = queues.every(
    ({ queue }) => queue.pooled.known() || unsubmitted(queue) + queue.inFlight === 0,
  );
  const stuck = queues.some(({ queue }) => isStuck(queue, nowMs));
  const high = stuck ? Number.POSITIVE_INFINITY : Math.max(0, ...ranges.map((range) => range.high));
  const pausedUntilMs = pauseOf(queues, nowMs);
  return {
    expectedRunMs: (id) => expectedRunMs(jobs.get(id)),
    ...(known && Number.isFinite(high)
      ? { remainingMs: { low: Math.max(0, ...ranges.map((range) => range.low)), high } }
      : {}),
    ...(pausedUntilMs === undefined ? {} : { pausedUntilMs }),
  };
}

interface Range {
  readonly low: number;
  readonly high: number;
}

function rangeOf({ queue, rules }: RuledQueue, nowMs: number): Range {
  const demand = demandOf(queue, rules, nowMs);
  // With a tight budget the poll threshold makes jobs wait longer than they need to, but the run is not waiting for their
  // places.
  const pollCost = { ...queue.pollCost, waitMs: Math.min(queue.pollCost.waitMs, demand.meanMs / 2) };
  // The poll in flight may already find its job done.
  const least = requestsLeft(demand, { ...pollCost, polls: 1 });
  const requestsMin = {
    ...least,
    retrieve: Math.max(0, least.retrieve - (queue.inFlight - queue.toPoll.size)),
  };
  const likely = requestsLeft(demand, pollCost);
  const requestsMax = { ...likely, retrieve: likely.retrieve * (1 + DOUBT_REQUESTS) };
  const lastRun = lastRuns(queue, demand, pollCost);
  const last = lastJobs(queue, pollCost, nowMs);
  const places = demand.unsubmitted === 0 ? last : placesRange(queue, demand, placesMs(demand, pollCost));
  return {
    low: Math.max(places.low, queue.limits.spanMsMin(requestsMin, nowMs) + lastRun.low),
    high: Math.max(places.high, last.high, demand.spanMs(requestsMax) + lastRun.high),
  };
}

/** Whether only clean-ups are left that have failed, and wait to be tried again. */
function isStuck(queue: ModelQueue, nowMs: number): boolean {
  const { toCleanUp, inFlight } = queue;
  return (
    inFlight + unsubmitted(queue) === 0 && toCleanUp.size > 0 && toCleanUp.peekKey() > nowMs + OVERDUE_MS
  );
}

/** How long the jobs of the last submits still run, where submits have their own budget. */
function lastRuns(queue: ModelQueue, { unsubmitted, submitsApart }: Demand, pollCost: PollCost): Range {
  if (!submitsApart || unsubmitted === 0) return { low: 0, high: 0 };
  const { quantileMs } = queue.pooled.survival();
  return { low: quantileMs(SOON), high: quantileMs(LATE) + pollCost.waitMs };
}

function placesRange(queue: ModelQueue, { unsubmitted, inFlight }: Demand, middleMs: number): Range {
  const { meanMs, quantileMs } = queue.pooled.survival();
  const deviation = (quantileMs(0.95) - quantileMs(0.05)) / DEVIATIONS_5_TO_95 / meanMs;
  const unseen = (DOUBT_MAX - DOUBT_MIN) / Math.sqrt(1 + queue.pooled.count());
  const uneven = (DOUBT_DEVIATIONS * deviation) / Math.sqrt(unsubmitted + inFlight);
  const doubt = Math.min(1, DOUBT_MIN + unseen + uneven);
  return { low: middleMs * (1 - doubt), high: middleMs * (1 + doubt) + quantileMs(LATE) - meanMs };
}

/**
 * When the last jobs in flight are expected to be stored, in ms from now. `high` is infinite if one of them should have
 * ended before: no one knows when it will.
 */
function lastJobs(queue: ModelQueue, pollCost: PollCost, nowMs: number): Range {
  let low = 0;
  let high = 0;
  for (const job of [...queue.toPoll.items(), ...queue.pollsInFlight]) {
    low = Math.max(low, job.queuedAtMs + quantileFromMs(job, SOON) - nowMs);
    const latest = job.queuedAtMs + quantileFromMs(job, LATE) + pollCost.waitMs - nowMs;
    high = latest < -OVERDUE_MS ? Number.POSITIVE_INFINITY : Math.max(high, latest);
  }
  return { low, high };
}

/**
 * The age by which the given share of the remaining jobs has ended, among jobs that ran at least as long as this one.
 */
function quantileFromMs({ durationClass, seenRunningMs }: Job, share: number): number {
  const survival = durationClass.runTimes.survival();
  const ageMs = survival.quantileMs(1 - survival.at(seenRunningMs) * (1 - share));
  const ageMsMax = Math.max(survival.quantileMs(share), STRAGGLER * seenRunningMs);
  return Math.max(seenRunningMs, Math.min(ageMs, ageMsMax));
}

export function hasWork(queue: ModelQueue): boolean {
  return queue.toSubmit.size + queue.toResubmit.size + queue.inFlight + queue.toCleanUp.size > 0;
}

/** Operations that are due now, ignoring the limits. */
function operationsDue({ queue, rules }: RuledQueue, nowMs: number): readonly Operation[] {
  const { toPoll, toSubmit, toResubmit, toCleanUp, inFlight } = queue;
  const submits =
    rules.submits && (toSubmit.size > 0 || toResubmit.peekKey() <= nowMs) && hasRoom(queue, rules);
  return [
    ...(toPoll.peekKey() <= nowMs ? (['poll'] as const) : []),
    ...(submits ? (['submit'] as const) : []),
    ...(toCleanUp.peekKey() <= nowMs && inFlight + unsubmitted(queue) === 0 ? (['complete'] as const) : []),
  ];
}

/** When the limits allow a due operation again, if they block all of them now. */
function pauseOf(queues: readonly RuledQueue[], nowMs: number): number | undefined {
  const opensMs = queues.flatMap((ruled) =>
    operationsDue(ruled, nowMs).map((operation) => opensAtMs(ruled.queue, operation, nowMs)),
  );
  const untilMs = Math.min(...opensMs);
  return Number.isFinite(untilMs) && untilMs >= nowMs + PAUSE_SHOWN_MS_MIN ? untilMs : undefined;
}

function expectedRunMs(job: Job | undefined): number | undefined {
  return job?.durationClass.runTimes.known() === true ? quantileFromMs(job, MIDDLE) : undefined;
}
