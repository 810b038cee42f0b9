import type { Job, RunContext } from './context.js';

/** Tells the reporters how far the run is. */
export function tellProgress(context: RunContext, jobs: ReadonlyMap<string, Job>, nowMs: number): void {
  const { scheduler, ceiling } = context;
  let done = 0;
  let active = 0;
  let failed = 0;
  for (const job of jobs.values()) {
    const state = job.attempt?.state;
    if (state === 'stored' || state === 'done') done += 1;
    else if (job.over && job.attempt !== undefined && state !== 'queued') failed += 1;
    else if (state === 'queued' || state === 'intent') active += 1;
  }
  const { remainingMs, pausedUntilMs } = scheduler.estimate(nowMs);
  context.emit({
    type: 'progress',
    time: new Date(nowMs).toISOString(),
    total: jobs.size,
    done,
    active,
    failed,
    spent_micro_usd: ceiling.spentMicroUsd(),
    approved_micro_usd: ceiling.approvedMicroUsd,
    remaining_ms_low: remainingMs?.low ?? null,
    remaining_ms_high: remainingMs?.high ?? null,
    paused_until: pausedUntilMs === undefined ? null : new Date(pausedUntilMs).toISOString(),
  });
}
