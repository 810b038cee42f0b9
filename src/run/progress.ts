import type { OtherRunsWaitedFor } from '../core/events.js';
import type { RunContext } from './context.js';
import type { ProgressCounts } from './progress-state.js';

/** @param others what this run waits for, if it has nothing left to do: how long that takes is not known */
export function emitProgress(
  context: RunContext,
  { counts }: ProgressCounts,
  nowMs: number,
  others?: OtherRunsWaitedFor,
): void {
  const { scheduler, ceiling } = context;
  const estimate = scheduler.estimate(nowMs);
  const { pausedUntilMs } = estimate;
  const remainingMs = others === undefined ? estimate.remainingMs : undefined;
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
    ...(others === undefined ? {} : { other_runs: others }),
  });
}
