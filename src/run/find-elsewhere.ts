import type { Settled } from '../scheduler/scheduler.js';
import { again } from './again.js';
import type { Job, RunContext } from './context.js';
import { finishJob } from './finish-job.js';
import { newestOf, recordOutcome } from './record.js';
import { isStoreFault, isUploaded } from './upload.js';

/**
 * Before a job is given up: a file that was stored before and is being fetched again may be in the audio store. Another
 * machine may have uploaded it meanwhile, and deleted the remote copy.
 *
 * @returns `undefined` if it is not there
 */
export async function findElsewhere(context: RunContext, job: Job): Promise<Settled | undefined> {
  const attempt = newestOf(context, job);
  const { file } = attempt;
  if (file === undefined) return undefined;
  try {
    if (!(await isUploaded(context, attempt))) return undefined;
  } catch (error) {
    if (!isStoreFault(error)) throw error;
    return again(context, job, `could not look for ${job.key} in the audio store: ${error.message}`);
  }
  if (await recordOutcome(context, job, { kind: 'stored', file })) await finishJob(context, job);
  return { kind: 'gone' };
}
