import { emitNotice } from '../core/emit-notice.js';
import { describeFault, faultCode } from '../core/errors.js';
import type { Attempt, LimitedRoute } from '../lockfile/attempt.js';
import { compareRecords } from '../lockfile/fold-attempts.js';
import { sealed } from '../lockfile/key-signature.js';
import { writeRescue } from '../lockfile/rescue.js';
import type { Job, RunContext } from './context.js';
import { stopAll } from './context.js';
import { advance, isRelevant, type Observation } from './transition.js';

const RETRY_DELAYS_MS = [200, 1_000, 3_000];

/** The newest record of the job's attempt: another job may have moved its file since. */
export function newestOf({ store }: RunContext, { key, attempt }: Job): Attempt {
  if (attempt === undefined) throw new Error(`bug: nothing was submitted for ${key}`);
  const known = store.newest(attempt.attempt);
  return known !== undefined && compareRecords(known, attempt) > 0 ? known : attempt;
}

/**
 * Makes an observation durable by all means, because money depends on it. Retries the lockfile, then writes a rescue
 * file elsewhere, and as the last resort prints the id on the screen. After the lockfile failed, no more requests are
 * sent to the service.
 *
 * @returns whether it is durable in the lockfile itself, and nothing newer was recorded
 */
export async function recordOutcome(
  context: RunContext,
  job: Job,
  observation: Observation,
): Promise<boolean> {
  const before = newestOf(context, job);
  if (!isRelevant(before, observation)) {
    job.attempt = before;
    return false;
  }
  const limits = limitsToRecord(context);
  const advanced = advance(before, observation, context.ports.clock.nowMs());
  const attempt = sealed(
    context.keySignature,
    before,
    limits === undefined ? advanced : { ...advanced, limits },
  );
  let fault: unknown;
  for (const delayMs of [0, ...RETRY_DELAYS_MS]) {
    if (delayMs > 0) await context.ports.clock.sleep(delayMs);
    try {
      const recorded = await context.store.record(attempt);
      job.attempt = recorded === 'recorded' ? attempt : (context.store.newest(attempt.attempt) ?? attempt);
      if (limits !== undefined && recorded === 'recorded') context.limitsRecorded = limits;
      return recorded === 'recorded';
    } catch (error) {
      fault = error;
    }
  }
  job.attempt = attempt;
  stopAll(context, 'lockfile');
  const rescue = await writeRescue(context.ports.files, context.rescue, context.store.header, attempt);
  const code = faultCode(fault);
  const { repair } = describeFault(code);
  const what = `the lockfile cannot be written (${code || 'error'}); ${job.key} is ${attempt.state}`;
  const id = attempt.queue_id === undefined ? `attempt ${attempt.attempt}` : `queue_id ${attempt.queue_id}`;
  if (rescue === undefined)
    emitNotice(
      context,
      'error',
      'record-lost',
      `${what}, ${id}, model ${attempt.model}: write this down, it is recorded nowhere else`,
      `${repair}, then: ${goingOn(context, attempt)}`,
    );
  else
    emitNotice(
      context,
      'error',
      'record-rescued',
      `${what}; its record is in ${rescue}`,
      `${repair}, then run the same command again: the rescue file is found automatically`,
    );
  return false;
}

const LIMITED_ROUTES: readonly LimitedRoute[] = ['retrieve', 'complete'];

/** Request limits learned from 429s in this run that are not recorded yet. */
function limitsToRecord({ scheduler, limitsRecorded }: RunContext): Attempt['limits'] {
  const learnedLimits = scheduler.learnedLimits();
  if (LIMITED_ROUTES.every((route) => learnedLimits[route] === limitsRecorded[route])) return undefined;
  return Object.fromEntries(
    LIMITED_ROUTES.flatMap((route) =>
      learnedLimits[route] === undefined ? [] : [[route, learnedLimits[route]]],
    ),
  );
}

function goingOn({ settings }: RunContext, { attempt, queue_id: queueId }: Attempt): string {
  return queueId === undefined
    ? settings.command('resolve')
    : settings.command('resolve', attempt, '--queue-id', queueId);
}
