import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { boughtTwice, extraMicroUsd } from '../../src/lockfile/bought-twice.js';
import { foldAttempts } from '../../src/lockfile/fold-attempts.js';
import { attempt, file, id, records } from './build.js';

/** In the order of their names. */
const bought = (name: string, fields: Partial<Attempt> = {}) => {
  const at = { intent: `2026-01-01T00:00:0${name.charCodeAt(0) - 96}.000Z` };
  return attempt({ attempt: id(name), rev: 2, state: 'queued', queue_id: `q-${name}`, at, ...fields });
};
const groups = (...attempts: Attempt[]) =>
  boughtTwice(attempts).map(({ attempts: all }) => all.map((one) => one.queue_id ?? one.state));

describe('a request that was bought twice', () => {
  it.each<[string, Partial<Attempt>]>([
    ['in flight', {}],
    ['done', { state: 'done', file }],
    ['stored', { state: 'stored', file }],
    ['unverified', { state: 'unverified' }],
  ])('is one bought beside one that is %s', (_, other) => {
    expect(groups(bought('a', { state: 'done', file }), bought('b', other))).toEqual([['q-a', 'q-b']]);
  });

  it.each<[string, Partial<Attempt>]>([
    ['an intent', { state: 'intent' }],
    ['in doubt', { state: 'in_doubt' }],
  ])('may be one bought beside one that is %s', (_, other) => {
    const { queue_id: _id, ...doubtful } = bought('b', other);
    expect(groups(bought('a'), doubtful)).toEqual([['q-a', other.state]]);
  });

  it.each<[string, Partial<Attempt>]>([
    ['was lost', { state: 'lost' }],
    ['failed', { state: 'failed' }],
    ['came back', { state: 'unverified', refunded: true }],
    ['is of another request', { digest: `v1:${'1'.repeat(64)}` }],
    ['is of another take', { take: 2 }],
    ['is of another track', { track: 'closing' }],
    ['was made again on purpose', { replaces: id('a') }],
  ])('is not one bought beside one that %s', (_, other) => {
    expect(groups(bought('a', { state: 'done', file }), bought('b', other))).toEqual([]);
  });

  it('still counts if only one of two was generated again on purpose', () => {
    const again = bought('c', { replaces: id('b') });
    expect(groups(bought('a'), bought('b'), again)).toEqual([['q-a', 'q-c']]);
  });

  it('counts if its replacement failed', () => {
    expect(groups(bought('a'), bought('b'), bought('c', { replaces: id('b'), state: 'failed' }))).toEqual([
      ['q-a', 'q-b'],
    ]);
  });

  it('costs what all but the first cost', () => {
    const doubles = boughtTwice([
      bought('b', { quote_micro_usd: 500 }),
      bought('a', { quote_micro_usd: 700 }),
    ]);
    expect(doubles).toMatchObject([{ totalMicroUsd: 1_200, extraMicroUsd: 500 }]);
    expect(extraMicroUsd(doubles)).toBe(500);
  });

  it('is found in any order', () => {
    fc.assert(
      fc.property(
        records.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        ([all, shuffled]) => {
          const found = (some: readonly Attempt[]) => boughtTwice(foldAttempts(some).values());
          expect(found(shuffled)).toEqual(found(all));
        },
      ),
    );
  });
});
