import { type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.js';
import type { PollCost } from './poll-cost.js';
import { createPriorityQueue, type PriorityQueue } from './priority-queue.js';
import type { ModelLimits, RequestToken } from './rate-limiter.js';
import type { Route } from './route.js';
import { createRunTimeEstimator, type RunTimeEstimator, type Survival } from './run-time-estimator.js';

/** Jobs of one model with about the same duration, which run for about as long. */
export interface DurationClass {
  readonly runTimes: RunTimeEstimator;
  /** The survival function that its jobs in flight were last sorted by. */
  orderedBy: Survival | undefined;
  /** Its jobs that are not stored yet. */
  jobs: number;
}

export type Operation = 'submit' | 'poll' | 'complete';

export const ROUTE_OF = { submit: 'queue', poll: 'retrieve', complete: 'complete' } as const satisfies Record<
  Operation,
  Route
>;

/** One job as the scheduler sees it. Times in ms. */
export interface Job {
  readonly id: string;
  readonly queue: ModelQueue;
  readonly durationClass: DurationClass;
  /** A job moves from `unsubmitted` through `in_flight` to `clean_up`. */
  phase: 'unsubmitted' | 'in_flight' | 'clean_up';
  /** The operation that was dispatched and is not settled yet. */
  operation: Operation | undefined;
  /** Set while the job's request is unanswered. */
  token: RequestToken | undefined;
  /** When the latest operation was dispatched. */
  sentMs: number;
  /** The job was not queued before this time. */
  queuedAfterMs: number;
  /** When the job was queued, as far as known. */
  queuedAtMs: number;
  /** The age at which the job was last seen running. 0: not polled yet. */
  seenRunningMs: number;
  /** Not to be polled before this time. */
  notBeforeMs: number;
}

/** One model: its request limits, the run times seen so far, and its jobs that need an action. */
export interface ModelQueue {
  readonly model: string;
  readonly limits: ModelLimits;
  /** Whether the model takes submits at all. */
  readonly breaker: CircuitBreaker;
  readonly durationClasses: Map<number, DurationClass>;
  /** Run times across all durations, from which a new duration class starts. */
  readonly pooled: RunTimeEstimator;
  /** 80th percentile of the run times as reported by the service, in ms. */
  reportedMs: number | undefined;
  /** Jobs to submit, in order. */
  readonly toSubmit: PriorityQueue<Job>;
  /** Jobs to submit again, keyed by the earliest time to do so. */
  readonly toResubmit: PriorityQueue<Job>;
  /** Jobs to poll, keyed by due time. */
  readonly toPoll: PriorityQueue<Job>;
  readonly pollsInFlight: Set<Job>;
  /** Jobs whose clean-up is due, keyed by the earliest time to do so. */
  readonly toCleanUp: PriorityQueue<Job>;
  /** Submitted or being submitted, and not yet stored. */
  inFlight: number;
  /** Jobs in flight that were never seen running. */
  neverPolled: number;
  /**
   * The probe poll: while no run time is known, the first job queued is polled early to learn what the service reports.
   */
  probe: Job | 'none yet' | 'done';
  /** Requests in flight. */
  activeRequests: number;
  /** The current poll threshold as a step, and what it means for a job of average duration. */
  thresholdStep: number | undefined;
  pollCost: PollCost;
  /** Actions dispatched since the jobs were last sorted by poll threshold. */
  actionsSinceSorted: number;
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
    thresholdStep: undefined,
    pollCost: { thresholdMs: 2_000, polls: 1, waitMs: 2_000 },
    actionsSinceSorted: Number.POSITIVE_INFINITY,
  };
}

/** Durations within a factor of about 1.4 share one class. */
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

/** Tracks not submitted yet. */
export function unsubmitted(queue: ModelQueue): number {
  return queue.toSubmit.size + queue.toResubmit.size;
}
