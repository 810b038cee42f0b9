import { emitNotice } from '../core/emit-notice.js';
import { BatchError, describeFault, faultCode } from '../core/errors.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { StoreFault } from '../lockfile/lock-store.js';
import type { Job, RunContext } from './context.js';
import { stopAll, stopBuying } from './context.js';
import { reportStoreFault } from './final-check.js';

/** Makes the intent durable: from then on the take is this run's to buy. If that fails, the reason is reported. */
export async function claim(context: RunContext, job: Job, intent: Attempt): Promise<boolean> {
  const claimed = await recordIntent(context, job, intent);
  context.followOthers();
  return claimed;
}

async function recordIntent(context: RunContext, job: Job, intent: Attempt): Promise<boolean> {
  try {
    const recorded = await context.store.record(intent, context.limits);
    if (recorded === 'over_budget') stopBuying(context, 'over_budget');
    else if (recorded !== 'recorded') reportTaken(context, job);
    return recorded === 'recorded';
  } catch (error) {
    // The log may have recovered since: then only the error knows what happened.
    const fault = context.store.fault() ?? faultOfLog(error);
    if (fault?.kind === 'log') reportStoreFault(context, fault);
    else {
      stopAll(context, 'lockfile');
      const code = faultCode(error);
      emitNotice(
        context,
        'error',
        'lockfile-unwritable',
        `the lockfile cannot be written (${code || 'error'}): ${job.key} was not submitted`,
        `${describeFault(code).repair}, then: ${context.settings.command('run')}`,
      );
    }
    return false;
  }
}

function faultOfLog(error: unknown): StoreFault | undefined {
  const isOfLog = error instanceof BatchError && error.code.startsWith('state-');
  return isOfLog ? { kind: 'log', error } : undefined;
}

/** Once per run: if several runs share the work, most takes belong to other runs. */
function reportTaken(context: RunContext, job: Job): void {
  // What becomes of it is the other run's to report.
  job.postponed = undefined;
  if (context.takenReported) return;
  context.takenReported = true;
  emitNotice(
    context,
    'info',
    'taken',
    `another run is buying ${job.key}: this run skips it, and every other take that another run has claimed`,
  );
}
