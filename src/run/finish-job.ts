import { emitTake, type Job, type RunContext } from './context.js';
import { recordOutcome } from './record.js';

/** Records that nothing is left to ask the service about this job. */
export async function finishJob(context: RunContext, job: Job): Promise<void> {
  await recordOutcome(context, job, { kind: 'cleaned_up' });
  const path = job.attempt?.file?.path;
  emitTake(context, job, 'done', path === undefined ? {} : { path });
}
