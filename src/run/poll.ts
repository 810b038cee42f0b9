import { describeFault, unreachable } from '../core/errors.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { Settled } from '../scheduler/scheduler.js';
import type { CallResult, Retrieved } from '../venice/client.js';
import {
  classifyRetrieve,
  type JobFailure,
  type RetrieveOutcome,
  refundBasis,
} from '../venice/retrieve-outcome.js';
import { again, FAILURES_MAX } from './again.js';
import type { Job, RunContext } from './context.js';
import {
  emitTake,
  isClosedToKey,
  notice,
  observeRate,
  stopAll,
  stopBuying,
  stopIfRefused,
} from './context.js';
import { newestOf, recordOutcome } from './record.js';
import { storeAudio } from './store-file.js';
import { expectation } from './submit.js';
import { stableCode } from './transition.js';
import { tellRefused, type Uploaded, uploadFile } from './upload.js';

/** Between the answers under the right key after which the media count as gone: longer than a service stumbles. */
const UNKNOWN_ID_PAUSES_MS = [5_000, 30_000];
/** A job that was seen running for so long is left for the next run. */
const HORIZON_MS = 6 * 3_600_000;
/** Two looks at one job are no further apart, unless the machine slept or the process was stopped. */
const LOOKS_APART_MS_MAX = 2 * 60_000;

const GONE: Settled = { kind: 'gone' };

/** A run time is recorded only where the looks around its end leave no more doubt than this, ms. */
const RUN_TIME_DOUBT_MS_MAX = 10 * 60_000;

/** Names what is in flight from an earlier run. */
export function emitResumed(context: RunContext, job: Job): void {
  const { attempt } = job;
  if (attempt?.state !== 'queued' && attempt?.state !== 'unverified') return;
  const queuedAt = attempt.at.queued ?? attempt.at.intent;
  const since = queuedAt === undefined ? {} : { queued_at: queuedAt };
  emitTake(context, job, 'queued', { ...since, ...expectation(context, job) });
}

/** Asks for one job, and takes the audio into custody when it is ready. */
export async function pollJob(context: RunContext, job: Job): Promise<Settled> {
  const attempt = newestOf(context, job);
  if (attempt.queue_id === undefined || isClosedToKey(context, attempt.model)) return GONE;
  const askedMs = context.ports.clock.nowMs();
  const result = await context.client.retrieve(attempt.model, attempt.queue_id);
  const nowMs = context.ports.clock.nowMs();
  observeRate(context, job, attempt.model, result);
  if (result.ok) job.unknownId = 0;
  const outcome = classifyRetrieve(result);
  noteServerErrors(context, job, result, outcome, nowMs);
  switch (outcome.kind) {
    case 'running':
      return afterRunning(context, job, outcome, askedMs);
    case 'audio':
      return afterAudio(context, job, attempt, outcome, nowMs);
    case 'failed':
      return afterJobFailure(context, job, attempt, outcome.failure);
    case 'maybe_failed':
      return afterServerError(context, job, attempt, outcome.failure, nowMs);
    case 'unknown_id':
      return afterUnknownId(context, job, attempt, outcome.status);
    case 'refused':
      stopIfRefused(context, attempt.model, outcome);
      return GONE;
    case 'ask_again':
      return again(context, job, cannotAsk(job, outcome.failure));
    default:
      return unreachable(outcome);
  }
}

function cannotAsk(job: Job, { message }: { readonly message: string }): string {
  return `could not poll ${job.key}: ${message}`;
}

