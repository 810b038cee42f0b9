import { takeId } from '../plan/history.js';
import type { Job, RunContext } from './context.js';
import { type ProgressCounts, progressOf } from './progress-state.js';

/**
 * Follows the other runs of a shared log as far as the log was read: takes that they claimed are left to them, and the request limits
 * of the key are shared with them. Returns what to call whenever the log was read.
 */
export function followOthers(
  context: RunContext,
  jobs: ReadonlyMap<string, Job>,
  progressCounts: ProgressCounts,
): () => void {
  const { scheduler, store, ports } = context;
  const { sharing } = store;
  if (sharing === undefined) return () => {};
  const open = new Map<string, Job>();
  for (const job of jobs.values())
    if (job.take !== undefined && job.purchase !== undefined) open.set(takeId(job.take), job);
  const leave = (job: Job) => {
    const before = progressOf(job);
    if (!scheduler.leave(job.id)) return;
    job.over = true;
    progressCounts.moved(before, progressOf(job));
  };
  // What was there when the run was planned, its history tells.
  sharing.news();
  const follow = () => {
    const nowMs = ports.clock.nowMs();
    scheduler.shareWith(sharing.runs());
    const news = sharing.news().filter(({ state }) => state !== 'rejected');
    if (news.length === 0) return;
    const sentMs = news.map(({ at }) => Math.min(nowMs, Date.parse(at.queued ?? at.intent ?? '') || nowMs));
    scheduler.sentElsewhere('queue', sentMs, nowMs);
    for (const attempt of news) {
      const job = open.get(takeId(attempt));
      if (job !== undefined) leave(job);
    }
  };
  follow();
  return follow;
}
