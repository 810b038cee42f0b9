import type { RateHeaders } from '../venice/client.js';

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
  /** Rate facts of an answer (or none), for each request made on behalf of `model`, also those the scheduler did not choose. */
  answered(
    model: string,
    answer: { readonly status?: number; readonly rate: RateHeaders },
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
