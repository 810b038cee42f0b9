import type { DurationClass, Job, ModelQueue, Operation } from './model-queue.js';
import { ROUTE_OF, unsubmitted } from './model-queue.js';
import {
  chooseThreshold,
  cycleMs,
  type Demand,
  nextAgeMs,
  POLL_GAP_MS,
  type PollCosts,
  pollCostsOf,
  requestsLeft,
} from './poll-cost.js';
import type { Requests } from './rate-limiter.js';

/** What one model may do right now, given the state of the whole run. */
export interface Rules {
  /** Which operations one more request may be for. */
  readonly may: Readonly<Record<Operation, boolean>>;
  /** Whether anything is still to be submitted. */
  readonly submits: boolean;
  /** This model's share of `--concurrency`, if that is set. */
  readonly share: number | undefined;
  /** Whether `--concurrency` leaves room for one more job in flight. */
  readonly hasPlace: boolean;
  /** Requests that the other models are expected to need from budgets they share with this one. */
  others(): Requests;
}

export interface RuledQueue {
  readonly queue: ModelQueue;
  readonly rules: Rules;
}

/** An action that is worth a request now. The lowest rank goes first. */
export interface Choice {
  readonly rank: number;
  readonly operation: Operation;
  readonly job: Job;
}

/** While no run time is known, one job is polled at this age. */
const PROBE_AGE_MS = 3_000;
/** Up to this many clean-ups are postponed, so that spare requests always have a use. */
const CLEAN_UPS_MAX = 30;
/**
 * Jobs in flight at most without `--concurrency`: where all requests share one budget, and where submits have their
 * own.
 */
const WIDTH_MAX = 64;
const WIDTH_MAX_APART = 1_000;
/** Headroom for uneven run times when the number of jobs in flight is limited by what the budget can collect. */
const WIDTH_RESERVE = 1.15;
/** The 95th percentile of run times while nothing is known, in ms. */
const LONG_RUN_UNKNOWN_MS = 150_000;
/** A track takes at least this many requests. */
const REQUESTS_PER_TRACK = 3;
/** Before a clean-up, this multiple of the requests that polls and submits are expected to need is held back. */
const KEPT_SHARE = 1.5;
/** Budget that expires within this time is spent on anything useful, in ms. */
const LAST_MOMENTS_MS = 2_500;
/** Where a poll costs nothing, a job is polled once it is done with at least this probability. */
const EARLY_CHANCE_MIN = 0.3;
/** How often to look for useful requests while the budget is about to expire, in ms. */
const LOOK_MS = 250;
/** How long to keep looking after the end of a window, in ms. Later there is nothing left to expire. */
const LOOKS_FOR_MS = 2 * LAST_MOMENTS_MS;
/** The shortest wait, ms. */
const WAKE_MS_MIN = 1;
/** Jobs in flight are sorted again after one action for every this many of them. */
const JOBS_PER_SORT = 8;
/** Until this many completions were seen, jobs are sorted after every action: the first completions teach the most. */
const COMPLETIONS_EACH_SORTED = 8;

const NEVER = Number.POSITIVE_INFINITY;

/** The most valuable action that the model's budget allows now. */
export function choose(queue: ModelQueue, rules: Rules, nowMs: number): Choice | undefined {
  while (queue.toResubmit.peekKey() <= nowMs)
    queue.toSubmit.set(queue.toResubmit.pop()!, Number.NEGATIVE_INFINITY);
  const may = (operation: Operation): boolean =>
    rules.may[operation] && opensAtMs(queue, operation, nowMs) <= nowMs;
  const [mayPoll, maySubmit, mayComplete] = [may('poll'), may('submit'), may('complete')];
  if (!mayPoll && !maySubmit && !mayComplete) return undefined;
  sortByThreshold(queue, rules, nowMs);
  const toCleanUp = mayComplete && queue.toCleanUp.peekKey() <= nowMs ? queue.toCleanUp.peek() : undefined;
  const next = mayPoll ? queue.toPoll.peek() : undefined;
  const submit = maySubmit && !isReservedForProbe(queue, nowMs) ? queue.toSubmit.peek() : undefined;
  if (toCleanUp !== undefined && queue.toCleanUp.size > CLEAN_UPS_MAX)
    return { rank: 0, operation: 'complete', job: toCleanUp };
  if (next !== undefined && queue.toPoll.peekKey() <= nowMs) return { rank: 1, operation: 'poll', job: next };
  if (submit !== undefined && hasRoom(queue, rules)) return { rank: 2, operation: 'submit', job: submit };
  if (toCleanUp !== undefined && spareAtMs(queue, rules, nowMs) <= nowMs)
    return { rank: 3, operation: 'complete', job: toCleanUp };
  if (lastMomentsMs(queue, nowMs) > nowMs) return undefined;
  if (submit !== undefined && mayRunAhead(queue, rules)) return { rank: 4, operation: 'submit', job: submit };
  if (next !== undefined && isWorthEarly(next, nowMs)) return { rank: 5, operation: 'poll', job: next };
  return undefined;
}

