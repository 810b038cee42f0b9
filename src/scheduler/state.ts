import { type BlockGuard, createBlockGuard } from './error-budget.js';
import {
  createLane,
  type Doing,
  type Job,
  kindOf,
  type Lane,
  learnTold,
  ROUTE_OF,
  unsubmitted,
} from './model-queue.js';
import { type Choice, dueMs } from './next-action.js';
import { createRateLimiter, type RateLimiter, type Ticket } from './rate-limiter.js';
import type { Action, JobKind, ScheduleOptions, Settled } from './scheduler.js';

/** All jobs of a run and what is under way: what the scheduler remembers. */
export interface Book {
  readonly options: ScheduleOptions;
  readonly lanes: Map<string, Lane>;
  readonly jobs: Map<string, Job>;
  readonly guard: BlockGuard;
  readonly limiter: RateLimiter;
  /** Actions given out and not settled. */
  readonly underWay: Record<Doing, number>;
  /** Of these, requests whose answer has not begun. */
  unanswered: number;
  /** Submitted or being submitted, and not yet stored. */
  inFlight: number;
  /** Tracks taken in so far. */
  arrivals: number;
  stopped: boolean;
  singly: boolean;
}

/** More than a request costs where the budget is counted over a sliding minute. */
const SCOUT_COST_MS_MAX = 5_000;

export function createBook(options: ScheduleOptions): Book {
  return {
    options,
    lanes: new Map(),
    jobs: new Map(),
    guard: createBlockGuard(),
    limiter: createRateLimiter(),
    underWay: { submit: 0, poll: 0, complete: 0 },
    unanswered: 0,
    inFlight: 0,
    arrivals: 0,
    stopped: false,
    singly: false,
  };
}

export function laneOf(book: Book, model: string): Lane {
  const found = book.lanes.get(model);
  if (found !== undefined) return found;
  const lane = createLane(model, book.limiter.of(model));
  book.lanes.set(model, lane);
  return lane;
}

/** Takes a job in. `bornMs`: when it was queued, where it was. */
export function enter(book: Book, id: string, about: JobKind, state: Job['state'], bornMs: number): Job {
  if (book.jobs.has(id)) throw new Error(`the scheduler has job ${id} already`);
  const lane = laneOf(book, about.model);
  const kind = kindOf(lane, about.durationSeconds);
  const job: Job = {
    id,
    lane,
    kind,
    state,
    doing: undefined,
    ticket: undefined,
    sentMs: Number.NEGATIVE_INFINITY,
    bornAfterMs: bornMs,
    bornMs,
    ranMs: 0,
    holdMs: Number.NEGATIVE_INFINITY,
  };
  book.jobs.set(id, job);
  if (state !== 'owed') kind.jobs += 1;
  if (state === 'flight') countFlight(book, job, 1);
  return job;
}

function countFlight(book: Book, job: Job, change: 1 | -1): void {
  const { lane } = job;
  lane.inFlight += change;
  if (job.ranMs === 0) lane.unasked += change;
  book.inFlight += change;
}

/** Drops what is not submitted. */
export function dropUnsubmitted(book: Book): void {
  for (const lane of book.lanes.values()) {
    for (const heap of [lane.wanted, lane.held]) {
      for (let job = heap.pop(); job !== undefined; job = heap.pop()) drop(book, job);
    }
  }
}

function drop(book: Book, job: Job): void {
  if (job.state !== 'owed') job.kind.jobs -= 1;
  book.jobs.delete(job.id);
}

/** Gives an action out. */
export function begin(book: Book, { doing, job }: Choice, nowMs: number): Action {
  const { lane } = job;
  const from = { submit: lane.wanted, poll: lane.flight, complete: lane.owed }[doing];
  from.remove(job);
  job.doing = doing;
  job.sentMs = nowMs;
  job.ticket = lane.limits.sent(ROUTE_OF[doing], nowMs);
  lane.underWay += 1;
  lane.actionsSincePriced += 1;
  book.underWay[doing] += 1;
  book.unanswered += 1;
  if (doing === 'submit') {
    lane.breaker.sent();
    countFlight(book, job, 1);
  }
  if (doing === 'poll') lane.polled.add(job);
  return { kind: doing, job: job.id };
}

