import { forecast, hasWork } from './eta.js';
import type { Lane } from './model-queue.js';
import { kindOf, ROUTE_OF, unsubmitted } from './model-queue.js';
import { type Choice, choose, demandOf, dueMs, needsOf, type Ruled, wakesAtMs } from './next-action.js';
import type { PacedAnswer } from './pacer.js';
import { restMs } from './poll-cost.js';
import { isAboutModel, type Requests, type Route, type RouteHistory } from './rate-limiter.js';
import { answer, type Book, begin, createBook, dropUnsubmitted, enter, laneOf, settle } from './state.js';

/**
 * Decides which request is worth most at each moment, and when there is none, until when to wait. A
 * deterministic state machine: all it knows of the world is told to it, time included. It never gives two
 * actions for one job at a time: an action given out must be answered with `settled`.
 */
export interface Scheduler {
  /** A take to be submitted. Takes of equal `model` and `durationSeconds` are alike to the scheduler. */
  wants(job: string, about: JobKind): void;
  /** A job in flight from an earlier run. */
  resumes(job: string, about: JobKind, queuedAtMs: number, nowMs: number): void;
  /** A stored job whose clean-up is owed. */
  owes(job: string, about: JobKind): void;
  /** No more submits. What is queued goes on. */
  stopSubmitting(): void;
  /** At most one submit under way at a time from now on. */
  submitSingly(): void;
  /** What is worth most now. Other than `wait`, the action counts as begun (and its request as sent). */
  next(nowMs: number): Action;
  /** What came of an action given out by `next`. */
  settled(job: string, outcome: Settled, nowMs: number): void;
  /**
   * Rate facts of an answer (or none: no status), for each request made on behalf of `model`, as soon as its
   * headers are there. `job` names the action it answers; `route`, a request that the scheduler did not choose.
   */
  answered(
    model: string,
    answer: PacedAnswer & { readonly job?: string; readonly route?: Route },
    nowMs: number,
  ): void;
  /** Limits of the key that the service states, requests a minute by model (`''`: default). */
  limits(perMinute: ReadonlyMap<string, number>): void;
  /** What is left, from the same knowledge. */
  estimate(nowMs: number): Estimate;
}

export interface JobKind {
  readonly model: string;
  /** Absent where the model has no duration. */
  readonly durationSeconds?: number;
}

export type Action =
  | { readonly kind: 'submit'; readonly job: string }
  | { readonly kind: 'poll'; readonly job: string }
  | { readonly kind: 'complete'; readonly job: string }
  /** Nothing before then, unless something is told meanwhile. `Infinity`: only news can change that. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** Nothing is left to do or to wait for. */
  | { readonly kind: 'finished' };

export type Settled =
  /** Submitted. */
  | { readonly kind: 'queued' }
  /** Not made, and to be made again (a submit, a poll or a clean-up), not before `notBeforeMs`. */
  | { readonly kind: 'again'; readonly notBeforeMs: number }
  | { readonly kind: 'running'; readonly averageExecutionMs?: number; readonly executionMs?: number }
  /** The audio came and is safe; `clean` tells whether a clean-up is owed. `readyAtMs`: when the answer with the audio began. */
  | { readonly kind: 'stored'; readonly clean: boolean; readonly readyAtMs: number }
  /** Leaves the scheduler: cleaned up, failed, rejected, in doubt, or given up for this run. */
  | { readonly kind: 'gone' };

export interface Estimate {
  /** ms from now to the end of the run: a range while little is known. Absent while nothing is. */
  readonly remainingMs?: { readonly low: number; readonly high: number };
  /** Expected total run time by job in flight, ms, for the share of expected time. */
  expectedRunMs(job: string): number | undefined;
  /** Set while all requests wait for the rate limit: until when. */
  readonly pausedUntilMs?: number;
}

export interface ScheduleOptions {
  /** Jobs in flight at most; absent: as many as the request budget can keep fed. */
  readonly concurrency?: number;
  /** Requests under way at most. Default 16. */
  readonly requestsMax?: number;
  /** Leave the remote media: no clean-up is ever owed. */
  readonly keep?: boolean;
  /** Run times known from the lockfile, ms. */
  readonly history?: readonly (JobKind & { readonly runMs: number })[];
  /** What earlier runs learned of the request budget of each route. */
  readonly routes?: Readonly<Partial<Record<Route, RouteHistory>>>;
  readonly nowMs?: number;
}

const REQUESTS_MAX = 16;
/** Submits under way at most: what a crash, or a proxy that breaks, leaves in doubt. */
const SUBMITS_MAX = 4;
/** Of the requests under way, those that no one purpose may take. */
const REQUESTS_RESERVED = 2;