/** When the model may have an action again, if it has none now and no event comes first. `Infinity`: never. */
export function wakesAtMs(queue: ModelQueue, rules: Rules, nowMs: number): number {
  const { toPoll, toCleanUp, toResubmit, toSubmit } = queue;
  const { may } = rules;
  let wakeMs = NEVER;
  const at = (operation: Operation, dueMs: number): void => {
    if (dueMs < NEVER) wakeMs = Math.min(wakeMs, Math.max(dueMs, opensAtMs(queue, operation, nowMs)));
  };
  if (may.poll && toPoll.size > 0) at('poll', Math.min(toPoll.peekKey(), nextLookMs(queue, nowMs)));
  if (may.complete && toCleanUp.size > 0) {
    const spareMs = toCleanUp.size > CLEAN_UPS_MAX ? nowMs : spareAtMs(queue, rules, nowMs);
    at('complete', Math.max(toCleanUp.peekKey(), spareMs));
  }
  if (may.submit && !isReservedForProbe(queue, nowMs)) {
    at('submit', toResubmit.peekKey());
    if (toSubmit.size > 0 && hasRoom(queue, rules)) at('submit', nowMs);
    else if (toSubmit.size > 0 && mayRunAhead(queue, rules)) at('submit', nextLookMs(queue, nowMs));
  }
  return wakeMs === NEVER ? NEVER : Math.max(wakeMs, nowMs + WAKE_MS_MIN);
}

/** When the limits allow such a request, as far as is known now. */
export function opensAtMs({ limits, breaker }: ModelQueue, operation: Operation, nowMs: number): number {
  const route = ROUTE_OF[operation];
  const limitMs = limits.available(route, nowMs) >= 1 ? nowMs : limits.opensAtMs(route, nowMs);
  return operation === 'submit' && !breaker.allows(nowMs)
    ? Math.max(limitMs, breaker.opensAtMs(nowMs))
    : limitMs;
}

/** When to look for useful requests before the budget expires, and again until well after its end. */
function nextLookMs(queue: ModelQueue, nowMs: number): number {
  const lastMs = lastMomentsMs(queue, nowMs);
  if (nowMs - lastMs >= LOOKS_FOR_MS) return NEVER;
  return lastMs > nowMs ? lastMs : nowMs + LOOK_MS;
}

/** When a job is due for its next poll. */
export function dueMs(job: Job): number {
  const ageMs =
    job.queue.probe === job
      ? PROBE_AGE_MS
      : nextAgeMs(job.durationClass.runTimes.survival(), job.seenRunningMs, job.queue.pollCost.thresholdMs);
  return Math.max(job.notBeforeMs, job.sentMs + POLL_GAP_MS, job.queuedAtMs + ageMs);
}

export function demandOf(queue: ModelQueue, rules: Rules, nowMs: number): Demand {
  return {
    unsubmitted: rules.submits ? unsubmitted(queue) : 0,
    inFlight: queue.inFlight,
    neverPolled: queue.neverPolled,
    toCleanUp: queue.toCleanUp.size,
    widthMax: widthOf(queue, rules),
    meanMs: average(queue, (durationClass) => durationClass.runTimes.survival().meanMs),
    spanMs: (requests) => queue.limits.spanMs(plus(requests, rules.others()), nowMs),
    submitsApart: !queue.limits.isShared(),
  };
}

/** The requests that the model is expected to need. */
export function needsOf(queue: ModelQueue, submits: boolean): ReturnType<typeof requestsLeft> {
  const demand = {
    unsubmitted: submits ? unsubmitted(queue) : 0,
    inFlight: queue.inFlight,
    neverPolled: queue.neverPolled,
    toCleanUp: queue.toCleanUp.size,
  };
  return requestsLeft(demand, queue.pollCost);
}

function plus(one: Requests, other: Requests): Requests {
  const sum: Record<string, number> = { ...one };
  for (const [route, count] of Object.entries(other)) if (sum[route] !== undefined) sum[route] += count;
  return sum;
}

/** Sets the poll threshold from what is known now, and sorts the jobs in flight by it. */
function sortByThreshold(queue: ModelQueue, rules: Rules, nowMs: number): void {
  const isLearning = queue.pooled.count() < COMPLETIONS_EACH_SORTED;
  if (!isLearning && queue.actionsSinceSorted * JOBS_PER_SORT < queue.toPoll.size) return;
  queue.actionsSinceSorted = 0;
  let changed = false;
  for (const durationClass of queue.durationClasses.values()) {
    const survival = durationClass.runTimes.survival();
    if (survival === durationClass.orderedBy) continue;
    durationClass.orderedBy = survival;
    changed = true;
  }
  const pollCosts = pollCostsOfQueue(queue);
  // Without a request limit there is nothing to trade off.
  const free = queue.limits.perMinute('retrieve') === NEVER;
  const step = free ? 0 : chooseThreshold(demandOf(queue, rules, nowMs), pollCosts, queue.thresholdStep);
  changed ||= step !== queue.thresholdStep;
  queue.thresholdStep = step;
  queue.pollCost = pollCosts(step);
  if (!changed) return;
  for (const job of [...queue.toPoll.items()]) queue.toPoll.set(job, dueMs(job));
}

