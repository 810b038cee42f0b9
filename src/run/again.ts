import { emitNotice } from '../core/emit-notice.js';
import type { Settled } from '../scheduler/scheduler.js';
import type { Job, RunContext } from './context.js';
import { stopAll } from './context.js';

/** Consecutive useless responses before the job is left for the next run. */
export const FAILURES_MAX = 12;
const BACK_OFF_MS_MAX = 60_000;
/**
 * After this time without a response, and this many consecutive failures for one job, the service counts as unreachable.
 */
const UNANSWERED_MS_MAX = 2 * 60_000;
const UNANSWERED_MIN = 3;
/** Interval between reports of trouble with the service, for all jobs together. */
const TROUBLE_EVERY_MS = 30_000;

const GONE: Settled = { kind: 'gone' };

/** A growing pause. After too many in a row the job is left for the next run. */
export function again(context: RunContext, job: Job, what: string): Settled {
  job.failures += 1;
  if (job.failures > FAILURES_MAX) {
    context.stopReasons.add('unavailable');
    emitNotice(context, 'warning', 'given-up', `${what}; left for the next run after ${FAILURES_MAX} tries`);
    return GONE;
  }
  const nowMs = context.ports.clock.nowMs();
  const unansweredMs = nowMs - (context.unansweredSinceMs ?? nowMs);
  if (unansweredMs >= UNANSWERED_MS_MAX && job.failures >= UNANSWERED_MIN) {
    stopUnanswered(context, what);
    return GONE;
  }
  if (nowMs - context.troubleReportedMs >= TROUBLE_EVERY_MS && !context.halt.signal.aborted) {
    context.troubleReportedMs = nowMs;
    emitNotice(context, 'warning', 'retrying', `${what}; trying again`);
  }
  const pauseMs = Math.min(BACK_OFF_MS_MAX, 2_000 * 2 ** (job.failures - 1));
  return { kind: 'again', notBeforeMs: nowMs + pauseMs };
}

/** Endless polling would only keep the user waiting: a later run continues from here. */
function stopUnanswered(context: RunContext, what: string): void {
  if (context.halt.signal.aborted) return;
  const minutes = UNANSWERED_MS_MAX / 60_000;
  emitNotice(
    context,
    'error',
    'no-answer',
    `${what}; no response for ${minutes} minutes: what is in flight is left for the next run`,
    `once the service can be reached: ${context.settings.command('collect')}`,
  );
  stopAll(context, 'unavailable');
}
