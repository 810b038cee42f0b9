import { createBlockGuard } from '../venice/block.js';
import type { RateHeaders } from '../venice/client.js';
import { createPacer } from '../venice/pace.js';
import type { Job, Lane } from './lane.js';
import { createLane } from './lane.js';
import { choosePrice, nextAgeMs, POLL_GAP_MS, tolls } from './price.js';

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
   * headers are there. `job` names the action it answers; absent for a request that the scheduler did not choose.
   */
  answered(
    model: string,
    answer: { readonly status?: number; readonly rate: RateHeaders; readonly job?: string },
    nowMs: number,
  ): void;
  /** Limits of the key, requests a minute by model (`''`: default). */
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
}

export type CreateScheduler = (options: ScheduleOptions, random: () => number) => Scheduler;

const REQUESTS_MAX = 16;
const OWED_MAX = 30;

export const createScheduler: CreateScheduler = (options) => {
  const requestsMax = options.requestsMax ?? REQUESTS_MAX;
  const lanes = new Map<string, Lane>();
  const jobs = new Map<string, Job>();
  const guard = createBlockGuard();
  const limits = new Map<string, number>();
  let order = 0;
  let turn = 0;
  let stopped = false;
  let singly = false;
  let outstanding = 0;
  let unanswered = 0;
  let submitting = 0;
  let inFlight = 0;

  const laneOf = (model: string): Lane => {
    let lane = lanes.get(model);
    if (lane === undefined) {
      lane = createLane(model, createPacer());
      const perMinute = limits.get(model) ?? limits.get('');
      if (perMinute !== undefined) lane.pacer.limit(perMinute);
      lanes.set(model, lane);
    }
    return lane;
  };
  const add = (id: string, about: JobKind, state: Job['state'], bornMs: number): Job => {
    if (jobs.has(id)) throw new Error(`the scheduler already has job ${id}`);
    const lane = laneOf(about.model);
    const job: Job = {
      id,
      lane,
      durationSeconds: about.durationSeconds,
      state,
      doing: undefined,
      ticket: undefined,
      sentMs: Number.NEGATIVE_INFINITY,
      bornMs,
      ranMs: 0,
      holdMs: 0,
      polls: 0,
    };
    jobs.set(id, job);
    return job;
  };
  const dueMs = (job: Job): number => {
    const { lane } = job;
    if (!lane.times.known() && job.polls === 0) return Math.max(job.sentMs + POLL_GAP_MS, job.bornMs + 3_000);
    const next = nextAgeMs(lane.times.survival(), job.ranMs, lane.priceMs);
    return Math.max(job.sentMs + POLL_GAP_MS, job.bornMs + next);
  };
  const reprice = (lane: Lane, nowMs: number): void => {
    const survival = lane.times.survival();
    let stale = false;
    if (survival !== lane.survival) {
      lane.survival = survival;
      lane.tolls = tolls(survival);
      stale = true;
    }
    const demand = {
      wanted: lane.wanted.size + lane.held.size,
      inFlight: lane.inFlight,
      owed: lane.owed.size,
      width: widthOf(lane),
      meanMs: survival.meanMs,
      tolls: lane.tolls,
      spanMs: (requests: number) => lane.pacer.spanMs(requests, nowMs),
    };
    const toll = choosePrice(demand);
    const { priceMs } = toll;
    if (priceMs !== lane.priceMs) stale = true;
    lane.priceMs = priceMs;
    if (!stale) return;
    for (const job of jobs.values()) {
      if (job.state === 'flight' && job.doing === undefined && job.lane === lane)
        lane.flight.set(job, Math.max(job.holdMs, dueMs(job)));
    }
  };
  const leave = (job: Job): void => {
    jobs.delete(job.id);
  };
  const begin = (job: Job, kind: 'submit' | 'poll' | 'complete', nowMs: number): Action => {
    job.doing = kind;
    job.ticket = job.lane.pacer.sent(nowMs);
    job.sentMs = nowMs;
    outstanding += 1;
    unanswered += 1;
    return { kind, job: job.id };
  };
  const widthOf = (lane: Lane): number => {
    if (options.concurrency !== undefined) return options.concurrency;
    const perSecond = Math.min(lane.pacer.perMinute(), 6_000) / 60;
    const typicalSeconds = lane.times.survival().quantileMs(0.95) / 1_000;
    return Math.min(64, Math.ceil((1.15 * perSecond * typicalSeconds) / 3) + 1);
  };
  const maySubmit = (lane: Lane): boolean =>
    !stopped &&
    lane.wanted.size > 0 &&
    !(singly && submitting > 0) &&
    (options.concurrency === undefined ? lane.inFlight : inFlight) < widthOf(lane);

  const laneNext = (lane: Lane, nowMs: number): Action | undefined => {
    while (lane.held.peekKey() <= nowMs) {
      const job = lane.held.pop()!;
      lane.wanted.set(job, -1);
    }
    if (lane.pacer.credit(nowMs) < 1) return undefined;
    reprice(lane, nowMs);
    if (lane.owed.size > OWED_MAX && lane.owed.peekKey() <= nowMs) {
      return begin(lane.owed.pop()!, 'complete', nowMs);
    }
    if (lane.flight.peekKey() <= nowMs) return begin(lane.flight.pop()!, 'poll', nowMs);
    if (maySubmit(lane)) {
      const job = lane.wanted.pop()!;
      lane.inFlight += 1;
      inFlight += 1;
      submitting += 1;
      return begin(job, 'submit', nowMs);
    }
    if (lane.owed.peekKey() <= nowMs) return begin(lane.owed.pop()!, 'complete', nowMs);
    return undefined;
  };
  const laneWakesMs = (lane: Lane, nowMs: number): number => {
    let wakeMs = Math.min(lane.flight.peekKey(), lane.held.peekKey(), lane.owed.peekKey());
    if (maySubmit(lane)) wakeMs = nowMs;
    if (wakeMs === Number.POSITIVE_INFINITY) return wakeMs;
    if (lane.pacer.credit(nowMs) < 1) return Math.max(wakeMs, lane.pacer.opensAtMs(nowMs));
    return wakeMs;
  };
  const leaveFlight = (job: Job): void => {
    job.lane.inFlight -= 1;
    inFlight -= 1;
  };

  const settleSubmit = (job: Job, outcome: Settled, nowMs: number): void => {
    submitting -= 1;
    if (outcome.kind === 'queued') {
      job.state = 'flight';
      job.bornMs = nowMs;
      job.lane.flight.set(job, dueMs(job));
      return;
    }
    leaveFlight(job);
    if (outcome.kind === 'again' && !stopped) job.lane.held.set(job, outcome.notBeforeMs);
    else leave(job);
  };
  const settlePoll = (job: Job, outcome: Settled): void => {
    if (outcome.kind === 'running') {
      job.polls += 1;
      const ran = job.sentMs - job.bornMs;
      job.lane.times.ranOn(job.ranMs, ran);
      job.ranMs = ran;
      if (outcome.averageExecutionMs !== undefined && outcome.averageExecutionMs > 0) {
        job.lane.times.told(outcome.averageExecutionMs);
      }
      job.lane.flight.set(job, dueMs(job));
    } else if (outcome.kind === 'again') {
      job.holdMs = outcome.notBeforeMs;
      job.lane.flight.set(job, Math.max(job.holdMs, dueMs(job)));
    } else {
      leaveFlight(job);
      job.lane.times.left(job.ranMs);
      if (outcome.kind === 'stored') job.lane.times.done(job.ranMs, outcome.readyAtMs - job.bornMs);
      if (outcome.kind === 'stored' && outcome.clean && options.keep !== true) {
        job.state = 'owed';
        job.lane.owed.set(job, 0);
      } else leave(job);
    }
  };

  return {
    wants: (id, about) => {
      if (stopped) return;
      const job = add(id, about, 'wanted', 0);
      order += 1;
      job.lane.wanted.set(job, order);
    },
    resumes: (id, about, queuedAtMs, nowMs) => {
      const job = add(id, about, 'flight', Math.min(queuedAtMs, nowMs));
      job.lane.inFlight += 1;
      inFlight += 1;
      job.lane.flight.set(job, dueMs(job));
    },
    owes: (id, about) => {
      if (options.keep === true) return;
      const job = add(id, about, 'owed', 0);
      job.lane.owed.set(job, 0);
    },
    stopSubmitting: () => {
      stopped = true;
      for (const lane of lanes.values()) {
        for (const heap of [lane.wanted, lane.held]) {
          for (let job = heap.pop(); job !== undefined; job = heap.pop()) leave(job);
        }
      }
    },
    submitSingly: () => {
      singly = true;
    },
    next: (nowMs) => {
      if (jobs.size === 0) return { kind: 'finished' };
      if (outstanding >= requestsMax) return { kind: 'wait', untilMs: Number.POSITIVE_INFINITY };
      if (!guard.allows(unanswered, nowMs))
        return { kind: 'wait', untilMs: guard.opensAtMs(unanswered, nowMs) };
      const all = [...lanes.values()];
      turn += 1;
      let wakeMs = Number.POSITIVE_INFINITY;
      for (let step = 0; step < all.length; step += 1) {
        const lane = all[(turn + step) % all.length]!;
        const action = laneNext(lane, nowMs);
        if (action !== undefined) return action;
        wakeMs = Math.min(wakeMs, laneWakesMs(lane, nowMs));
      }
      return { kind: 'wait', untilMs: wakeMs };
    },
    settled: (id, outcome, nowMs) => {
      const job = jobs.get(id);
      if (job?.doing === undefined) throw new Error(`nothing was under way for job ${id}`);
      const { doing } = job;
      job.doing = undefined;
      outstanding -= 1;
      if (job.ticket !== undefined) {
        job.lane.pacer.answered(job.ticket, { rate: {} }, nowMs);
        job.ticket = undefined;
        unanswered -= 1;
      }
      if (doing === 'submit') settleSubmit(job, outcome, nowMs);
      else if (doing === 'poll') settlePoll(job, outcome);
      else if (outcome.kind === 'again') job.lane.owed.set(job, outcome.notBeforeMs);
      else leave(job);
    },
    answered: (model, answer, nowMs) => {
      const lane = laneOf(model);
      const job = answer.job === undefined ? undefined : jobs.get(answer.job);
      lane.pacer.answered(job?.ticket, answer, nowMs);
      if (job?.ticket !== undefined) {
        job.ticket = undefined;
        unanswered -= 1;
      }
      guard.answered(answer.status, nowMs);
    },
    limits: (perMinute) => {
      for (const [model, amount] of perMinute) limits.set(model, amount);
      for (const lane of lanes.values()) {
        const amount = limits.get(lane.model) ?? limits.get('');
        if (amount !== undefined) lane.pacer.limit(amount);
      }
    },
    estimate: (nowMs) => {
      let pausedUntilMs: number | undefined;
      for (const lane of lanes.values()) pausedUntilMs ??= lane.pacer.pausedUntilMs(nowMs);
      return {
        expectedRunMs: (id) => jobs.get(id)?.lane.times.survival().meanMs,
        ...(pausedUntilMs === undefined ? {} : { pausedUntilMs }),
      };
    },
  };
};