/** Counts the answer to the request of the job's action, once. Returns its ticket. */
export function answer(book: Book, job: Job): Ticket | undefined {
  const { ticket } = job;
  if (ticket !== undefined) {
    job.ticket = undefined;
    book.unanswered -= 1;
  }
  return ticket;
}

/** Takes an action back, with what came of it. */
export function settle(book: Book, id: string, outcome: Settled, nowMs: number): void {
  const job = book.jobs.get(id);
  if (job?.doing === undefined) throw new Error(`nothing is under way for job ${id}`);
  const { doing, lane } = job;
  const ticket = answer(book, job);
  if (ticket !== undefined) lane.limits.answered(ticket, { rate: {} }, nowMs);
  job.doing = undefined;
  lane.polled.delete(job);
  lane.underWay -= 1;
  book.underWay[doing] -= 1;
  if (doing === 'submit') settleSubmit(book, job, outcome, nowMs);
  else if (doing === 'poll') settlePoll(book, job, outcome, nowMs);
  else if (outcome.kind === 'again') lane.owed.set(job, outcome.notBeforeMs);
  else drop(book, job);
}

function settleSubmit(book: Book, job: Job, outcome: Settled, nowMs: number): void {
  const { lane } = job;
  lane.breaker.settled(outcome.kind === 'queued');
  if (outcome.kind === 'queued') {
    job.state = 'flight';
    job.bornAfterMs = job.sentMs;
    job.bornMs = nowMs;
    if (lane.scout === 'none yet') lane.scout = mayScout(lane, nowMs) ? job : 'back';
    lane.flight.set(job, dueMs(job));
    return;
  }
  countFlight(book, job, -1);
  if (outcome.kind === 'again' && !book.stopped) lane.held.set(job, outcome.notBeforeMs);
  else drop(book, job);
}

/**
 * Whether asking early teaches something, and the request that it costs does not cost a window. Of a batch that one
 * window holds it at most puts off the last clean-up, and brings all the files sooner.
 */
function mayScout(lane: Lane, nowMs: number): boolean {
  if (lane.pooled.known()) return false;
  const queue = unsubmitted(lane);
  const retrieve = queue + lane.inFlight;
  const requests = { queue, retrieve, complete: retrieve + lane.owed.size };
  const spanMs = lane.limits.spanMsMin(requests, nowMs);
  if (spanMs === 0) return true;
  const withScoutMs = lane.limits.spanMsMin({ ...requests, retrieve: retrieve + 1 }, nowMs);
  return withScoutMs - spanMs <= SCOUT_COST_MS_MAX;
}

function settlePoll(book: Book, job: Job, outcome: Settled, nowMs: number): void {
  const { lane, kind } = job;
  if (lane.scout === job && outcome.kind !== 'again') lane.scout = 'back';
  if (outcome.kind === 'running' || outcome.kind === 'again') {
    if (outcome.kind === 'running') learnRunning(job, outcome, nowMs);
    else job.holdMs = outcome.notBeforeMs;
    lane.flight.set(job, dueMs(job));
    return;
  }
  countFlight(book, job, -1);
  kind.times.left(job.ranMs);
  if (outcome.kind === 'stored') kind.times.done(job.ranMs, outcome.readyAtMs - job.bornMs);
  if (outcome.kind !== 'stored' || !outcome.clean || book.options.keep === true) {
    drop(book, job);
    return;
  }
  kind.jobs -= 1;
  job.state = 'owed';
  lane.owed.set(job, nowMs);
}

function learnRunning(job: Job, outcome: Settled & { kind: 'running' }, nowMs: number): void {
  const { averageExecutionMs, executionMs } = outcome;
  if (executionMs !== undefined) {
    job.bornMs = Math.min(job.bornMs, Math.max(job.bornAfterMs, nowMs - executionMs));
  }
  const ranMs = Math.max(job.ranMs, job.sentMs - job.bornMs);
  job.kind.times.ranOn(job.ranMs, ranMs);
  if (job.ranMs === 0 && ranMs > 0) job.lane.unasked -= 1;
  job.ranMs = ranMs;
  if (averageExecutionMs !== undefined && averageExecutionMs > 0) learnTold(job.lane, averageExecutionMs);
}
