import { createErrorBudget, type ErrorBudget } from './error-budget.js';
import {
  createModelQueue,
  durationClassOf,
  type Job,
  learnReported,
  type ModelQueue,
  type Operation,
  ROUTE_OF,
  unsubmitted,
} from './model-queue.js';
import { type Choice, dueMs } from './next-action.js';
import { createRateLimiter, type RateLimiter, type RequestToken } from './rate-limiter.js';
import type { Action, JobKind, ScheduleOptions, Settled } from './scheduler.js';

/** The scheduler's memory: all jobs of a run and the actions in progress. */
export interface SchedulerState {
  readonly options: ScheduleOptions;
  readonly queues: Map<string, ModelQueue>;
  readonly jobs: Map<string, Job>;
  readonly errorBudget: ErrorBudget;
  readonly limiter: RateLimiter;
  /** Actions dispatched and not settled yet. */
  readonly activeRequests: Record<Operation, number>;
  /** Active requests whose response has not begun. */
  unanswered: number;
  /** Submitted or being submitted, and not yet stored. */
  inFlight: number;
  /** Tracks added so far. */
  arrivals: number;
  stopped: boolean;
  singly: boolean;
}

/** More than one request costs when the budget is a sliding minute. */
const PROBE_COST_MS_MAX = 5_000;

export function createState(options: ScheduleOptions): SchedulerState {
  return {
    options,
    queues: new Map(),
    jobs: new Map(),
    errorBudget: createErrorBudget(),
    limiter: options.limiter ?? createRateLimiter(),
    activeRequests: { submit: 0, poll: 0, complete: 0 },
    unanswered: 0,
    inFlight: 0,
    arrivals: 0,
    stopped: false,
    singly: false,
  };
}

export function queueOf(state: SchedulerState, model: string): ModelQueue {
  const found = state.queues.get(model);
  if (found !== undefined) return found;
  const queue = createModelQueue(model, state.limiter.of(model));
  state.queues.set(model, queue);
  return queue;
}

/** Adds a job. `bornMs`: when it was queued, if it was. */
export function enter(
  state: SchedulerState,
  id: string,
  about: JobKind,
  phase: Job['phase'],
  queuedAtMs: number,
): Job {
  if (state.jobs.has(id)) throw new Error(`the scheduler has job ${id} already`);
  const queue = queueOf(state, about.model);
  const durationClass = durationClassOf(queue, about.durationSeconds);
  const job: Job = {
    id,
    queue,
    durationClass,
    phase,
    operation: undefined,
    token: undefined,
    sentMs: Number.NEGATIVE_INFINITY,
    queuedAfterMs: queuedAtMs,
    queuedAtMs,
    seenRunningMs: 0,
    notBeforeMs: Number.NEGATIVE_INFINITY,
  };
  state.jobs.set(id, job);
  if (phase !== 'clean_up') durationClass.jobs += 1;
  if (phase === 'in_flight') countFlight(state, job, 1);
  return job;
}

function countFlight(state: SchedulerState, job: Job, change: 1 | -1): void {
  const { queue } = job;
  queue.inFlight += change;
  if (job.seenRunningMs === 0) queue.neverPolled += change;
  state.inFlight += change;
}

export function dropUnsubmitted(state: SchedulerState): void {
  for (const queue of state.queues.values()) {
    for (const jobs of [queue.toSubmit, queue.toResubmit]) {
      for (let job = jobs.pop(); job !== undefined; job = jobs.pop()) drop(state, job);
    }
  }
}

/** Drops a job that is to be submitted and has no request in flight. */
export function leave(state: SchedulerState, id: string): boolean {
  const job = state.jobs.get(id);
  if (job?.phase !== 'unsubmitted' || job.operation !== undefined) return false;
  job.queue.toSubmit.remove(job);
  job.queue.toResubmit.remove(job);
  drop(state, job);
  return true;
}

function drop(state: SchedulerState, job: Job): void {
  if (job.phase !== 'clean_up') job.durationClass.jobs -= 1;
  state.jobs.delete(job.id);
}

export function dispatch(state: SchedulerState, { operation, job }: Choice, nowMs: number): Action {
  const { queue } = job;
  const from = { submit: queue.toSubmit, poll: queue.toPoll, complete: queue.toCleanUp }[operation];
  from.remove(job);
  job.operation = operation;
  job.sentMs = nowMs;
  job.token = queue.limits.sent(ROUTE_OF[operation], nowMs);
  queue.activeRequests += 1;
  queue.actionsSinceSorted += 1;
  state.activeRequests[operation] += 1;
  state.unanswered += 1;
  if (operation === 'submit') {
    queue.breaker.sent();
    countFlight(state, job, 1);
  }
  if (operation === 'poll') queue.pollsInFlight.add(job);
  return { kind: operation, job: job.id };
}

/** Marks the request of the job's action as answered, once. Returns its token. */
export function answer(state: SchedulerState, job: Job): RequestToken | undefined {
  const { token } = job;
  if (token !== undefined) {
    job.token = undefined;
    state.unanswered -= 1;
  }
  return token;
}

/** A job is retried after this time at the latest, in ms, however long the requested pause. */
const PAUSE_MS_MAX = 3_600_000;

