import { estimateRemaining, hasWork } from './eta.js';
import type { ModelQueue } from './model-queue.js';
import { durationClassOf, ROUTE_OF, unsubmitted } from './model-queue.js';
import { type Choice, choose, demandOf, dueMs, needsOf, type RuledQueue, wakesAtMs } from './next-action.js';
import { restMs } from './poll-cost.js';
import { isAboutModel, type Requests } from './rate-limiter.js';
import type { Route } from './route.js';
import type { Action, JobKind, ScheduleOptions, Scheduler } from './scheduler.js';
import {
  acknowledge,
  answer,
  createState,
  dispatch,
  dropUnsubmitted,
  enter,
  leave,
  queueOf,
  type SchedulerState,
} from './scheduler-state.js';

const REQUESTS_MAX = 16;
/** Submits in flight at most. A crash or a broken proxy can leave as many in doubt. */
const SUBMITS_MAX = 4;
/** Requests that no single operation may take, of those allowed at once. */
const REQUESTS_RESERVED = 2;

/** A job's age is capped at this, in ms. */
const QUEUED_AGO_MS_MAX = 30 * 24 * 3_600_000;

/** The time a job was queued, limited to plausible values: it may come from an edited lockfile or a wrong clock. */
function usableTime(queuedAtMs: number, nowMs: number): number {
  return Number.isNaN(queuedAtMs) ? nowMs : Math.min(nowMs, Math.max(nowMs - QUEUED_AGO_MS_MAX, queuedAtMs));
}

export function createScheduler(options: ScheduleOptions): Scheduler {
  const state = createState(options);
  for (const [route, seen] of Object.entries(options.routes ?? {}))
    state.limiter.remember(route as Route, seen, options.nowMs ?? 0);
  for (const { runMs, ...about } of (options.history ?? []).slice(-HISTORY_MAX))
    learnHistory(state, about, runMs);
  return {
    addTake: (id, about) => {
      if (state.stopped) return;
      const job = enter(state, id, about, 'unsubmitted', 0);
      state.arrivals += 1;
      job.queue.toSubmit.set(job, state.arrivals);
    },
    addInFlight: (id, about, queuedAtMs, nowMs) => {
      const job = enter(state, id, about, 'in_flight', usableTime(queuedAtMs, nowMs));
      job.queue.toPoll.set(job, dueMs(job));
    },
    addCleanUp: (id, about) => {
      if (options.keep === true) return;
      const job = enter(state, id, about, 'clean_up', 0);
      job.queue.toCleanUp.set(job, 0);
    },
    leave: (id) => leave(state, id),
    sentElsewhere: (route, sentMs, nowMs) => state.limiter.remember(route, { sentMs }, nowMs),
    shareWith: (runs) => state.limiter.shareWith(runs),
    stopSubmitting: () => {
      state.stopped = true;
      dropUnsubmitted(state);
    },
    submitSingly: () => {
      state.singly = true;
    },
    next: (nowMs) => next(state, nowMs),
    pausedUntilMs: (id, nowMs) => {
      const job = state.jobs.get(id);
      if (job?.operation === undefined) return undefined;
      const { limits, breaker } = job.queue;
      const limitMs = limits.pausedUntilMs(ROUTE_OF[job.operation]);
      const untilMs = job.operation === 'submit' ? Math.max(limitMs, breaker.pausedUntilMs()) : limitMs;
      return untilMs > nowMs ? untilMs : undefined;
    },
    refusalsInARow: (id) => state.jobs.get(id)?.queue.breaker.refusals() ?? 0,
    settled: (id, outcome, nowMs) => acknowledge(state, id, outcome, nowMs),
    answered: (model, response, nowMs) => {
      const { limits, breaker } = queueOf(state, model);
      const job = response.job === undefined ? undefined : state.jobs.get(response.job);
      const token = (job === undefined ? undefined : answer(state, job)) ?? {
        route: job?.operation === undefined ? (response.route ?? 'quote') : ROUTE_OF[job.operation],
      };
      limits.answered(token, response, nowMs);
      if (token.route === 'queue' && (response.status === 503 || isAboutModel(token.route, response)))
        breaker.refused(response.rate.retryAfterSeconds, nowMs);
      state.errorBudget.answered(response.status, nowMs);
    },
    limits: (perMinute) => state.limiter.setStated(perMinute),
    learnedLimits: () => state.limiter.learnedLimits(),
    estimate: (nowMs) => estimateRemaining(rulesByQueue(state), state.jobs, nowMs),
  };
}

