import { describe, expect, it } from 'vitest';
import { isNewJob, type Resolution, resolveAttempt } from '../../src/app/resolution.js';
import { type Attempt, countsAsSpent, moneyOf } from '../../src/lockfile/attempt.js';
import { advance, stableCode } from '../../src/run/transition.js';
import { attempt } from '../lockfile/build.js';

const NOW_MS = Date.parse('2026-03-01T12:00:00.000Z');

function resolved(from: Attempt, resolution: Resolution) {
  const result = resolveAttempt(from, resolution, NOW_MS);
  return result.ok ? result.attempt : result.why;
}

describe('resolving an attempt in doubt', () => {
  it.each<[Resolution, Partial<Attempt>, boolean]>([
    [{ kind: 'queue_id', queueId: 'q-1' }, { state: 'queued', queue_id: 'q-1' }, true],
    [{ kind: 'charged' }, { state: 'lost', reason: { code: 'resolved_charged' } }, true],
    [{ kind: 'not_charged' }, { state: 'rejected', reason: { code: 'resolved_not_charged' } }, false],
    [{ kind: 'refunded' }, { state: 'lost', refunded: true }, false],
    [{ kind: 'requeue' }, { state: 'lost', reason: { code: 'requeued' } }, true],
  ])('records the outcome %j', (resolution, becomes, spent) => {
    const before = attempt({ state: 'in_doubt', rev: 2 });
    const after = resolved(before, resolution) as Attempt;
    expect(after).toMatchObject({ ...becomes, rev: 3 });
    expect(countsAsSpent(after)).toBe(spent);
  });

  it.each(['queued', 'stored', 'done', 'rejected', 'unverified'] as const)(
    'is refused if the attempt is %s',
    (state) => {
      expect(resolved(attempt({ state }), { kind: 'not_charged' })).toBe('settled');
    },
  );

  it.each(['lost', 'failed'] as const)(
    'is allowed for a %s attempt, whose money may still come back',
    (state) => {
      expect(resolved(attempt({ state }), { kind: 'refunded' })).toMatchObject({ state, refunded: true });
      expect(resolved(attempt({ state }), { kind: 'charged' })).toBe('settled');
    },
  );

  it('takes back that it was not charged, if the job is found after all', () => {
    const rejected = resolved(attempt({ state: 'in_doubt' }), { kind: 'not_charged' }) as Attempt;
    const found = resolved(rejected, { kind: 'queue_id', queueId: 'q-1' }) as Attempt;
    expect(found).toMatchObject({ state: 'queued', queue_id: 'q-1', rev: rejected.rev + 1 });
    expect(found.reason).toBeUndefined();
    expect(countsAsSpent(found)).toBe(true);
    // What the service itself refused has no job.
    const refused = attempt({ state: 'rejected', reason: { code: 'http-400' } });
    expect(resolved(refused, { kind: 'queue_id', queueId: 'q-1' })).toBe('settled');
  });

  it('takes back a refund that only the documentation promised, and no other', () => {
    const failed = attempt({ state: 'failed', queue_id: 'q-1', refunded: true, refund_ground: 'documented' });
    const after = resolved(failed, { kind: 'charged' }) as Attempt;
    expect(after).toMatchObject({
      state: 'failed',
      rev: failed.rev + 1,
      reason: { code: 'resolved_charged' },
    });
    expect([countsAsSpent(after), moneyOf(after)]).toEqual([true, 'charged']);
    expect(resolved({ ...failed, refund_ground: 'told' }, { kind: 'charged' })).toBe('settled');
  });

  it('collects a lost job under its own id if the service has it after all, and counts it as spent', () => {
    const lost = attempt({ state: 'lost', queue_id: 'q-1', reason: { code: 'not_found' }, refunded: true });
    const found = resolved(lost, { kind: 'queue_id', queueId: 'q-1' }) as Attempt;
    expect(found).toMatchObject({ state: 'queued', queue_id: 'q-1', rev: lost.rev + 1 });
    expect(found).not.toHaveProperty('reason');
    expect(countsAsSpent(found)).toBe(true);
    expect(resolved(lost, { kind: 'queue_id', queueId: 'q-2' })).toBe('settled');
  });

  it('drops the reason for the doubt once the job is known', () => {
    const before = attempt({ state: 'in_doubt', reason: { code: 'ECONNRESET' } });
    expect(resolved(before, { kind: 'queue_id', queueId: 'q-1' })).not.toHaveProperty('reason');
  });

  it('refuses an invalid id', () => {
    expect(resolved(attempt({ state: 'in_doubt' }), { kind: 'queue_id', queueId: 'a\nb' })).toBe(
      'bad_queue_id',
    );
  });
});

describe('a job that the user cannot know of', () => {
  const job = (state: Attempt['state']) => attempt({ state, queue_id: 'q-1' });

  it.each<[string, Attempt | undefined, Attempt, boolean]>([
    ['an intent, now queued', attempt(), job('queued'), true],
    ['in doubt, now queued', attempt({ state: 'in_doubt' }), job('queued'), true],
    ['in doubt, now unverified', attempt({ state: 'in_doubt' }), job('unverified'), true],
    ['given up, now found and queued', job('lost'), job('queued'), true],
    ['queued, now unverified', job('queued'), job('unverified'), true],
    ['queued as another job', attempt({ state: 'queued', queue_id: 'q-2' }), job('queued'), true],
    ['no record, now queued', undefined, job('queued'), true],
    ['queued before and now', job('queued'), job('queued'), false],
    ['an intent, now in doubt', attempt(), attempt({ state: 'in_doubt' }), false],
    ['no record, now in doubt', undefined, attempt({ state: 'in_doubt' }), false],
    ['in doubt, now given up', attempt({ state: 'in_doubt' }), job('lost'), false],
  ])('%s', (_, seen, now, isNew) => {
    expect(isNewJob(seen, now)).toBe(isNew);
  });
});

describe('the next record of an attempt', () => {
  it('has a higher rev and the time of its state', () => {
    const after = advance(attempt({ state: 'queued', rev: 4 }), { kind: 'vanished', status: 404 }, NOW_MS);
    expect(after).toMatchObject({ state: 'lost', rev: 5, at: { lost: '2026-03-01T12:00:00.000Z' } });
  });

  it.each([
    ['INSUFFICIENT_BALANCE', 'INSUFFICIENT_BALANCE'],
    ['http-503', 'http-503'],
    ['Sorry, no more audio for you', 'other'],
    ['\u001b[31mred', 'other'],
    ['', 'other'],
    ['x'.repeat(65), 'other'],
  ])('contains no text from the server: %j', (reported, kept) => {
    expect(stableCode(reported)).toBe(kept);
  });
});
