import { takeKey } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { LockStore } from '../lockfile/lock-store.js';
import type { Take } from '../manifest/take.js';
import { takeId } from '../plan/history.js';
import type { Purchase } from '../plan/plan.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import { type Job, newJob, type RunContext, type RunSettings } from './context.js';
import { kindOf, queuedMs } from './job-kind.js';
import { isOurs } from './other-runs.js';

/** By `takeId`. */
export function takesOf(takes: readonly Take[]): ReadonlyMap<string, Take> {
  return new Map(takes.map((take) => [takeId(take), take]));
}

/** Adds everything that this run has to do to the scheduler: what is in flight and what is to be bought. */
export function createJobs(
  {
    store,
    purchases,
    settings,
  }: {
    readonly store: LockStore;
    readonly purchases: readonly Purchase[];
    readonly settings: Pick<RunSettings, 'takeOver'>;
  },
  takes: ReadonlyMap<string, Take>,
  scheduler: Scheduler,
  nowMs: number,
): Map<string, Job> {
  const jobs = new Map<string, Job>();
  for (const attempt of store.attempts.values())
    if (settings.takeOver === true || isOurs(store, attempt)) enter(jobs, takes, scheduler, attempt, nowMs);
  for (const purchase of startingAt(purchases, store.sharing?.run)) {
    const job = newJob(`take:${purchase.take.key}`, purchase.take.key, { take: purchase.take, purchase });
    jobs.set(job.id, job);
    scheduler.addTake(job.id, kindOf(purchase.request));
  }
  return jobs;
}

/** Adds what another run had in flight and this one takes over. `undefined` if there is nothing to do. */
export function addAttempt(
  { scheduler, ports, store }: Pick<RunContext, 'scheduler' | 'ports' | 'store'>,
  jobs: Map<string, Job>,
  takes: ReadonlyMap<string, Take>,
  attempt: Attempt,
): Job | undefined {
  // What this run submitted is a job already. If it was given up, it stays so unless another run has worked on it since.
  const isHere = store.sharing?.holderOf(attempt).kind !== 'elsewhere';
  for (const job of jobs.values())
    if (job.attempt?.attempt === attempt.attempt && (isHere || !job.over)) return undefined;
  return enter(jobs, takes, scheduler, attempt, ports.clock.nowMs());
}

function enter(
  jobs: Map<string, Job>,
  takes: ReadonlyMap<string, Take>,
  scheduler: Scheduler,
  attempt: Attempt,
  nowMs: number,
): Job | undefined {
  if (attempt.queue_id === undefined) return undefined;
  const take = takes.get(takeId(attempt));
  const job = newJob(`attempt:${attempt.attempt}`, take?.key ?? takeKey(attempt), {
    attempt,
    ...(take === undefined ? {} : { take }),
  });
  if (attempt.state === 'queued' || attempt.state === 'unverified')
    scheduler.addInFlight(job.id, kindOf(attempt), queuedMs(attempt, nowMs), nowMs);
  else if (attempt.state === 'stored') scheduler.addCleanUp(job.id, kindOf(attempt));
  else return undefined;
  jobs.set(job.id, job);
  return job;
}

/** Runs that share a batch start at different places, so that they rarely claim the same take at once. */
function startingAt(purchases: readonly Purchase[], run: string | undefined): readonly Purchase[] {
  if (run === undefined || purchases.length === 0) return purchases;
  const start = Number.parseInt(run.slice(0, 8), 16) % purchases.length;
  return [...purchases.slice(start), ...purchases.slice(0, start)];
}
