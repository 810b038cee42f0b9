import path from 'node:path';
import { emitNotice } from '../core/emit-notice.js';
import { BatchError, EXIT, faultCode, isSystemFault, unreachable } from '../core/errors.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { Settled } from '../scheduler/scheduler.js';
import { makeDurable } from '../storage/link-into-place.js';
import { classifyComplete } from '../venice/complete-outcome.js';
import { again } from './again.js';
import { isClosedToKey, stopIfRefused } from './close-model.js';
import type { Job, RunContext } from './context.js';
import { emitTake, observeRate } from './context.js';
import { finishJob } from './finish-job.js';
import { underAnotherKey } from './poll.js';
import { newestOf, recordOutcome } from './record.js';
import { stateOf } from './recover.js';
import {
  isStoreFault,
  isUploaded,
  type Refusal,
  refusalOf,
  reportRefused,
  type Uploaded,
  uploadFile,
} from './upload.js';

const GONE: Settled = { kind: 'gone' };
/** Gone without a request, so that it does not count against the request limits. */
const UNSENT: Settled = { kind: 'gone', unsent: true };
/** `success: false` means later, usually some seconds. */
const RETRY_PAUSE_MS = 5_000;
const REFUSALS_MAX = 6;
/** A file that goes missing repeatedly within one run is left to the next one. */
const FETCHED_AGAIN_MAX = 2;

/**
 * A lockfile may name jobs of another one, whose audio has not been downloaded yet. What this key did not make and
 * download under this lockfile is left to the service, which deletes it eventually.
 */
function warnRemoteLeft(context: RunContext, job: Job): void {
  if (context.remoteLeftReported) return;
  context.remoteLeftReported = true;
  emitNotice(
    context,
    'warning',
    'remote-copy-left',
    `the remote copy of ${job.key} is not deleted: the lockfile does not show that this API key made it (reported only once)`,
  );
}

/**
 * Deletes the remote copy of a stored job. Repeated until confirmed, if necessary by a later run. The local file is
 * read once more right before: if it is gone or changed, the remote copy is the only one, and is fetched again.
 */
export async function cleanUpJob(context: RunContext, job: Job): Promise<Settled> {
  const found = await lookForFile(context, job);
  if (typeof found === 'object') return found;
  // Read again: the check may have taken a while, and another job may have moved the file.
  const attempt = newestOf(context, job);
  if (attempt.state !== 'stored' || attempt.queue_id === undefined) return GONE;
  if (isClosedToKey(context, attempt.model)) return UNSENT;
  // Not until the lockfile itself says that the file is stored.
  if (context.store.fault()?.kind === 'displaced') return GONE;
  if (found === 'gone') return fetchAgain(context, job, attempt);
  if (!(await isShared(context, attempt))) {
    const fault = context.store.fault();
    // With these credentials it never will be.
    if (fault?.kind === 'log' && fault.error.exitCode === EXIT.authentication)
      return leaveCopy(context, fault.error.message, 'credentials');
    // The log was changed by others, which was reported. Until it is restored, it takes nothing.
    if (fault?.kind === 'log' && fault.error.exitCode === EXIT.lockfile) return GONE;
    return again(context, job, `the remote copy of ${job.key} is kept: ${NOT_SHARED}`);
  }
  if (!context.keySignature.isFetched(attempt)) {
    warnRemoteLeft(context, job);
    await finishJob(context, job);
    return GONE;
  }
  const unsafe = await secureEarlier(context, job, attempt);
  if (unsafe !== undefined) return unsafe;
  if (context.halt.signal.aborted) return GONE;
  const notBeforeMs = context.scheduler.pausedUntilMs(job.id, context.ports.clock.nowMs());
  if (notBeforeMs !== undefined) return { kind: 'again', notBeforeMs, unsent: true };
  const result = await context.client.complete(attempt.model, attempt.queue_id);
  observeRate(context, job, attempt.model, result);
  const outcome = classifyComplete(result);
  switch (outcome.kind) {
    case 'deleted':
      await finishJob(context, job);
      return GONE;
    case 'not_deleted': {
      job.failures += 1;
      const notBeforeMs = context.ports.clock.nowMs() + RETRY_PAUSE_MS;
      return job.failures > REFUSALS_MAX ? GONE : { kind: 'again', notBeforeMs };
    }
    case 'unknown_id':
      if (!underAnotherKey(context, job, attempt)) await finishJob(context, job);
      return GONE;
    case 'refused':
      stopIfRefused(context, attempt.model, outcome);
      return GONE;
    case 'ask_again':
      return again(
        context,
        job,
        `could not delete the remote copy of ${job.key}: ${outcome.failure.message}`,
        outcome.failure,
      );
    default:
      return unreachable(outcome);
  }
}

/** With `--keep` nothing is deleted: a stored file that is safe is done. */
export async function settleKept(context: RunContext, job: Job): Promise<Settled> {
  const found = await lookForFile(context, job);
  if (typeof found === 'object') return found;
  const attempt = newestOf(context, job);
  if (attempt.state !== 'stored') return GONE;
  if (found === 'gone') return fetchAgain(context, job, attempt);
  await finishJob(context, job);
  return GONE;
}

