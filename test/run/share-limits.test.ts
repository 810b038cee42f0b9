import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { Take } from '../../src/manifest/take.js';
import type { Purchase } from '../../src/plan/plan.js';
import { newJob } from '../../src/run/context.js';
import { kindOf } from '../../src/run/job-kind.js';
import { countProgress } from '../../src/run/progress-state.js';
import { followOthers } from '../../src/run/share-limits.js';
import { createScheduler } from '../../src/scheduler/create-scheduler.js';

const REQUEST = { model: 'elevenlabs-music', prompt: 'A door falls shut' };
const TAKE: Take = {
  track: 'door',
  take: 1,
  takes: 1,
  key: 'door',
  digest: 'v1:aa',
  parts: {},
  stem: 'out/door',
  request: REQUEST,
  span: { file: 'album.yaml', line: 1, column: 1, endLine: 1, endColumn: 2 },
  fieldSpans: {},
};
const PURCHASE: Purchase = {
  take: TAKE,
  request: REQUEST,
  quote: { key: 'elevenlabs-music', model: REQUEST.model, microUsd: 690_000, quotedAtMs: 0 },
  why: { kind: 'new' },
};

const OTHERS: Attempt = {
  attempt: 'b'.repeat(32),
  rev: 1,
  state: 'intent',
  track: 'door',
  take: 1,
  digest: 'v1:aa',
  stem: 'out/door',
  parts: {},
  key: '',
  model: REQUEST.model,
  quote_micro_usd: 690_000,
  at: { intent: '2026-01-01T00:00:00.000Z' },
};

/** One take to buy, and a shared log in which another run acts on it. */
function stage() {
  const scheduler = createScheduler({ keep: false, nowMs: 0 });
  const job = newJob('take:door', 'door', { take: TAKE, purchase: PURCHASE });
  scheduler.addTake(job.id, kindOf(REQUEST));
  const attempts = new Map<string, Attempt>();
  const unread: Attempt[] = [];
  const context = {
    scheduler,
    ports: { clock: { nowMs: () => 0, sleep: async () => {} } },
    buying: true,
    store: { attempts, sharing: { unseen: () => unread.splice(0), runs: () => 2 } },
  };
  const counted = countProgress([job]);
  const follow = followOthers(context, new Map([[job.id, job]]), counted);
  return {
    job,
    context,
    counts: counted.counts,
    next: () => scheduler.next(0).kind,
    reads(attempt: Attempt) {
      if (!attempts.has(attempt.attempt)) unread.push(attempt);
      attempts.set(attempt.attempt, attempt);
      follow();
    },
  };
}

describe('a take that another run has claimed', () => {
  it('is left to that run', () => {
    const { job, next, reads, counts } = stage();
    job.postponed = { message: 'busy' };
    reads(OTHERS);
    expect(next()).toBe('finished');
    expect(job.postponed).toBeUndefined();
    expect(counts).toMatchObject({ unsubmitted: 0, left: 1 });
  });

  it.each([
    ['the request limit', 429],
    ['a model that is overloaded', 503],
    ['an account without credit', 402],
    ['a connection that was never made', undefined],
  ])('is bought here if that run was refused with %s', (_what, status) => {
    const { next, reads, counts } = stage();
    reads(OTHERS);
    reads({
      ...OTHERS,
      rev: 2,
      state: 'rejected',
      reason: { code: 'x', ...(status === undefined ? {} : { status }) },
    });
    expect(next()).toBe('submit');
    expect(counts).toMatchObject({ unsubmitted: 1, left: 0 });
  });

  it('is left alone again if that run claims it again', () => {
    const { next, reads } = stage();
    reads(OTHERS);
    reads({ ...OTHERS, rev: 2, state: 'rejected', reason: { code: 'x', status: 429 } });
    reads({ ...OTHERS, attempt: 'c'.repeat(32) });
    expect(next()).toBe('finished');
  });

  it.each([400, 404, 410, 422])(
    'is not sent again after the request itself was refused (HTTP %i)',
    (status) => {
      const { next, reads } = stage();
      reads(OTHERS);
      reads({ ...OTHERS, rev: 2, state: 'rejected', reason: { code: 'x', status } });
      expect(next()).toBe('finished');
    },
  );

  it('is not bought once this run has stopped buying', () => {
    const { context, next, reads } = stage();
    reads(OTHERS);
    context.buying = false;
    reads({ ...OTHERS, rev: 2, state: 'rejected', reason: { code: 'x', status: 429 } });
    expect(next()).toBe('finished');
  });
});
