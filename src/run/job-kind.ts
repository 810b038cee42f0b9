import type { Attempt } from '../lockfile/attempt.js';
import type { LockStore } from '../lockfile/lock-store.js';
import type { JobKind } from '../scheduler/scheduler.js';

/** No job is older: the service does not keep them longer. */
const JOB_AGE_MS_MAX = 7 * 24 * 3_600_000;

/** How long finished jobs ran, for the scheduler to start from. */
export function runTimes(store: LockStore): (JobKind & { runMs: number })[] {
  const known: (JobKind & { runMs: number })[] = [];
  for (const attempt of store.attempts.values())
    if (attempt.run_ms !== undefined && attempt.run_ms <= JOB_AGE_MS_MAX)
      known.push({ ...kindOf(attempt), runMs: attempt.run_ms });
  return known;
}

export function kindOf(about: { model: string; duration_seconds?: number }): JobKind {
  return about.duration_seconds === undefined
    ? { model: about.model }
    : { model: about.model, durationSeconds: about.duration_seconds };
}

/** When the job was queued. A time that is missing, in the future or long past is replaced with a plausible one. */
export function queuedMs({ at }: Attempt, nowMs: number): number {
  const reportedMs = Date.parse(at.queued ?? at.intent ?? '');
  return Number.isNaN(reportedMs) ? nowMs : Math.min(nowMs, Math.max(nowMs - JOB_AGE_MS_MAX, reportedMs));
}