function next(state: SchedulerState, nowMs: number): Action {
  if (state.jobs.size === 0) return { kind: 'finished' };
  const { errorBudget, unanswered } = state;
  if (!errorBudget.allows(unanswered, nowMs))
    return { kind: 'wait', untilMs: errorBudget.opensAtMs(unanswered, nowMs) };
  const all = rulesByQueue(state);
  let best: Choice | undefined;
  let wakeMs = Number.POSITIVE_INFINITY;
  for (const { queue, rules } of all) {
    const choice = choose(queue, rules, nowMs);
    if (choice === undefined) wakeMs = Math.min(wakeMs, wakesAtMs(queue, rules, nowMs));
    else if (best === undefined || isBetter(choice, best, all, nowMs)) best = choice;
  }
  return best === undefined ? { kind: 'wait', untilMs: wakeMs } : dispatch(state, best, nowMs);
}

/**
 * Prefers the choice that is worth more, then the submit of the model that needs the most time, then the model with
 * fewer active requests.
 */
function isBetter(one: Choice, other: Choice, all: readonly RuledQueue[], nowMs: number): boolean {
  if (one.rank !== other.rank) return one.rank < other.rank;
  if (one.operation === 'submit') return leftMs(one, all, nowMs) > leftMs(other, all, nowMs);
  return one.job.queue.activeRequests < other.job.queue.activeRequests;
}

function leftMs({ job }: Choice, all: readonly RuledQueue[], nowMs: number): number {
  const { queue, rules } = all.find((entry) => entry.queue === job.queue)!;
  return restMs(demandOf(queue, rules, nowMs), queue.pollCost);
}

/** What each model with work may do, within the run's limits and without starving other models. */
function rulesByQueue(state: SchedulerState): readonly RuledQueue[] {
  const { options, activeRequests } = state;
  const requestsMax = options.requestsMax ?? REQUESTS_MAX;
  const queues = [...state.queues.values()].filter(hasWork);
  const free = requestsMax - activeRequests.submit - activeRequests.poll - activeRequests.complete;
  const idle = queues.filter((queue) => queue.activeRequests === 0).length;
  const eachMax = Math.max(1, requestsMax - REQUESTS_RESERVED);
  const jobs = queues.reduce((sum, queue) => sum + unsubmitted(queue) + queue.inFlight, 0);
  return queues.map((queue) => {
    const open = queue.activeRequests === 0 ? free > 0 : free > idle;
    const share = (unsubmitted(queue) + queue.inFlight) / Math.max(1, jobs);
    return {
      queue,
      rules: {
        may: {
          submit:
            open &&
            !state.stopped &&
            activeRequests.submit < (state.singly ? 1 : Math.min(SUBMITS_MAX, eachMax)),
          poll: open && activeRequests.poll < eachMax,
          complete: open && activeRequests.complete < eachMax,
        },
        submits: !state.stopped,
        share: options.concurrency === undefined ? undefined : options.concurrency * share,
        hasPlace: options.concurrency === undefined || state.inFlight < options.concurrency,
        others: () => needsOfOthers(queues, queue, !state.stopped),
      },
    };
  });
}

function needsOfOthers(queues: readonly ModelQueue[], but: ModelQueue, submits: boolean): Requests {
  const sum = { queue: 0, retrieve: 0, complete: 0 };
  for (const queue of queues) {
    if (queue === but || queue.limits.isShared()) continue;
    const needs = needsOf(queue, submits);
    for (const route of ['queue', 'retrieve', 'complete'] as const) sum[route] += needs[route];
  }
  return sum;
}

/** Only the newest entries of the history are used. */
const HISTORY_MAX = 200;
/**
 * A recorded run time includes the wait for the last poll, so the job may have run for a shorter time, down to this
 * share.
 */
const HISTORY_SHORTER = 0.5;

function learnHistory(state: SchedulerState, about: JobKind, runMs: number): void {
  if (!(runMs > 0)) return;
  durationClassOf(queueOf(state, about.model), about.durationSeconds).runTimes.done(
    runMs * HISTORY_SHORTER,
    runMs,
  );
}
