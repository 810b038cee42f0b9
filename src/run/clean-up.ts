import { unreachable } from '../errors.js';
import type { Settled } from '../scheduler/scheduler.js';
import { classifyComplete } from '../venice/complete-outcome.js';
import { again, finishJob, underAnotherKey } from './collect.js';
import type { Job, RunContext } from './context.js';
import { isClosedToKey, notice, stopIfRefused, tellRate } from './context.js';
import { newestOf } from './record.js';

const GONE: Settled = { kind: 'gone' };
/** `success: false` means later: some seconds usually do. */
const RETRY_PAUSE_MS = 5_000;
const REFUSALS_MAX = 6;

/**
 * A lockfile may name the jobs of another one, whose audio nobody has yet. What this key did not make and fetch under
 * this lockfile is left to the service, which deletes it in time.
 */
function tellLeft(context: RunContext, job: Job): void {
  if (context.remoteLeftTold) return;
  context.remoteLeftTold = true;
  notice(
    context,
    'warning',
    'remote-copy-left',
    `the remote copy of ${job.key} is not deleted: the lockfile does not show that this API key made it; reported once`,
  );
}

/** Deletes the remote copy of a job that is in custody. Owed until it is confirmed; a later run goes on. */
export async function cleanUpJob(context: RunContext, job: Job): Promise<Settled> {
  const attempt = newestOf(context, job);
  if (attempt.state !== 'stored' || attempt.queue_id === undefined) return GONE;
  if (isClosedToKey(context, attempt.model)) return GONE;
  // Owed until the lockfile itself says that the file is stored.
  if (context.store.trouble()?.kind === 'displaced') return GONE;
  if (!context.keySeal.isFetched(attempt)) {
    tellLeft(context, job);
    await finishJob(context, job);
    return GONE;
  }
  const result = await context.client.complete(attempt.model, attempt.queue_id);
  tellRate(context, job, attempt.model, result);
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
      );
    default:
      return unreachable(outcome);
  }
}
