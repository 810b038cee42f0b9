import type { Job } from './context.js';

/** State of a job. `left`: this run is done with it, and a later one continues. */
export type Progress = 'unsubmitted' | 'active' | 'done' | 'failed' | 'left';

export interface ProgressCounts {
  readonly counts: Readonly<Record<Progress, number>>;
  /** A job has changed its state. */
  moved(from: Progress, to: Progress): void;
  /** A job was added. */
  joined(at: Progress): void;
}

export function progressOf({ attempt, over }: Job): Progress {
  const state = attempt?.state;
  if (state === 'stored' || state === 'done') return 'done';
  if (over) return state === undefined || state === 'queued' ? 'left' : 'failed';
  return state === undefined || state === 'rejected' ? 'unsubmitted' : 'active';
}

/** Counted incrementally: a run may have tens of thousands of jobs, and reports progress five times a second. */
export function countProgress(jobs: Iterable<Job>): ProgressCounts {
  const counts = { unsubmitted: 0, active: 0, done: 0, failed: 0, left: 0 };
  for (const job of jobs) counts[progressOf(job)] += 1;
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

export function onlyCleanUpsLeft({ counts }: ProgressCounts): boolean {
  return counts.unsubmitted === 0 && counts.active === 0;
}