export function createScheduler(options: ScheduleOptions): Scheduler {
  const book = createBook(options);
  for (const [route, seen] of Object.entries(options.routes ?? {}))
    book.limiter.remember(route as Route, seen, options.nowMs ?? 0);
  for (const { runMs, ...about } of (options.history ?? []).slice(-HISTORY_MAX))
    learnHistory(book, about, runMs);
  return {
    wants: (id, about) => {
      if (book.stopped) return;
      const job = enter(book, id, about, 'wanted', 0);
      book.arrivals += 1;
      job.lane.wanted.set(job, book.arrivals);
    },
    resumes: (id, about, queuedAtMs, nowMs) => {
      const job = enter(book, id, about, 'flight', Math.min(queuedAtMs, nowMs));
      job.lane.flight.set(job, dueMs(job));
    },
    owes: (id, about) => {
      if (options.keep === true) return;
      const job = enter(book, id, about, 'owed', 0);
      job.lane.owed.set(job, 0);
    },
    stopSubmitting: () => {
      book.stopped = true;
      dropUnsubmitted(book);
    },
    submitSingly: () => {
      book.singly = true;
    },
    next: (nowMs) => next(book, nowMs),
    settled: (id, outcome, nowMs) => settle(book, id, outcome, nowMs),
    answered: (model, told, nowMs) => {
      const { limits, breaker } = laneOf(book, model);
      const job = told.job === undefined ? undefined : book.jobs.get(told.job);
      const ticket = (job === undefined ? undefined : answer(book, job)) ?? {
        route: job?.doing === undefined ? (told.route ?? 'quote') : ROUTE_OF[job.doing],
      };
      limits.answered(ticket, told, nowMs);
      if (ticket.route === 'queue' && (told.status === 503 || isAboutModel(ticket.route, told)))
        breaker.refused(told.rate.retryAfterSeconds, nowMs);
      book.guard.answered(told.status, nowMs);
    },
    limits: (perMinute) => book.limiter.state(perMinute),
    estimate: (nowMs) => forecast(rulesByLane(book), book.jobs, nowMs),
  };
}

function next(book: Book, nowMs: number): Action {
  if (book.jobs.size === 0) return { kind: 'finished' };
  const { guard, unanswered } = book;
  if (!guard.allows(unanswered, nowMs)) return { kind: 'wait', untilMs: guard.opensAtMs(unanswered, nowMs) };
  const all = rulesByLane(book);
  let best: Choice | undefined;
  let wakeMs = Number.POSITIVE_INFINITY;
  for (const { lane, rules } of all) {
    const choice = choose(lane, rules, nowMs);
    if (choice === undefined) wakeMs = Math.min(wakeMs, wakesAtMs(lane, rules, nowMs));
    else if (best === undefined || goesBefore(choice, best, all, nowMs)) best = choice;
  }
  return best === undefined ? { kind: 'wait', untilMs: wakeMs } : begin(book, best, nowMs);
}

/** Of two lanes' choices: what is worth more; else the submit of the lane that will take longest; else who has less under way. */
function goesBefore(one: Choice, other: Choice, all: readonly Ruled[], nowMs: number): boolean {
  if (one.rank !== other.rank) return one.rank < other.rank;
  if (one.doing === 'submit') return leftMs(one, all, nowMs) > leftMs(other, all, nowMs);
  return one.job.lane.underWay < other.job.lane.underWay;
}

function leftMs({ job }: Choice, all: readonly Ruled[], nowMs: number): number {
  const { lane, rules } = all.find((entry) => entry.lane === job.lane)!;
  return restMs(demandOf(lane, rules, nowMs), lane.toll);
}

/** What each lane with work may do, so that the whole keeps within its bounds and no lane shuts out another. */
function rulesByLane(book: Book): readonly Ruled[] {
  const { options, underWay } = book;
  const requestsMax = options.requestsMax ?? REQUESTS_MAX;
  const lanes = [...book.lanes.values()].filter(hasWork);
  const free = requestsMax - underWay.submit - underWay.poll - underWay.complete;
  const idle = lanes.filter((lane) => lane.underWay === 0).length;
  const eachMax = Math.max(1, requestsMax - REQUESTS_RESERVED);
  const jobs = lanes.reduce((sum, lane) => sum + unsubmitted(lane) + lane.inFlight, 0);
  return lanes.map((lane) => {
    const open = lane.underWay === 0 ? free > 0 : free > idle;
    const share = (unsubmitted(lane) + lane.inFlight) / Math.max(1, jobs);
    return {
      lane,
      rules: {
        may: {
          submit:
            open && !book.stopped && underWay.submit < (book.singly ? 1 : Math.min(SUBMITS_MAX, eachMax)),
          poll: open && underWay.poll < eachMax,
          complete: open && underWay.complete < eachMax,
        },
        submits: !book.stopped,
        share: options.concurrency === undefined ? undefined : options.concurrency * share,
        hasPlace: options.concurrency === undefined || book.inFlight < options.concurrency,
        others: () => needsOfOthers(lanes, lane, !book.stopped),
      },
    };
  });
}

function needsOfOthers(lanes: readonly Lane[], but: Lane, submits: boolean): Requests {
  const sum = { queue: 0, retrieve: 0, complete: 0 };
  for (const lane of lanes) {
    if (lane === but || lane.limits.isShared()) continue;
    const needs = needsOf(lane, submits);
    for (const route of ['queue', 'retrieve', 'complete'] as const) sum[route] += needs[route];
  }
  return sum;
}

/** Entries of the history that are looked at, the newest. */
const HISTORY_MAX = 200;
/** A recorded run time includes the wait for the poll that ended it: the run itself may have been shorter by as much. */
const HISTORY_SHORTER = 0.5;

function learnHistory(book: Book, about: JobKind, runMs: number): void {
  if (!(runMs > 0)) return;
  kindOf(laneOf(book, about.model), about.durationSeconds).times.done(runMs * HISTORY_SHORTER, runMs);
}
