import { type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.js';
import type { PollCost } from './poll-cost.js';
import { createPriorityQueue, type PriorityQueue } from './priority-queue.js';
import type { ModelLimits, RequestToken } from './rate-limiter.js';
import type { Route } from './route.js';
import { createRunTimeEstimator, type RunTimeEstimator, type Survival } from './run-time-estimator.js';

/** Jobs of one model and about the same length: alike in how long they run. */
export interface DurationClass {
  readonly runTimes: RunTimeEstimator;
  /** The survival function by which its jobs in flight were last sorted. */
  orderedBy: Survival | undefined;
  /** Its jobs that are not stored yet. */
  jobs: number;
}

export type Operation = 'submit' | 'poll' | 'complete';

/** The route of each operation. */
export const ROUTE_OF = { submit: 'queue', poll: 'retrieve', complete: 'complete' } as const satisfies Record<
  Operation,
  Route
>;

/** One job as the scheduler sees it. Times in ms. */
export interface Job {
  readonly id: string;
  readonly queue: ModelQueue;
  readonly durationClass: DurationClass;
  /** From `unsubmitted` through `in_flight` to `clean_up`. */
  phase: 'unsubmitted' | 'in_flight' | 'clean_up';
  /** The action given out and not yet settled. */
  operation: Operation | undefined;
  /** Of its request, until it is answered. */
  token: RequestToken | undefined;
  /** When the latest action was given out. */
  sentMs: number;
  /** Not queued before. */
  queuedAfterMs: number;
  /** When it was queued, as near as is known. */
  queuedAtMs: number;
  /** The age at which it was last seen running; 0: not polled yet. */
  seenRunningMs: number;
  /** Not to be polled before. */
  notBeforeMs: number;
}

/** All that concerns one model: its request limits, what is known of its run times, and its jobs that await an action. */
export interface ModelQueue {
  readonly model: string;
  readonly limits: ModelLimits;
  /** Whether the model takes submits at all. */
  readonly breaker: CircuitBreaker;
  readonly durationClasses: Map<number, DurationClass>;
  /** Over all lengths: what a new length starts from. */
  readonly pooled: RunTimeEstimator;
  /** 80th percentile of the run times as the service reports it, ms. */
  reportedMs: number | undefined;
  /** To be submitted, in order. */
  readonly toSubmit: PriorityQueue<Job>;
  /** To be submitted again, not before their key. */
  readonly toResubmit: PriorityQueue<Job>;
  /** To be polled, by when each is due. */
  readonly toPoll: PriorityQueue<Job>;
  /** Polls under way. */
  readonly pollsInFlight: Set<Job>;
  /** Clean-ups that are due, by when each may be made. */
  readonly toCleanUp: PriorityQueue<Job>;
  /** Submitted or being submitted, and not yet stored. */
  inFlight: number;
  /** Of these, jobs that were never seen running. */
  neverPolled: number;
  /** A probe poll: the first job queued while no run time is known is polled early, to learn what the service reports. */
  probe: Job | 'none yet' | 'done';
  /** Requests under way. */
  activeRequests: number;
  /** The current step of the poll price, and what it costs a job of average length. */
  priceStep: number | undefined;
  pollCost: PollCost;
  /** Actions given out since jobs were last put in order by it. */
  actionsSincePriced: number;
}

export function createModelQueue(model: string, limits: ModelLimits): ModelQueue {
  const pooled = createRunTimeEstimator();
  return {
    model,
    limits,
    breaker: createCircuitBreaker(),
    durationClasses: new Map(),
    pooled,
    reportedMs: undefined,
    toSubmit: createPriorityQueue(),
    toResubmit: createPriorityQueue(),
    toPoll: createPriorityQueue(),
    pollsInFlight: new Set(),
    toCleanUp: createPriorityQueue(),
    inFlight: 0,
    neverPolled: 0,
    probe: 'none yet',
    activeRequests: 0,
    priceStep: undefined,
    pollCost: { priceMs: 2_000, polls: 1, waitMs: 2_000 },
    actionsSincePriced: Number.POSITIVE_INFINITY,
  };
}

/** Lengths are taken as alike within a factor of about 1.4. */
export function durationClassOf(queue: ModelQueue, durationSeconds: number | undefined): DurationClass {
  const key = durationSeconds === undefined ? -1 : Math.round(2 * Math.log2(Math.max(1, durationSeconds)));
  const found = queue.durationClasses.get(key);
  if (found !== undefined) return found;
  const runTimes = createRunTimeEstimator(queue.pooled);
  if (queue.reportedMs !== undefined) runTimes.reported(queue.reportedMs);
  const durationClass: DurationClass = { runTimes, orderedBy: undefined, jobs: 0 };
  queue.durationClasses.set(key, durationClass);
  return durationClass;
}

export function learnReported(queue: ModelQueue, p80Ms: number): void {
  queue.reportedMs = p80Ms;
  queue.pooled.reported(p80Ms);
  for (const { runTimes } of queue.durationClasses.values()) runTimes.reported(p80Ms);
}

/** Tracks that are still to be submitted. */
export function unsubmitted(queue: ModelQueue): number {
  return queue.toSubmit.size + queue.toResubmit.size;
}
