import { emitNotice } from '../core/emit-notice.js';
import { unreachable } from '../core/errors.js';
import { serviceMs } from '../core/rate-headers.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { Settled } from '../scheduler/scheduler.js';
import type { CallResult, Retrieved } from '../venice/client.js';
import {
  classifyRetrieve,
  type JobFailure,
  type ResponseTime,
  type RetrieveOutcome,
  refundBasis,
} from '../venice/retrieve-outcome.js';
import { again, FAILURES_MAX } from './again.js';
import { isClosedToKey, stopIfRefused } from './close-model.js';
import { collectAudio } from './collect-audio.js';
import type { Job, RunContext } from './context.js';
import { emitTake, observeRate, stopBuying } from './context.js';
import { findElsewhere } from './find-elsewhere.js';
import { queuedMs } from './job-kind.js';
import { newestOf, recordOutcome } from './record.js';
import { expectation } from './submit.js';
import { stableCode } from './transition.js';

/**
 * Pauses between responses with the right key after which the media count as gone: longer than a brief failure of the
 * service.
 */
const UNKNOWN_ID_PAUSES_MS = [5_000, 30_000];
/** Until it is known how long jobs of a model take, one is expected to take this long. */
const RUN_MS_UNKNOWN = 3 * 60_000;
/** A job that was seen running for this long is left for the next run. */
const HORIZON_MS = 6 * 3_600_000;
/**
 * Time between two polls of one job counts up to this much: the machine may have slept, or the process been stopped.
 */
const LOOKS_APART_MS_MAX = 2 * 60_000;

const GONE: Settled = { kind: 'gone' };
/** Gone without a request, so that it does not count against the request limits. */
const UNSENT: Settled = { kind: 'gone', unsent: true };

/** Reports what is in flight from an earlier run. */
export function emitResumed(context: RunContext, job: Job): void {
  const { attempt } = job;
  if (attempt?.state !== 'queued' && attempt?.state !== 'unverified') return;
  const queuedAt = attempt.at.queued ?? attempt.at.intent;
  const since = queuedAt === undefined ? {} : { queued_at: queuedAt };
  emitTake(context, job, 'queued', { ...since, ...expectation(context, job) });
}

/** Polls one job, and stores the audio when it is ready. */
export async function pollJob(context: RunContext, job: Job): Promise<Settled> {
  const attempt = newestOf(context, job);
  if (attempt.queue_id === undefined || isClosedToKey(context, attempt.model)) return UNSENT;
  const askedMs = context.ports.clock.nowMs();
  const result = await context.client.retrieve(attempt.model, attempt.queue_id);
  const nowMs = context.ports.clock.nowMs();
  const answered = { nowMs, serviceMs: serviceMs(result.rate, nowMs) };
  observeRate(context, job, attempt.model, result);
  if (result.ok) job.unknownId = 0;
  const outcome = classifyRetrieve(result);
  noteServerErrors(context, job, result, outcome, nowMs);
  switch (outcome.kind) {
    case 'running':
      return afterRunning(context, job, outcome, askedMs);
    case 'audio':
      return collectAudio(context, job, attempt, outcome, nowMs);
    case 'failed':
      return afterJobFailure(context, job, attempt, outcome.failure, answered);
    case 'maybe_failed':
      return afterServerError(context, job, attempt, outcome.failure, answered);
    case 'unknown_id':
      return afterUnknownId(context, job, attempt, outcome);
    case 'refused':
      stopIfRefused(context, attempt.model, outcome);
      return GONE;
    case 'ask_again':
      return again(
        context,
        job,
        pollFailure(job, outcome.failure),
        outcome.failure,
        ifLeft(context, attempt),
      );
    default:
      return unreachable(outcome);
  }
}

function pollFailure(job: Job, { message }: { readonly message: string }): string {
  return `polling ${job.key} failed: ${message}`;
}

/** For a job whose every poll is refused. */
function ifLeft({ settings: { command } }: RunContext, { attempt }: Attempt): string {
  return `it is paid for, and may still be made: see whether a newer version of venice-batch can collect it, or ask the service about it; to give it up: ${command('resolve', attempt, '--charged')}`;
}

/** A 429 says nothing about the job, or about the health of the service. */
function noteServerErrors(
  { serverErrors }: RunContext,
  job: Job,
  result: CallResult<Retrieved>,
  outcome: RetrieveOutcome,
  nowMs: number,
): void {
  if (outcome.kind === 'maybe_failed' || (!result.ok && result.status === 429)) return;
  if (result.ok || (result.kind === 'refused' && result.plain !== true)) serverErrors.answered(job.id, nowMs);
  else serverErrors.interrupted(job.id);
}

