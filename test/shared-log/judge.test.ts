import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { judge } from '../../src/shared-log/judge.js';
import { createLogState, foldGroup } from '../../src/shared-log/log-state.js';
import type { AppendLimits } from '../../src/shared-log/shared-log.js';
import { attempt, file, id } from '../lockfile/build.js';

const OURS = id('our run');
const THEIRS = id('their run');
const other = `v1:${'1'.repeat(64)}`;

function verdicts(log: readonly Attempt[], wanted: readonly Attempt[], limits: AppendLimits = {}) {
  const state = createLogState();
  foldGroup(state, THEIRS, THEIRS, log);
  return judge(
    state,
    OURS,
    wanted.map((one) => ({ attempt: one, limits })),
  );
}

const theirs = (fields: Partial<Attempt>) => attempt({ attempt: id('theirs'), ...fields });
const ours = (fields: Partial<Attempt> = {}) => attempt({ attempt: id('ours'), ...fields });
const paid = { queue_id: 'q', file };

describe('an intent', () => {
  it.each<[string, Partial<Attempt>, string]>([
    ['an intent', {}, 'taken'],
    ['an attempt in doubt', { state: 'in_doubt' }, 'taken'],
    ['a job in flight', { state: 'queued', ...paid }, 'taken'],
    ['a finished take', { state: 'done', ...paid }, 'taken'],
    ['a failed job unknown to the buyer', { state: 'failed', ...paid }, 'taken'],
    ['a job of another request unknown to the buyer', { state: 'queued', ...paid, digest: other }, 'taken'],
    ['a refused submit', { state: 'rejected' }, 'write'],
    ['an intent for another take', { take: 2 }, 'write'],
    ['an intent for another track', { track: 'b' }, 'write'],
  ])('next to %s', (_, fields, verdict) => {
    expect(verdicts([theirs(fields)], [ours()])).toEqual([verdict]);
  });

  it.each<[string, Partial<Attempt>, string]>([
    ['an intent', {}, 'taken'],
    ['an attempt in doubt', { state: 'in_doubt' }, 'taken'],
    ['a job of the same request in flight', { state: 'queued', ...paid }, 'taken'],
    ['a job of another request in flight', { state: 'queued', ...paid, digest: other }, 'write'],
    ['a finished take', { state: 'done', ...paid }, 'write'],
    ['a failed job', { state: 'failed', ...paid }, 'write'],
  ])('for a take to be bought again, despite %s', (_, fields, verdict) => {
    const { state, attempt: known } = theirs(fields);
    expect(verdicts([theirs(fields)], [ours()], { over: new Map([[known, state]]) })).toEqual([verdict]);
  });

  it.each<[string, Attempt['state'], Partial<Attempt>, string]>([
    ['was lost then, and another run has found it since', 'lost', { state: 'done', ...paid }, 'taken'],
    ['was refused then, and its job turned up', 'rejected', { state: 'done', ...paid }, 'taken'],
    ['was in flight then, for another request', 'queued', { state: 'done', ...paid, digest: other }, 'write'],
    ['has failed since', 'lost', { state: 'failed', ...paid }, 'write'],
  ])('for a take to be bought again whose attempt %s', (_, planned, now, verdict) => {
    const over = new Map([[id('theirs'), planned]]);
    expect(verdicts([theirs(now)], [ours()], { over })).toEqual([verdict]);
  });

  it('counts the intents before it in the same group', () => {
    const same = ours({ attempt: id('second') });
    expect(verdicts([], [ours(), same])).toEqual(['write', 'taken']);
    const rejected = ours({ rev: 2, state: 'rejected' });
    expect(verdicts([], [ours(), rejected, same])).toEqual(['write', 'write', 'write']);
  });

  it('keeps within the budget, counting reservations in the same group but not refused or refunded attempts', () => {
    const log = [
      theirs({ track: 'x', quote_micro_usd: 50 }),
      theirs({ attempt: id('r'), track: 'y', state: 'rejected', quote_micro_usd: 50 }),
      theirs({ attempt: id('f'), track: 'z', state: 'failed', ...paid, refunded: true, quote_micro_usd: 50 }),
    ];
    const wanted = ['a', 'b', 'c'].map((track) => ours({ attempt: id(track), track, quote_micro_usd: 25 }));
    expect(verdicts(log, wanted, { budgetMicroUsd: 100 })).toEqual(['write', 'write', 'over_budget']);
    expect(verdicts(log, wanted, { budgetMicroUsd: 124 })).toEqual(['write', 'write', 'over_budget']);
    expect(verdicts(log, wanted, { budgetMicroUsd: 125 })).toEqual(['write', 'write', 'write']);
  });
});

