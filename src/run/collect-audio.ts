import { emitNotice } from '../core/emit-notice.js';
import { describeFault, unreachable } from '../core/errors.js';
import type { Attempt, StoredFile } from '../lockfile/attempt.js';
import type { Settled } from '../scheduler/scheduler.js';
import type { Retrieved } from '../venice/client.js';
import { again } from './again.js';
import type { Job, RunContext } from './context.js';
import { emitTake, stopAll, stopBuying } from './context.js';
import { findElsewhere } from './find-elsewhere.js';
import { finishJob } from './finish-job.js';
import { recordOutcome } from './record.js';
import { storeAudio } from './store-file.js';
import { reportRefused, type Uploaded, uploadFile } from './upload.js';

/** A run time is recorded only if it is known to within this many ms. */
const RUN_TIME_DOUBT_MS_MAX = 10 * 60_000;

/** If each download of a short file differs in length, the service may cut each of them: the user decides. */
const UNCONFIRMED_MAX = 4;

const GONE: Settled = { kind: 'gone' };

/** Stores the audio of a job, and returns what is left to do for it. */
export async function collectAudio(
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
      // Not final: it is fetched again, at no cost, until a disk other than this one has it.
      if (uploaded !== 'banked' && !refused)
        return again(context, job, `could not upload ${job.key} to the audio store: ${whyNot(uploaded)}`);
      if (refused) reportRefused(context, uploaded.failed, refused);
      const known = await recordOutcome(context, job, {
        kind: 'stored',
        file: outcome.file,
        ...runTime(attempt, job, readyAtMs),
      });
      emitTake(context, job, 'stored', { path: outcome.file.path, bytes: outcome.file.bytes });
      if (!known) return GONE;
      job.failures = 0;
      context.made.add(attempt.attempt);
      // Only this disk has it, which is not enough. The clean-up, which needs it in the store, is left for a later run.
      if (refused) return { kind: 'stored', clean: false, readyAtMs };
      if (context.settings.keep) {
        await finishJob(context, job);
        return { kind: 'stored', clean: false, readyAtMs };
      }
      return { kind: 'stored', clean: true, readyAtMs };
    }
    case 'unconfirmed':
      await recordKept(context, job, attempt);
      if (job.unconfirmed >= UNCONFIRMED_MAX) return leaveUnverified(context, job, outcome, 'incomplete');
      if (compared) return again(context, job, `no two downloads of ${job.key} match`);
      return { kind: 'again', notBeforeMs: nowMs };
    case 'broken':
      return again(context, job, `the download of ${job.key} was cut off (${outcome.code})`);
    case 'mismatch':
      if (job.mismatches < 2) {
        await recordKept(context, job, attempt);
        return { kind: 'again', notBeforeMs: nowMs };
      }
      return (
        (await findElsewhere(context, job)) ?? (await leaveUnverified(context, job, outcome, outcome.code))
      );
    case 'disk':
      emitNotice(
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

/** Until it is recorded, the user cannot accept it, and a run after a crash does not know of it. */
async function recordKept(context: RunContext, job: Job, { kept }: Attempt): Promise<void> {
  if (job.kept === undefined || kept?.sha256 === job.kept.sha256) return;
  await recordOutcome(context, job, { kind: 'kept', kept: job.kept });
}

async function leaveUnverified(
  context: RunContext,
  job: Job,
  { kept }: { readonly kept: StoredFile | undefined },
  code: string,
): Promise<Settled> {
  await recordOutcome(context, job, { kind: 'not_verifiable', code, kept });
  if (job.attempt?.state !== 'unverified') return GONE;
  emitTake(context, job, 'unverified', { code });
  if (context.settings.failFast) stopBuying(context, 'fail_fast');
  return GONE;
}

function whyNot(uploaded: Exclude<Uploaded, 'banked'>): string {
  return uploaded === 'changed' ? 'its file was changed' : uploaded.failed;
}

/**
 * How long the job ran, if that is known well: half-way between the last "still running" and when the audio was first
 * seen.
 */
function runTime(attempt: Attempt, job: Job, readyAtMs: number): { runMs?: number } {
  const queuedMs = Date.parse(attempt.at.queued ?? '');
  if (job.lastRunningMs === undefined || Number.isNaN(queuedMs)) return {};
  const runningMs = Math.max(job.lastRunningMs, queuedMs);
  if (readyAtMs - runningMs > RUN_TIME_DOUBT_MS_MAX) return {};
  return { runMs: Math.max(0, (runningMs + readyAtMs) / 2 - queuedMs) };
}
