import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { createScheduler } from '../../src/scheduler/create-scheduler.js';
import { routeHistories } from '../../src/scheduler/route-history.js';
import { attempt } from '../lockfile/build.js';

const submitHistory = (attempts: readonly Attempt[], nowMs: number) => routeHistories(attempts, nowMs).queue!;

const NOW_MS = Date.parse('2026-10-10T12:00:00Z');
const at = (agoMs: number): string => new Date(NOW_MS - agoMs).toISOString();
const accepted = (agoMs: number): Attempt => attempt({ at: { queued: at(agoMs) } });
const refused = (agoMs: number, code = 'http-429'): Attempt =>
  attempt({ state: 'rejected', reason: { code, status: 429 }, at: { rejected: at(agoMs) } });
const many = (count: number, agoMs: number): Attempt[] =>
  Array.from({ length: count }, (_, place) => accepted(agoMs + place * 100));

describe('what the lockfile says about the limit of submits', () => {
  it.each([
    ['nothing where no 429 came', many(50, 10_000 * 60), undefined],
    ['as many as were accepted in the minute before a 429', [...many(20, 300_000), refused(299_000)], 20],
    [
      'more where more were accepted later',
      [...many(20, 300_000), refused(299_000), ...many(30, 200_000)],
      30,
    ],
    [
      'nothing from the 429 of an overloaded model',
      [...many(9, 300_000), refused(299_000, 'MODEL_OVERLOADED')],
      undefined,
    ],
    [
      'nothing from the 429 of a blocked key or a busy wallet',
      [...many(9, 300_000), refused(299_000, 'KEY_BLOCKED'), refused(298_000, 'X402_CONCURRENCY_LIMIT')],
      undefined,
    ],
    ['nothing from a 429 to the very first submit', [refused(299_000)], undefined],
    ['nothing from what is older than a day', [...many(9, 90_000_000), refused(89_999_000)], undefined],
  ] as const)('%s', (_, attempts, perMinute) => {
    expect(submitHistory(attempts, NOW_MS).perMinute).toBe(perMinute);
  });

  it('names the submits of the last minute, and none dated in the future by a wrong clock', () => {
    const { sentMs } = submitHistory([accepted(70_000), accepted(30_000), accepted(-5_000)], NOW_MS);
    expect(sentMs).toEqual([NOW_MS - 30_000]);
  });

  it('is where the next run starts', () => {
    const history = submitHistory([...many(12, 20_000), refused(19_000)], NOW_MS);
    const scheduler = createScheduler({ routes: { queue: history }, nowMs: NOW_MS });
    scheduler.addTake('a', { model: 'A' });
    // The oldest of the twelve, a minute later.
    expect(scheduler.next(NOW_MS)).toEqual({ kind: 'wait', untilMs: NOW_MS - 21_100 + 60_100 });
  });
});

describe('what the lockfile says about the limit of polls', () => {
  const stored = (agoMs: number, limits?: Attempt['limits']): Attempt =>
    attempt({ state: 'stored', at: { stored: at(agoMs) }, ...(limits && { limits }) });
  const limitOf = (attempts: readonly Attempt[]) => routeHistories(attempts, NOW_MS).retrieve?.perMinute;

  it.each([
    ['nothing where none was recorded', [stored(1_000)], undefined],
    ['what was recorded', [stored(3_000), stored(2_000, { retrieve: 60 }), stored(1_000)], 60],
    ['the newest of several', [stored(2_000, { retrieve: 60 }), stored(90_000, { retrieve: 30 })], 60],
    ['nothing that is older than a day', [stored(86_500_000, { retrieve: 60 })], undefined],
    ['nothing dated in the future by a wrong clock', [stored(-5_000, { retrieve: 60 })], undefined],
    ['nothing from the limit of another route', [stored(2_000, { complete: 60 })], undefined],
  ] as const)('%s', (_, attempts, perMinute) => {
    expect(limitOf(attempts)).toBe(perMinute);
  });

  it('is where the next run starts: it sends no poll beyond it', () => {
    const attempts = [stored(20_000, { retrieve: 3 }), stored(10_000), stored(5_000)];
    const scheduler = createScheduler({ routes: routeHistories(attempts, NOW_MS), nowMs: NOW_MS });
    scheduler.addInFlight('a', { model: 'A' }, NOW_MS - 600_000, NOW_MS);
    // The oldest of the three, a minute later.
    expect(scheduler.next(NOW_MS)).toEqual({ kind: 'wait', untilMs: NOW_MS - 20_000 + 60_100 });
  });

  it('counts as learned only in the run that got the 429', () => {
    const routes = routeHistories([stored(70_000, { retrieve: 60 })], NOW_MS);
    const scheduler = createScheduler({ routes, nowMs: NOW_MS });
    expect(scheduler.learnedLimits()).toEqual({});
  });
});
