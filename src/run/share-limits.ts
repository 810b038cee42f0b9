import type { Ports } from '../core/ports.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { LockStore, Sharing } from '../lockfile/lock-store.js';
import { mayPass } from '../plan/decide.js';
import { takeId } from '../plan/history.js';
import type { Job, RunContext } from './context.js';
import { kindOf } from './job-kind.js';
import { type ProgressCounts, progressOf } from './progress-state.js';

type Following = Pick<RunContext, 'scheduler' | 'buying'> & {
  readonly ports: Pick<Ports, 'clock'>;
  readonly store: Pick<LockStore, 'attempts'> & {
    readonly sharing?: Pick<Sharing, 'unseen' | 'runs'> | undefined;
  };
};

/**
 * Applies what the log says about other runs: takes that they claimed are left to them until released, and the key's
 * request limits are shared with them. Returns a function to call whenever the log was read.
 */
export function followOthers(
  context: Following,
  jobs: ReadonlyMap<string, Job>,
  progressCounts: ProgressCounts,
): () => void {
  const { scheduler, store, ports } = context;
  const { sharing } = store;
  if (sharing === undefined) return () => {};
  const open = new Map<string, Job>();
  for (const job of jobs.values())
    if (job.take !== undefined && job.purchase !== undefined) open.set(takeId(job.take), job);
  /** By the attempt that another run made for the take. */
  const left = new Map<string, Job>();
  const leave = (job: Job) => {
    const before = progressOf(job);
    if (!scheduler.leave(job.id)) return;
    job.over = true;
    job.postponed = undefined;
    progressCounts.moved(before, progressOf(job));
  };
  const rejoin = () => {
    for (const [attempt, job] of left) {
      const { purchase } = job;
      if (purchase === undefined || !job.over || !isFreeAgain(store.attempts.get(attempt))) continue;
      left.delete(attempt);
      if (!context.buying) continue;
      const before = progressOf(job);
      job.over = false;
      scheduler.addTake(job.id, kindOf(purchase.request));
      progressCounts.moved(before, progressOf(job));
    }
  };
  // What existed when the run was planned is already in its history.
  sharing.unseen();
  const follow = () => {
    const nowMs = ports.clock.nowMs();
    scheduler.shareWith(sharing.runs());
    rejoin();
    const unseen = sharing.unseen().filter(({ state }) => state !== 'rejected');
    if (unseen.length === 0) return;
    const sentMs = unseen.map(({ at }) => Math.min(nowMs, Date.parse(at.queued ?? at.intent ?? '') || nowMs));
    scheduler.sentElsewhere('queue', sentMs, nowMs);
    for (const attempt of unseen) {
      const job = open.get(takeId(attempt));
      if (job === undefined) continue;
      left.set(attempt.attempt, job);
      leave(job);
    }
  };
  follow();
  return follow;
}

/**
 * The other run was temporarily refused, and may end before it retries: whichever run is first then buys the take. A
 * refusal of the take itself would be the same for any run.
 */
function isFreeAgain(attempt: Attempt | undefined): boolean {
  return attempt !== undefined && mayPass(attempt);
}