describe('the outcome of an attempt', () => {
  it('is recorded whatever the budget and the take', () => {
    const outcome = ours({ rev: 2, state: 'queued', queue_id: 'mine' });
    expect(verdicts([theirs({})], [outcome], { budgetMicroUsd: 0 })).toEqual(['write']);
  });

  it('is not settled by another run, but may be by the user', () => {
    const settled = theirs({ rev: 2, state: 'rejected' });
    expect(verdicts([theirs({})], [settled])).toEqual(['superseded']);
    expect(verdicts([theirs({})], [settled], { byPerson: true })).toEqual(['write']);
  });

  it('may be collected by any run', () => {
    const queued = theirs({ state: 'queued', queue_id: 'q', rev: 2 });
    expect(verdicts([queued], [theirs({ state: 'stored', ...paid, rev: 3 })])).toEqual(['write']);
  });

  it('is superseded by a record that ranks above it, and recorded if already known', () => {
    const stored = theirs({ state: 'stored', ...paid, rev: 3 });
    expect(verdicts([stored], [theirs({ state: 'queued', queue_id: 'q', rev: 2 })])).toEqual(['superseded']);
    expect(verdicts([stored], [stored])).toEqual(['recorded']);
  });

  it.each<[Attempt['state'], Attempt['state'], string]>([
    ['done', 'lost', 'superseded'],
    ['done', 'failed', 'superseded'],
    ['done', 'stored', 'superseded'],
    ['stored', 'lost', 'superseded'],
    ['stored', 'failed', 'superseded'],
    ['stored', 'unverified', 'superseded'],
    ['stored', 'queued', 'write'],
    ['stored', 'done', 'write'],
    ['queued', 'lost', 'write'],
    ['lost', 'stored', 'write'],
  ])('that is %s is not reset by a late run: %s is %s', (before, after, verdict) => {
    const known = theirs({ state: before, ...paid, rev: 3 });
    expect(verdicts([known], [theirs({ state: after, ...paid, rev: 9 })])).toEqual([verdict]);
  });

  it('is not in doubt again after the user has said that it was not charged', () => {
    const settled = theirs({ state: 'rejected', rev: 2 });
    expect(verdicts([settled], [theirs({ state: 'in_doubt', rev: 2 })])).toEqual(['superseded']);
    expect(verdicts([settled], [theirs({ state: 'in_doubt', rev: 3 })])).toEqual(['superseded']);
    for (const state of ['queued', 'in_doubt'] as const)
      expect(verdicts([settled], [theirs({ state, queue_id: 'q', rev: 2 })])).toEqual(['write']);
  });

  it.each([
    ['before', 'p'],
    ['after', 'r'],
  ])('has a second job whose name comes %s the first, which is recorded once', (_, second) => {
    const done = theirs({ state: 'done', ...paid, rev: 4 });
    const queued = theirs({ state: 'queued', queue_id: second, rev: 2 });
    expect(verdicts([done], [queued])).toEqual(['write']);
    expect(verdicts([done, queued], [queued])).toEqual(['recorded']);
    const stored = theirs({ state: 'stored', queue_id: second, file, rev: 3 });
    expect(verdicts([done, queued], [stored])).toEqual(['write']);
    expect(verdicts([done, queued, stored], [queued])).toEqual(['superseded']);
    expect(verdicts([done, queued, stored], [done])).toEqual(['recorded']);
  });

  it('never hides a paid job behind a higher revision without it', () => {
    const givenUp = theirs({ state: 'lost', rev: 9 });
    expect(verdicts([givenUp], [theirs({ state: 'queued', queue_id: 'q', rev: 2 })])).toEqual(['write']);
  });
});
