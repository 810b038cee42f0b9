import type { PacedAnswer } from './pacer.js';
import type { RateLimiter, Requests, RouteHistory } from './rate-limiter.js';
import type { Route } from './route.js';

/**
 * Decides which request is worth the most at each moment, or how long to wait. A deterministic state machine: all
 * input, including time, comes through its calls. It never returns two actions for one job at a time: report each
 * action with `settled`.
 */
export interface Scheduler {
  /** Adds a take to submit. The scheduler treats takes with equal `model` and `durationSeconds` alike. */
  addTake(job: string, about: JobKind): void;
  /** Adds a job that an earlier run left in flight. */
  addInFlight(job: string, about: JobKind, queuedAtMs: number, nowMs: number): void;
  /** Adds a stored job whose clean-up is due. */
  addCleanUp(job: string, about: JobKind): void;
  /** Drops a take that this run no longer submits. Returns `false` if its submit is already in flight. */
  leave(job: string): boolean;
  /** Adds requests that others sent with the same key, with their send times in ms. */
  sentElsewhere(route: Route, sentMs: readonly number[], nowMs: number): void;
  /** Sets how many runs share the key, this one included. Each uses an equal part of the request limits. */
  shareWith(runs: number): void;
  /** Stops submitting. Queued jobs are still collected. */
  stopSubmitting(): void;
  /** From now on, allows only one submit in flight at a time. */
  submitSingly(): void;
  /** The most valuable action now. Unless it is `wait` or `finished`, it counts as started and its request as sent. */
  next(nowMs: number): Action;
  /**
   * Until when the request of an action must not be sent, in ms, because a 429 or a refusal came after `next` returned
   * it. Such an action is settled as `unsent`. `undefined`: it may be sent.
   */
  pausedUntilMs(job: string, nowMs: number): number | undefined;
  /** How often in a row the model of a job refused submits because it is overloaded, offline or at capacity. */
  refusalsInARow(job: string): number;
  /** Reports the result of an action returned by `next`. */
  settled(job: string, outcome: Settled, nowMs: number): void;
  /**
   * Reports the rate limit headers of a response made for `model` as soon as they arrive, or that no response came (no
   * status). `job` names the action that it answers; `route` a request that the scheduler did not choose.
   */
  answered(
    model: string,
    answer: PacedAnswer & { readonly job?: string; readonly route?: Route },
    nowMs: number,
  ): void;
  /** Sets the key's limits as stated by the service, in requests a minute by model (`''`: default). */
  limits(perMinute: ReadonlyMap<string, number>): void;
  /** Requests a minute by route, as learned from 429s in this run, for the next run to start with. */
  learnedLimits(): Requests;
  /** Estimates the remaining time. */
  estimate(nowMs: number): Estimate;
}

export interface JobKind {
  readonly model: string;
  /** Absent if the model has no duration. */
  readonly durationSeconds?: number;
}

export type Action =
  | { readonly kind: 'submit'; readonly job: string }
  | { readonly kind: 'poll'; readonly job: string }
  | { readonly kind: 'complete'; readonly job: string }
  /** Nothing to do before `untilMs`, unless an event comes first. `Infinity`: only an event can change that. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** Nothing left to do or to wait for. */
  | { readonly kind: 'finished' };

export type Settled =
  /** The job was submitted. For a clean-up: it was not made, and the job is in flight again. */
  | { readonly kind: 'queued' }
  /** The operation failed and is to be repeated, not before `notBeforeMs` and after an hour at the latest. */
  | {
      readonly kind: 'again';
      readonly notBeforeMs: number;
      /** No request was sent. */
      readonly unsent?: true;
    }
  | { readonly kind: 'running'; readonly averageExecutionMs?: number; readonly executionMs?: number }
  /** The audio is stored. `clean`: a clean-up is due. `readyAtMs`: when the response with the audio began. */
  | { readonly kind: 'stored'; readonly clean: boolean; readonly readyAtMs: number }
  /** The job leaves the scheduler: cleaned up, failed, rejected, in doubt, or given up for this run. */
  | {
      readonly kind: 'gone';
      /** For a submit: no request was sent. */
      readonly unsent?: true;
    };

export interface Estimate {
  /** Time to the end of the run in ms, as a range. Absent while nothing is known. */
  readonly remainingMs?: { readonly low: number; readonly high: number };
  /** The expected run time of a job in flight, in ms. */
  expectedRunMs(job: string): number | undefined;
  /** Set while all requests wait for the rate limit: when that ends. */
  readonly pausedUntilMs?: number;
}

export interface ScheduleOptions {
  /** Jobs in flight at most. Absent: as many as the request budget can keep up with. */
  readonly concurrency?: number;
  /** Requests in flight at most. Default 16. */
  readonly requestsMax?: number;
  /** Keep the remote media: no clean-ups. */
  readonly keep?: boolean;
  /** Run times recorded in the lockfile, in ms. */
  readonly history?: readonly (JobKind & { readonly runMs: number })[];
  /** What earlier runs learned about the request budget of each route. */
  readonly routes?: Readonly<Partial<Record<Route, RouteHistory>>>;
  readonly nowMs?: number;
  /** That earlier requests of this run went through. Absent: there were none. */
  readonly limiter?: RateLimiter | undefined;
}
