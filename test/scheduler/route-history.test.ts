import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { createScheduler } from '../../src/scheduler/create-scheduler.js';
import { submitHistory } from '../../src/scheduler/route-history.js';
import { attempt } from '../lockfile/build.js';

const NOW_MS = Date.parse('2026-10-10T12:00:00Z');
const at = (agoMs: number): string => new Date(NOW_MS - agoMs).toISOString();
const accepted = (agoMs: number): Attempt => attempt({ at: { queued: at(agoMs) } });
const refused = (agoMs: number, code = 'http-429'): Attempt =>
  attempt({ state: 'rejected', reason: { code, status: 429 }, at: { rejected: at(agoMs) } });
const many = (count: number, agoMs: number): Attempt[] =>
  Array.from({ length: count }, (_, place) => accepted(agoMs + place * 100));

describe('what the lockfile tells of the limit of submits', () => {
  it.each([
    ['nothing where no 429 came', many(50, 10_000 * 60), undefined],
    ['as many as were accepted in the minute before a 429', [...many(20, 300_000), refused(299_000)], 20],
    [
      'more where more were accepted later',
      [...many(20, 300_000), refused(299_000), ...many(30, 200_000)],
      30,
    ],
    [
      'nothing by the 429 of an overloaded model',
      [...many(9, 300_000), refused(299_000, 'MODEL_OVERLOADED')],
      undefined,
    ],
    ['nothing by a 429 to the first of all', [refused(299_000)], undefined],
    ['nothing by what is older than a day', [...many(9, 90_000_000), refused(89_999_000)], undefined],
  ] as const)('%s', (_, attempts, perMinute) => {
    expect(submitHistory(attempts, NOW_MS).perMinute).toBe(perMinute);
  });

  it('names the submits of the last minute, and none of a future that a wrong clock wrote', () => {
    const { sentMs } = submitHistory([accepted(70_000), accepted(30_000), accepted(-5_000)], NOW_MS);
    expect(sentMs).toEqual([NOW_MS - 30_000]);
  });

  it('is what the next run begins with', () => {
    const history = submitHistory([...many(12, 20_000), refused(19_000)], NOW_MS);
    const scheduler = createScheduler({ routes: { queue: history }, nowMs: NOW_MS });
    scheduler.addTake('a', { model: 'A' });
    // The oldest of the twelve, a minute later.
    expect(scheduler.next(NOW_MS)).toEqual({ kind: 'wait', untilMs: NOW_MS - 21_100 + 60_100 });
  });
});
