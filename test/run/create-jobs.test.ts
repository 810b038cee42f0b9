import { expect, it } from 'vitest';
import type { Holder } from '../../src/lockfile/lock-store.js';
import type { Job, RunContext } from '../../src/run/context.js';
import { newJob } from '../../src/run/context.js';
import { addAttempt } from '../../src/run/create-jobs.js';
import { createScheduler } from '../../src/scheduler/create-scheduler.js';
import { attempt } from '../lockfile/build.js';
import { fakeClock } from '../report/fakes.js';

const QUEUED = attempt({ state: 'queued', queue_id: 'q' });

/** A run that meets a job in flight in the shared log, which it may have submitted itself. */
function meet(holder: Holder, own?: Partial<Job>): number {
  const scheduler = createScheduler({});
  const jobs = new Map<string, Job>();
  if (own !== undefined) jobs.set('take:one', { ...newJob('take:one', 'one', { attempt: QUEUED }), ...own });
  const store = { sharing: { holderOf: () => holder } };
  const context = { scheduler, ports: { clock: fakeClock() }, store } as unknown as RunContext;
  addAttempt(context, jobs, new Map(), QUEUED);
  return jobs.size - (own === undefined ? 0 : 1);
}

const HERE: Holder = { kind: 'here' };
const SILENT: Holder = { kind: 'elsewhere', silent: true };

it.each([
  ['of another run, which went silent, is taken over', SILENT, undefined, 1],
  ['of an earlier run here, whose record arrived late, is taken over', HERE, undefined, 1],
  ['that this run submitted is not polled twice', HERE, {}, 0],
  ['that this run submitted and gave up is not begun again', HERE, { over: true }, 0],
  ['that this run gave up, and then another run that went silent, is taken over', SILENT, { over: true }, 1],
] as const)('a job %s', (_, holder, own, added) => {
  expect(meet(holder, own)).toBe(added);
});
