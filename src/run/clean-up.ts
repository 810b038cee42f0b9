import { again, finishJob, underAnotherKey } from './collect.js';
import type { Job, RunContext } from './context.js';
import { stopIfKeyRefused, tellRate } from './context.js';
import { newestOf } from './record.js';
import type { Settled } from './schedule.js';

const GONE: Settled = { kind: 'gone' };
/** `success: false` means later: some seconds usually do. */
const RETRY_PAUSE_MS = 5_000;
const REFUSALS_MAX = 6;

/** Deletes the remote copy of a job that is in custody. Owed until it is confirmed; a later run goes on. */
export async function cleanUpJob(context: RunContext, job: Job): Promise<Settled> {
  const attempt = newestOf(context, job);
  if (attempt.state !== 'stored' || attempt.queue_id === undefined) return GONE;
  const result = await context.client.complete(attempt.model, attempt.queue_id);
  const nowMs = context.ports.clock.nowMs();
  tellRate(context, attempt.model, result);
  if (result.ok && result.value) {
    await finishJob(context, job);
    return GONE;
  }
  if (result.ok) {
    job.failures += 1;
    return job.failures > REFUSALS_MAX ? GONE : { kind: 'again', notBeforeMs: nowMs + RETRY_PAUSE_MS };
  }
  if (result.kind === 'refused' && result.status === 404) {
    if (underAnotherKey(context, job, attempt)) return GONE;
    await finishJob(context, job);
    return GONE;
  }
  if (stopIfKeyRefused(context, result)) return GONE;
  return again(context, job, `the remote copy of ${job.key} cannot be deleted: ${result.message}`);
}