/** Jobs in flight at most: `--concurrency`, or as many as the request budget can collect. */
function widthOf(queue: ModelQueue, rules: Rules): number {
  if (rules.share !== undefined) return rules.share;
  const longMs = queue.pooled.known()
    ? average(queue, (durationClass) => durationClass.runTimes.survival().quantileMs(0.95))
    : LONG_RUN_UNKNOWN_MS;
  if (!queue.limits.isShared()) {
    const submitsMax = queue.limits.perMinute('queue');
    return Math.min(WIDTH_MAX_APART, Math.ceil(WIDTH_RESERVE * submitsMax * (1 + longMs / 60_000)));
  }
  const tracksPerMs = queue.limits.perMinute('queue') / REQUESTS_PER_TRACK / 60_000;
  return Math.min(WIDTH_MAX, Math.ceil(WIDTH_RESERVE * tracksPerMs * longMs) + 1);
}

/** Whether the last request of the budget is reserved for the probe poll. */
function isReservedForProbe(queue: ModelQueue, nowMs: number): boolean {
  return typeof queue.probe === 'object' && queue.limits.sharedAvailable(nowMs) < 2;
}

/** Whether one more job may be in flight. */
export function hasRoom(queue: ModelQueue, rules: Rules): boolean {
  return rules.share === undefined ? queue.inFlight < widthOf(queue, rules) : rules.hasPlace;
}

/** Whether budget that would expire may be used to submit more than can be collected right away. */
function mayRunAhead(queue: ModelQueue, rules: Rules): boolean {
  return rules.share === undefined && queue.limits.isShared() && queue.inFlight < WIDTH_MAX;
}

/** When the remaining budget will exceed what polls and submits are expected to need before it expires. */
function spareAtMs(queue: ModelQueue, rules: Rules, nowMs: number): number {
  const { limits, pollCost } = queue;
  const available = limits.sharedAvailable(nowMs);
  if (!rules.submits || unsubmitted(queue) === 0 || available === NEVER) return nowMs;
  const lapsesMs = limits.lapsesAtMs(nowMs);
  if (lapsesMs === NEVER) return available > limits.perMinute('complete') / 2 ? nowMs : NEVER;
  const { widthMax, meanMs, inFlight } = demandOf(queue, rules, nowMs);
  const busy = Math.min(widthMax, unsubmitted(queue) + inFlight);
  const neededPerMs = (KEPT_SHARE * busy * (1 + pollCost.polls)) / cycleMs(meanMs, pollCost);
  return lapsesMs - (available - 1) / neededPerMs;
}

/** When the rest of the budget is about to expire. */
function lastMomentsMs(queue: ModelQueue, nowMs: number): number {
  return queue.limits.lapsesAtMs(nowMs) - LAST_MOMENTS_MS;
}

function isWorthEarly(job: Job, nowMs: number): boolean {
  if (nowMs < Math.max(job.notBeforeMs, job.sentMs + POLL_GAP_MS)) return false;
  const survival = job.durationClass.runTimes.survival();
  const alive = survival.at(job.seenRunningMs);
  return alive <= 0 || 1 - survival.at(nowMs - job.queuedAtMs) / alive >= EARLY_CHANCE_MIN;
}

/** Averages over the model's jobs that are not stored yet. */
function average(queue: ModelQueue, of: (durationClass: DurationClass) => number): number {
  let sum = 0;
  let jobs = 0;
  for (const durationClass of queue.durationClasses.values()) {
    sum += durationClass.jobs * of(durationClass);
    jobs += durationClass.jobs;
  }
  return jobs === 0 ? 0 : sum / jobs;
}

function pollCostsOfQueue(queue: ModelQueue): PollCosts {
  const durationClasses = [...queue.durationClasses.values()].filter(
    (durationClass) => durationClass.jobs > 0,
  );
  if (durationClasses.length === 0) return () => queue.pollCost;
  if (durationClasses.length === 1) return pollCostsOf(durationClasses[0]!.runTimes.survival());
  return (step) => ({
    thresholdMs: pollCostsOf(durationClasses[0]!.runTimes.survival())(step).thresholdMs,
    polls: average(queue, (durationClass) => pollCostsOf(durationClass.runTimes.survival())(step).polls),
    waitMs: average(queue, (durationClass) => pollCostsOf(durationClass.runTimes.survival())(step).waitMs),
  });
}
