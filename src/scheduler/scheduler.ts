import type { PacedAnswer } from './pacer.js';
import type { Requests, RouteHistory } from './rate-limiter.js';
import type { Route } from './route.js';

/**
 * Decides which request is worth most at each moment, and when there is none, until when to wait. A
 * deterministic state machine: all input comes through its calls, time included. It never gives two
 * actions for one job at a time: an action given out must be answered with `settled`.
 */
export interface Scheduler {
  /** A take to be submitted. Takes of equal `model` and `durationSeconds` are alike to the scheduler. */
  addTake(job: string, about: JobKind): void;
  /** A job in flight from an earlier run. */
  addInFlight(job: string, about: JobKind, queuedAtMs: number, nowMs: number): void;
  /** A stored job whose clean-up is due. */
  addCleanUp(job: string, about: JobKind): void;
  /** A take that somebody else submits is not submitted here. Returns whether it was left: not where its submit is under way. */
  leave(job: string): boolean;
  /** Requests of others on the same key, as they become known: when they were sent, ms. */
  sentElsewhere(route: Route, sentMs: readonly number[], nowMs: number): void;
  /** So many runs on the same key work side by side, this one included: each keeps to an equal part of the request limits. */
  shareWith(runs: number): void;
  /** No more submits. What is queued goes on. */
  stopSubmitting(): void;
  /** At most one submit under way at a time from now on. */
  submitSingly(): void;
  /** What is worth most now. Other than `wait`, the action counts as begun (and its request as sent). */
  next(nowMs: number): Action;
  /**
   * Until when the request of an action must not leave, ms, because a 429 or a refusal came after `next` returned it. Such an
   * action is settled as `unsent`. `undefined`: it may leave.
   */
  pausedUntilMs(job: string, nowMs: number): number | undefined;
  /** Reports the result of an action returned by `next`. */
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
  /** Requests a minute by route, as 429s of this run showed them: for the next run to begin with. */
  lessons(): Requests;
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
  /** Nothing before then, unless an event comes first. `Infinity`: only an event can change that. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** Nothing is left to do or to wait for. */
  | { readonly kind: 'finished' };

export type Settled =
  /** Submitted. Of a clean-up: not made, the job is in flight again. */
  | { readonly kind: 'queued' }
  /** Not made, and to be made again (a submit, a poll or a clean-up), not before `notBeforeMs`; after a day at the latest. */
  | {
      readonly kind: 'again';
      readonly notBeforeMs: number;
      /** No request was made. */
      readonly unsent?: true;
    }
  | { readonly kind: 'running'; readonly averageExecutionMs?: number; readonly executionMs?: number }
  /** The audio came and is safe; `clean`: a clean-up is due. `readyAtMs`: when the answer with the audio began. */
  | { readonly kind: 'stored'; readonly clean: boolean; readonly readyAtMs: number }
  /** Leaves the scheduler: cleaned up, failed, rejected, in doubt, or given up for this run. */
  | {
      readonly kind: 'gone';
      /** Of a submit: no request was made. */
      readonly unsent?: true;
    };

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
  /** Leave the remote media: no clean-up is ever due. */
  readonly keep?: boolean;
  /** Run times known from the lockfile, ms. */
  readonly history?: readonly (JobKind & { readonly runMs: number })[];
  /** What earlier runs learned of the request budget of each route. */
  readonly routes?: Readonly<Partial<Record<Route, RouteHistory>>>;
  readonly nowMs?: number;
}