function afterRunning(
  context: RunContext,
  job: Job,
  running: Retrieved & { kind: 'running' },
  askedMs: number,
): Settled {
  job.failures = 0;
  watch(job, askedMs);
  const { averageExecutionMs, executionMs } = running;
  if (averageExecutionMs !== undefined) job.expectedMs = averageExecutionMs;
  if (!job.expectationReported) {
    const known =
      averageExecutionMs === undefined ? expectation(context, job) : { expected_ms: averageExecutionMs };
    if (known.expected_ms !== undefined) {
      job.expectationReported = true;
      emitTake(context, job, 'running', known);
    }
  }
  if (job.watchedMs > HORIZON_MS) {
    emitNotice(
      context,
      'warning',
      'still-running',
      `${job.key} is still running after ${HORIZON_MS / 3_600_000} hours: it is left for the next run`,
    );
    return GONE;
  }
  return {
    kind: 'running',
    ...(averageExecutionMs === undefined ? {} : { averageExecutionMs }),
    ...(executionMs === undefined ? {} : { executionMs }),
  };
}

/** Records that the job is running. Only time in which this run was awake counts. */
function watch(job: Job, askedMs: number): void {
  job.watchedMs += Math.min(LOOKS_APART_MS_MAX, askedMs - (job.lastRunningMs ?? askedMs));
  job.lastRunningMs = askedMs;
}

async function afterJobFailure(
  context: RunContext,
  job: Job,
  attempt: Attempt,
  failed: JobFailure,
  answered: ResponseTime,
): Promise<Settled> {
  const elsewhere = await findElsewhere(context, job);
  if (elsewhere !== undefined) return elsewhere;
  const refund = refundBasis(failed, Date.parse(attempt.at.intent ?? ''), answered);
  await recordOutcome(context, job, {
    kind: 'job_failed',
    code: stableCode(failed.code),
    ...(failed.status === undefined ? {} : { status: failed.status }),
    refund,
    kept: job.kept,
  });
  if (job.attempt?.state !== 'failed') return GONE;
  emitTake(context, job, 'failed', {
    ...(failed.status === undefined ? {} : { status: failed.status }),
    code: failed.code,
    message: failed.message,
    ...(failed.suggestedPrompt === undefined ? {} : { suggested_prompt: failed.suggestedPrompt }),
  });
  if (context.settings.failFast) stopBuying(context, 'fail_fast');
  return GONE;
}

/** Counts as a verdict only if repeated past the expected time, by a service that otherwise works. */
async function afterServerError(
  context: RunContext,
  job: Job,
  attempt: Attempt,
  failure: JobFailure,
  answered: ResponseTime,
): Promise<Settled> {
  const { nowMs } = answered;
  const expectedMs =
    job.expectedMs ?? context.scheduler.estimate(nowMs).expectedRunMs(job.id) ?? RUN_MS_UNKNOWN;
  job.queuedMs ??= queuedMs(attempt, nowMs);
  const expectedAtMs = job.queuedMs + Math.min(expectedMs, HORIZON_MS);
  if (context.serverErrors.came(job.id, expectedAtMs, nowMs)) {
    if ((await context.client.models()).ok) return afterJobFailure(context, job, attempt, failure, answered);
  } else {
    // While it may still be running or the verdict is not final, it is not given up.
    job.failures = Math.min(job.failures, FAILURES_MAX - 1);
  }
  return again(context, job, pollFailure(job, failure));
}

/** One such response proves nothing, with another key none does, and a gateway's none while the service is down. */
async function afterUnknownId(
  context: RunContext,
  job: Job,
  attempt: Attempt,
  { status, unclear }: RetrieveOutcome & { kind: 'unknown_id' },
): Promise<Settled> {
  const nowMs = context.ports.clock.nowMs();
  if (underAnotherKey(context, job, attempt)) return GONE;
  // An earlier run has asked as often as it takes: once more shows whether that was an outage.
  const wasGone = attempt.state === 'unverified' && attempt.reason?.code === 'not_found';
  const pauseMs = wasGone ? undefined : UNKNOWN_ID_PAUSES_MS[job.unknownId];
  job.unknownId += 1;
  if (pauseMs !== undefined) return { kind: 'again', notBeforeMs: nowMs + pauseMs };
  if (unclear !== undefined && !(await context.client.models()).ok)
    return again(context, job, pollFailure(job, unclear), unclear);
  return (await findElsewhere(context, job)) ?? vanished(context, job, status, unclear?.message);
}

async function vanished(context: RunContext, job: Job, status: number, message?: string): Promise<Settled> {
  const isRecorded = await recordOutcome(context, job, { kind: 'vanished', status, kept: job.kept });
  const state = job.attempt?.state;
  if (state !== 'lost' && !(isRecorded && state === 'unverified')) return GONE;
  emitTake(context, job, state, { status, code: 'not_found', ...(message === undefined ? {} : { message }) });
  if (context.settings.failFast) stopBuying(context, 'fail_fast');
  return GONE;
}

/** Whether an unknown id means nothing because another key submitted the job. Reports that. */
export function underAnotherKey(context: RunContext, job: Job, attempt: Attempt): boolean {
  if (context.keySignature.isSameKey(attempt)) return false;
  const ifGone =
    attempt.state === 'stored'
      ? `to leave the remote copy in place: ${context.settings.command('collect', '--keep')}`
      : `to record what became of the attempt: ${context.settings.command('resolve', attempt.attempt, '--charged')}`;
  emitNotice(
    context,
    'warning',
    'other-key',
    `${job.key} was submitted under another API key, and this one cannot see it: its state is unknown`,
    `run again with the key that submitted it; if that key is lost, ${ifGone}`,
  );
  return true;
}
