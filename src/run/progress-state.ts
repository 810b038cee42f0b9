import type { Job } from './context.js';

/** Where a job stands. `left`: nothing more is done about it in this run, a later one goes on. */
export type Standing = 'unsubmitted' | 'active' | 'done' | 'failed' | 'left';

/** How many jobs stand where. */
export interface Standings {
  readonly counts: Readonly<Record<Standing, number>>;
  /** A step of a job is over. */
  moved(from: Standing, to: Standing): void;
  /** One more job. */
  joined(at: Standing): void;
}

export function standingOf({ attempt, over }: Job): Standing {
  const state = attempt?.state;
  if (state === 'stored' || state === 'done') return 'done';
  if (over) return state === undefined || state === 'queued' ? 'left' : 'failed';
  return state === undefined || state === 'rejected' ? 'unsubmitted' : 'active';
}

/** Counted as they move: a run may have tens of thousands of jobs, and tells its progress five times a second. */
export function createStandings(jobs: Iterable<Job>): Standings {
  const counts = { unsubmitted: 0, active: 0, done: 0, failed: 0, left: 0 };
  for (const job of jobs) counts[standingOf(job)] += 1;
  return {
    counts,
    moved(from, to) {
      counts[from] -= 1;
      counts[to] += 1;
    },
    joined(at) {
      counts[at] += 1;
    },
  };
}