/**
 * Whether the file is safe: on this disk, and in the audio store if there is one. Otherwise returns what to do about
 * its job.
 */
async function lookForFile(context: RunContext, job: Job): Promise<'safe' | 'gone' | Settled> {
  try {
    const found = (await isStillStored(context, job))
      ? await isUploadedNow(context, job)
      : await isAnywhereElse(context, job);
    if (typeof found === 'boolean') return found ? 'safe' : 'gone';
    if (found.refused) return leaveCopy(context, found.failed, found.refused);
    return again(context, job, `the remote copy of ${job.key} is kept: ${found.failed}`);
  } catch (error) {
    if (!isSystemFault(error) && !isStoreFault(error)) throw error;
    const refused = refusalOf(error);
    if (refused) return leaveCopy(context, (error as Error).message, refused);
    const why = isStoreFault(error) ? error.message : faultCode(error);
    return again(context, job, `could not read the file of ${job.key} (${why}), so its remote copy is kept`);
  }
}

/**
 * This run synced what it stored. What was here before may have been put back by others since it was synced. The sync
 * takes a while, so the file is read once more after it.
 *
 * @returns what to do instead of deleting the remote copy
 */
async function secureEarlier(context: RunContext, job: Job, attempt: Attempt): Promise<Settled | undefined> {
  if (context.made.has(attempt.attempt)) return undefined;
  const unsynced = await syncFile(context, attempt);
  if (unsynced !== undefined)
    return again(
      context,
      job,
      `could not sync the file of ${job.key} (${unsynced}), so its remote copy is kept`,
    );
  const found = await lookForFile(context, job);
  if (found === 'safe') return undefined;
  return found === 'gone' ? fetchAgain(context, job, newestOf(context, job)) : found;
}

/** @returns the code of the disk's fault */
async function syncFile(
  { output, audio }: RunContext,
  { file, move_to }: Attempt,
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  // It may be at either end of an unfinished move.
  for (const place of move_to === undefined ? [file.path] : [file.path, move_to])
    try {
      await makeDurable(output.files, path.join(output.root, place));
      return undefined;
    } catch (error) {
      if (!isSystemFault(error)) throw error;
      if (faultCode(error) !== 'ENOENT') return faultCode(error);
    }
  // The audio store has it. Without one, the remote copy is the only one now: the next try fetches it again.
  return audio === undefined ? 'ENOENT' : undefined;
}

const NOT_SHARED = 'the shared log does not record yet that its file is stored';

/**
 * Whether the shared log, if there is one, says that the file is stored. Otherwise, if this machine were lost now,
 * other machines would find the job gone and not know where its audio is.
 */
async function isShared({ store: { sharing } }: RunContext, attempt: Attempt): Promise<boolean> {
  if (sharing === undefined || sharing.has(attempt)) return true;
  try {
    await sharing.refresh();
  } catch (error) {
    if (!(error instanceof BatchError)) throw error;
  }
  return sharing.has(attempt);
}

/** Without the audio store this disk would have the only copy. */
function leaveCopy(context: RunContext, why: string, refused: Refusal): Settled {
  reportRefused(context, why, refused);
  return GONE;
}

/**
 * Files stored before there was an audio store have to be uploaded too, so that this disk does not have the only copy.
 */
async function isUploadedNow(context: RunContext, job: Job): Promise<boolean | Exclude<Uploaded, string>> {
  const attempt = newestOf(context, job);
  const { file } = attempt;
  if (file === undefined || context.audio === undefined) return true;
  if (await isUploaded(context, attempt)) return true;
  const uploaded = await uploadFile(context, file);
  return typeof uploaded === 'object' ? uploaded : uploaded === 'banked';
}

function isAnywhereElse(context: RunContext, job: Job): Promise<boolean> {
  return isUploaded(context, newestOf(context, job));
}

/** Whether the stored file is there, byte for byte. Throws the `FileFault` of a disk that cannot be read. */
async function isStillStored(context: RunContext, job: Job): Promise<boolean> {
  for (;;) {
    const attempt = newestOf(context, job);
    for (const place of [attempt.file?.path, attempt.move_to])
      if (place !== undefined && (await stateOf(context, attempt, 'hash', place)) === 'present') return true;
    // Unless it was moved meanwhile, it is gone.
    if (newestOf(context, job).rev === attempt.rev) return false;
  }
}

/** Puts the job back in flight: the service still has the audio. */
async function fetchAgain(context: RunContext, job: Job, attempt: Attempt): Promise<Settled> {
  const file = attempt.file?.path ?? '';
  const place = context.settings.placeOf?.(file) ?? file;
  const host = context.store.sharing?.keptBy(attempt);
  emitNotice(
    context,
    'warning',
    'file-gone',
    host === undefined
      ? `${place} was removed or changed before its remote copy was deleted: ${job.key} is fetched again, at no cost`
      : `${place} is only on ${host}: ${job.key} is fetched here, too, at no cost`,
  );
  if (!(await recordOutcome(context, job, { kind: 'local_copy_lost' }))) return GONE;
  context.made.delete(attempt.attempt);
  job.fetchedAgain += 1;
  emitTake(context, job, 'queued');
  return job.fetchedAgain > FETCHED_AGAIN_MAX ? GONE : { kind: 'queued' };
}
