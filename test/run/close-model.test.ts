import { expect, it } from 'vitest';
import { closeModel, createDrop } from '../../src/run/close-model.js';
import { newJob, type RunContext } from '../../src/run/context.js';
import { countProgress } from '../../src/run/progress-state.js';
import { createScheduler } from '../../src/scheduler/create-scheduler.js';

/** A run with ten takes of a model and one of another, of which one of the first is being submitted. */
function stage() {
  const scheduler = createScheduler({});
  const jobs = new Map(
    Array.from({ length: 11 }, (_, at) => {
      const purchase = { request: { model: at < 10 ? 'busy' : 'good', prompt: 'Rain' } } as never;
      return [`job-${at}`, newJob(`job-${at}`, `take-${at}`, { purchase })] as const;
    }),
  );
  for (const job of jobs.values()) scheduler.addTake(job.id, { model: job.purchase!.request.model });
  const progress = countProgress(jobs.values());
  const notices: string[] = [];
  const context = {
    scheduler,
    ports: { clock: { nowMs: () => 0 } },
    closedModels: new Map(),
    settings: { command: (verb: string) => verb },
    stopReasons: new Set(),
    emit: ({ code }: { code: string }) => notices.push(code),
    dropUnsubmitted: createDrop({ scheduler }, jobs, progress),
  } as unknown as RunContext;
  return { context, scheduler, jobs, counts: progress.counts, notices };
}

it.each(['refused', 'retired', 'offline', 'busy'] as const)(
  'a model that is closed (%s) is reported once, and what is not submitted yet takes no more of the run',
  (because) => {
    const { context, scheduler, jobs, counts, notices } = stage();
    const first = scheduler.next(0);
    expect(first.kind).toBe('submit');
    for (let count = 0; count < 2; count += 1) closeModel(context, 'busy', because, { message: 'no' });
    expect(notices).toHaveLength(1);
    expect([...jobs.values()].filter(({ over }) => over)).toHaveLength(9);
    expect(counts).toMatchObject({ unsubmitted: 2, left: 9 });
    scheduler.settled('job' in first ? first.job : '', { kind: 'gone' }, 0);
    expect(scheduler.next(0)).toEqual({ kind: 'submit', job: 'job-10' });
    scheduler.settled('job-10', { kind: 'gone' }, 0);
    expect(scheduler.next(0)).toEqual({ kind: 'finished' });
  },
);
