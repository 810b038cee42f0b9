import { emitNotice } from '../core/emit-notice.js';
import type { Settled } from '../scheduler/scheduler.js';
import type { CallFailure } from '../venice/client.js';
import type { Job, RunContext } from './context.js';
import { stopAll } from './context.js';

/** Consecutive useless responses before the job is left for the next run. */
export const FAILURES_MAX = 12;
/** The same for refusals that time does not change: with pauses, half a minute, in case the service is being updated. */
const REFUSALS_MAX = 4;
const BACK_OFF_MS_MAX = 60_000;
/**
 * After this time without a response, and this many consecutive failures for one job, the service counts as unreachable.
 */
const UNANSWERED_MS_MAX = 2 * 60_000;
const UNANSWERED_MIN = 3;
/** Interval between reports of trouble with the service, for all jobs together. */
const TROUBLE_EVERY_MS = 30_000;

const GONE: Settled = { kind: 'gone' };

/**
 * A growing pause. After too many in a row the job is left for the next run.
 *
 * @param failure the useless response, if there was one
 * @param ifLasting what to do if time does not change it
 */
export function again(
  context: RunContext,
  job: Job,
  what: string,
  failure?: CallFailure,
  ifLasting?: string,
): Settled {
  job.failures += 1;
  const lasting = failure !== undefined && isLasting(failure);
  const triesMax = lasting ? REFUSALS_MAX : FAILURES_MAX;
  if (job.failures > triesMax) {
    context.stopReasons.add('unavailable');
    const message = `${what}; left for the next run after ${job.failures} tries`;
    emitNotice(context, 'warning', 'given-up', message, lasting ? ifLasting : undefined);
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

/** A refusal that time does not change. Repeating the request uses up the key's error budget. */
export function isLasting({ kind, status = 0 }: CallFailure): boolean {
  return kind === 'refused' && status >= 400 && status < 500 && !PASSING.has(status);
}

/** Request timeout, too early, too many requests. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

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