/** Marks an action as settled, and applies its result. */
export function acknowledge(state: SchedulerState, id: string, settled: Settled, nowMs: number): void {
  const outcome =
    settled.kind === 'again' ? { ...settled, notBeforeMs: bounded(settled.notBeforeMs, nowMs) } : settled;
  const job = state.jobs.get(id);
  if (job?.operation === undefined) throw new Error(`no request in flight for job ${id}`);
  const { operation, queue } = job;
  const token = answer(state, job);
  const isUnsent = (settled.kind === 'gone' || settled.kind === 'again') && settled.unsent === true;
  if (token !== undefined && isUnsent) queue.limits.unsent(token, nowMs);
  else if (token !== undefined) queue.limits.answered(token, { rate: {} }, nowMs);
  job.operation = undefined;
  queue.pollsInFlight.delete(job);
  queue.activeRequests -= 1;
  state.activeRequests[operation] -= 1;
  if (operation === 'submit') acknowledgeSubmit(state, job, outcome, nowMs);
  else if (operation === 'poll') acknowledgePoll(state, job, outcome, nowMs);
  else if (outcome.kind === 'again') queue.toCleanUp.set(job, outcome.notBeforeMs);
  else if (outcome.kind === 'queued') returnToFlight(state, job, nowMs);
  else drop(state, job);
}

/** Limits a time to a finite and plausible value. */
function bounded(notBeforeMs: number, nowMs: number): number {
  return Number.isNaN(notBeforeMs) ? nowMs : Math.min(notBeforeMs, nowMs + PAUSE_MS_MAX);
}

/** The job's file is gone and has to be fetched again: poll at once. */
function returnToFlight(state: SchedulerState, job: Job, nowMs: number): void {
  job.phase = 'in_flight';
  job.seenRunningMs = 0;
  job.notBeforeMs = nowMs;
  job.durationClass.jobs += 1;
  countFlight(state, job, 1);
  job.queue.toPoll.set(job, dueMs(job));
}

function acknowledgeSubmit(state: SchedulerState, job: Job, outcome: Settled, nowMs: number): void {
  const { queue } = job;
  queue.breaker.settled(outcome.kind === 'queued');
  if (outcome.kind === 'queued') {
    job.phase = 'in_flight';
    job.queuedAfterMs = job.sentMs;
    job.queuedAtMs = nowMs;
    if (queue.probe === 'none yet') queue.probe = mayProbe(queue, nowMs) ? job : 'done';
    queue.toPoll.set(job, dueMs(job));
    return;
  }
  countFlight(state, job, -1);
  if (outcome.kind === 'again' && !state.stopped) queue.toResubmit.set(job, outcome.notBeforeMs);
  else drop(state, job);
}

/**
 * Whether a probe poll is worth it: it has to teach something, and its request must not cost a window. If the whole
 * batch fits in one window, a probe at most delays the last clean-up, and brings all files sooner.
 */
function mayProbe(queue: ModelQueue, nowMs: number): boolean {
  if (queue.pooled.known()) return false;
  const submits = unsubmitted(queue);
  const retrieve = submits + queue.inFlight;
  const requests = { queue: submits, retrieve, complete: retrieve + queue.toCleanUp.size };
  const spanMs = queue.limits.spanMsMin(requests, nowMs);
  if (spanMs === 0) return true;
  const withProbeMs = queue.limits.spanMsMin({ ...requests, retrieve: retrieve + 1 }, nowMs);
  return withProbeMs - spanMs <= PROBE_COST_MS_MAX;
}

function acknowledgePoll(state: SchedulerState, job: Job, outcome: Settled, nowMs: number): void {
  const { queue, durationClass } = job;
  if (queue.probe === job && outcome.kind !== 'again') queue.probe = 'done';
  if (outcome.kind === 'running' || outcome.kind === 'again') {
    if (outcome.kind === 'running') learnRunning(job, outcome, nowMs);
    else job.notBeforeMs = outcome.notBeforeMs;
    queue.toPoll.set(job, dueMs(job));
    return;
  }
  countFlight(state, job, -1);
  durationClass.runTimes.left(job.seenRunningMs);
  if (outcome.kind === 'stored')
    durationClass.runTimes.done(job.seenRunningMs, outcome.readyAtMs - job.queuedAtMs);
  if (outcome.kind !== 'stored' || !outcome.clean || state.options.keep === true) {
    drop(state, job);
    return;
  }
  durationClass.jobs -= 1;
  job.phase = 'clean_up';
  queue.toCleanUp.set(job, nowMs);
}

function learnRunning(job: Job, outcome: Settled & { kind: 'running' }, nowMs: number): void {
  const { averageExecutionMs, executionMs } = outcome;
  if (executionMs !== undefined && executionMs >= 0) {
    job.queuedAtMs = Math.min(job.queuedAtMs, Math.max(job.queuedAfterMs, nowMs - executionMs));
  }
  const seenRunningMs = Math.max(job.seenRunningMs, job.sentMs - job.queuedAtMs);
  job.durationClass.runTimes.ranOn(job.seenRunningMs, seenRunningMs);
  if (job.seenRunningMs === 0 && seenRunningMs > 0) job.queue.neverPolled -= 1;
  job.seenRunningMs = seenRunningMs;
  if (averageExecutionMs !== undefined && averageExecutionMs > 0)
    learnReported(job.queue, averageExecutionMs);
}