/** A 429 says nothing about the job, and nothing about the health of the service. */
function noteServerErrors(
  { serverErrors }: RunContext,
  job: Job,
  result: CallResult<Retrieved>,
  outcome: RetrieveOutcome,
  nowMs: number,
): void {
  if (outcome.kind === 'maybe_failed' || (!result.ok && result.status === 429)) return;
  if (result.ok || result.kind === 'refused') serverErrors.answered(job.id, nowMs);
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
    notice(
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

/** Notes that the job runs. Only time in which this run was awake to see it counts. */
function watch(job: Job, askedMs: number): void {
  job.watchedMs += Math.min(LOOKS_APART_MS_MAX, askedMs - (job.lastRunningMs ?? askedMs));
  job.lastRunningMs = askedMs;
}

async function afterJobFailure(
  context: RunContext,
  job: Job,
  attempt: Attempt,
  failed: JobFailure,
): Promise<Settled> {
  const refund = refundBasis(failed, Date.parse(attempt.at.intent ?? ''), context.ports.clock.nowMs());
  await recordOutcome(context, job, {
    kind: 'job_failed',
    code: stableCode(failed.code),
    ...(failed.status === undefined ? {} : { status: failed.status }),
    refund,
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

/** A verdict only once it is repeated past the expected time, by a service that is otherwise there. */
async function afterServerError(
  context: RunContext,
  job: Job,
  attempt: Attempt,
  failure: JobFailure,
  nowMs: number,
): Promise<Settled> {
  const expectedMs = job.expectedMs ?? context.scheduler.estimate(nowMs).expectedRunMs(job.id) ?? 0;
  const submittedMs = Date.parse(attempt.at.queued ?? attempt.at.intent ?? '') || nowMs;
  const expectedAtMs = submittedMs + Math.min(expectedMs, HORIZON_MS);
  if (context.serverErrors.came(job.id, expectedAtMs, nowMs)) {
    if ((await context.client.models()).ok) return afterJobFailure(context, job, attempt, failure);
  } else {
    // While it may still be running or the verdict is not due, it is not given up.
    job.failures = Math.min(job.failures, FAILURES_MAX - 1);
  }
  return again(context, job, cannotAsk(job, failure));
}

async function afterAudio(
  context: RunContext,
  job: Job,
  attempt: Attempt,
  audio: Retrieved & { kind: 'audio' },
  readyAtMs: number,
): Promise<Settled> {
  emitTake(context, job, 'downloading');
  const compared = job.lastDownload !== undefined;
  const outcome = await storeAudio(context, job, attempt, audio);
  const nowMs = context.ports.clock.nowMs();
  switch (outcome.kind) {
    case 'stored': {
      const uploaded = await uploadFile(context, outcome.file);
      const refused = typeof uploaded === 'object' && uploaded.refused;
      // Not stored for good: it is fetched again, at no cost, until another disk than this one has it.
      if (uploaded !== 'banked' && !refused)
        return again(context, job, `could not upload ${job.key} to the audio store: ${whyNot(uploaded)}`);
      if (refused) tellRefused(context, uploaded.failed);
      const known = await recordOutcome(context, job, {
        kind: 'stored',
        file: outcome.file,
        ...runTime(attempt, job, readyAtMs),
      });
      emitTake(context, job, 'stored', { path: outcome.file.path, bytes: outcome.file.bytes });
      if (!known) return GONE;
      job.failures = 0;
      context.made.add(attempt.attempt);
      // This disk has it, which is not enough: the clean-up, which looks for it in the store, is left for a later run.
      if (refused) return { kind: 'stored', clean: false, readyAtMs };
      if (context.settings.keep) {
        await finishJob(context, job);
        return { kind: 'stored', clean: false, readyAtMs };
      }
      return { kind: 'stored', clean: true, readyAtMs };
    }
    case 'unconfirmed':
      if (compared) return again(context, job, `no two downloads of ${job.key} match`);
      return { kind: 'again', notBeforeMs: nowMs };
    case 'broken':
      return again(context, job, `the download of ${job.key} was cut off (${outcome.code})`);
    case 'mismatch':
      if (job.mismatches < 2) return { kind: 'again', notBeforeMs: nowMs };
      await recordOutcome(context, job, {
        kind: 'not_verifiable',
        code: outcome.code,
        kept: outcome.kept,
      });
      if (job.attempt?.state !== 'unverified') return GONE;
      emitTake(context, job, 'unverified', { code: outcome.code });
      if (context.settings.failFast) stopBuying(context, 'fail_fast');
      return GONE;
    case 'disk':
      notice(
        context,
        'error',
        'storage',
        `the file of ${job.key} cannot be written: ${describeFault(outcome.code).what} (${outcome.code || 'error'}); it is paid for and still on the server`,
        `${describeFault(outcome.code).fix}, then collect it at no cost: ${context.settings.command('collect')}`,
      );
      stopAll(context, 'storage');
      return GONE;
    default:
      return unreachable(outcome);
  }
}

function whyNot(uploaded: Exclude<Uploaded, 'banked'>): string {
  return uploaded === 'changed' ? 'its file was changed' : uploaded.failed;
}

/** Records that nothing more is to be asked of the service for this job. */
export async function finishJob(context: RunContext, job: Job): Promise<void> {
  await recordOutcome(context, job, { kind: 'cleaned_up' });
  const path = job.attempt?.file?.path;
  emitTake(context, job, 'done', path === undefined ? {} : { path });
}

/** How long the job ran, where that is known well: half-way between the last "still runs" and the first sight of the audio. */
function runTime(attempt: Attempt, job: Job, readyAtMs: number): { runMs?: number } {
  const queuedMs = Date.parse(attempt.at.queued ?? '');
  if (job.lastRunningMs === undefined || Number.isNaN(queuedMs)) return {};
  const runningMs = Math.max(job.lastRunningMs, queuedMs);
  if (readyAtMs - runningMs > RUN_TIME_DOUBT_MS_MAX) return {};
  return { runMs: Math.max(0, (runningMs + readyAtMs) / 2 - queuedMs) };
}

/** One stray answer proves nothing, and under another key none does. */
async function afterUnknownId(
  context: RunContext,
  job: Job,
  attempt: Attempt,
  status: number,
): Promise<Settled> {
  const nowMs = context.ports.clock.nowMs();
  if (underAnotherKey(context, job, attempt)) return GONE;
  const pauseMs = UNKNOWN_ID_PAUSES_MS[job.unknownId];
  job.unknownId += 1;
  if (pauseMs !== undefined) return { kind: 'again', notBeforeMs: nowMs + pauseMs };
  await recordOutcome(context, job, { kind: 'vanished', status });
  if (job.attempt?.state !== 'lost') return GONE;
  emitTake(context, job, 'lost', { status, code: 'not_found' });
  if (context.settings.failFast) stopBuying(context, 'fail_fast');
  return GONE;
}

/** Whether an unknown id means nothing, since another key submitted the job; reports so. */
export function underAnotherKey(context: RunContext, job: Job, attempt: Attempt): boolean {
  if (context.keySignature.isSameKey(attempt)) return false;
  const ifGone =
    attempt.state === 'stored'
      ? `this leaves the remote copy where it is: ${context.settings.command('collect', '--keep')}`
      : `record what became of the attempt: ${context.settings.command('resolve', attempt.attempt, '--charged')}`;
  notice(
    context,
    'warning',
    'other-key',
    `${job.key} was submitted under another API key, and this one cannot see it: its state is unknown`,
    `run again with the key that submitted it; if that key is gone for good, ${ifGone}`,
  );
  return true;
}
