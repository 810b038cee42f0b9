import type { RunContext } from './context.js';
import type { ProgressCounts } from './progress-state.js';

export function emitProgress(context: RunContext, { counts }: ProgressCounts, nowMs: number): void {
  const { scheduler, ceiling } = context;
  const { remainingMs, pausedUntilMs } = scheduler.estimate(nowMs);
  context.emit({
    type: 'progress',
    time: new Date(nowMs).toISOString(),
    total: counts.unsubmitted + counts.active + counts.done + counts.failed + counts.left,
    done: counts.done,
    active: counts.active,
    failed: counts.failed,
    spent_micro_usd: ceiling.spentMicroUsd(),
    approved_micro_usd: ceiling.approvedMicroUsd,
    remaining_ms_low: remainingMs === undefined ? null : Math.round(remainingMs.low),
    remaining_ms_high: remainingMs === undefined ? null : Math.round(remainingMs.high),
    paused_until: pausedUntilMs === undefined ? null : new Date(pausedUntilMs).toISOString(),
  });
}
