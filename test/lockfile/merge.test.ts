import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { derivedAttemptId, foldAttempts } from '../../src/lockfile/fold-attempts.js';
import { attemptLine } from '../../src/lockfile/line.js';
import { attempt, file, id, records } from './build.js';

const fold = (all: readonly Attempt[]) => [...foldAttempts(all).values()];
const asSet = (all: readonly Attempt[]) => all.map(attemptLine).sort();
const queueIds = (all: readonly Attempt[]) =>
  [...new Set(all.flatMap((one) => one.queue_id ?? []).sort())].sort();

describe('merging the lines of one attempt', () => {
  it('keeps the highest rev in any order of lines', () => {
    const queued = attempt({ rev: 2, state: 'queued', queue_id: 'q1' });
    const done = attempt({ rev: 4, state: 'done', queue_id: 'q1', file });
    expect(fold([done, attempt(), queued])).toEqual([done]);
  });

  it.each([
    ['done', 'stored'],
    ['stored', 'unverified'],
    ['unverified', 'lost'],
    ['lost', 'failed'],
    ['failed', 'queued'],
  ] as const)('prefers %s to %s at equal revs', (winner, loser) => {
    const make = (state: Attempt['state']) => attempt({ rev: 3, state, queue_id: 'q1', file });
    expect(fold([make(loser), make(winner)])).toEqual([make(winner)]);
    expect(fold([make(winner), make(loser)])).toEqual([make(winner)]);
  });

  it.each([
    ['in_doubt', 'rejected'],
    ['rejected', 'intent'],
  ] as const)('prefers %s to %s at equal revs', (winner, loser) => {
    const make = (state: Attempt['state']) => attempt({ rev: 3, state });
    expect(fold([make(loser), make(winner)])).toEqual([make(winner)]);
  });

  it('never loses a known job to a higher rev without it', () => {
    const queued = attempt({ rev: 2, state: 'queued', queue_id: 'q1' });
    const givenUp = attempt({ rev: 5, state: 'rejected' });
    expect(fold([queued, givenUp])).toEqual([queued]);
    expect(fold([givenUp, queued])).toEqual([queued]);
  });

  it.each(['lost', 'unverified', 'failed', 'queued'] as const)(
    'never loses a stored file to a higher rev of a branch without it, which is %s',
    (state) => {
      const done = attempt({ rev: 4, state: 'done', queue_id: 'q1', file });
      const other = attempt({ rev: 5, state, queue_id: 'q1' });
      expect(fold([done, other])).toEqual([done]);
      expect(fold([other, done])).toEqual([done]);
      const since = { ...other, file };
      expect(fold([since, done])).toEqual([since]);
    },
  );

  it('keeps the order of first appearance', () => {
    const [a, b] = [attempt({ attempt: id('a') }), attempt({ attempt: id('b') })];
    expect([...foldAttempts([b, a, { ...b, rev: 2 }]).keys()]).toEqual([id('b'), id('a')]);
  });
});

describe('merging two jobs of one attempt', () => {
  const first = attempt({ rev: 2, state: 'queued', queue_id: 'q1' });
  const second = attempt({ rev: 3, state: 'queued', queue_id: 'q2' });

  it('keeps both as separate attempts', () => {
    expect(asSet(fold([second, first]))).toEqual(
      asSet([first, { ...second, attempt: derivedAttemptId(id('a'), 'q2') }]),
    );
  });

  it('keeps 24 digits of the id and changes the others', () => {
    const derived = derivedAttemptId(id('a'), 'q2');
    expect(derived).toMatch(/^[0-9a-f]{32}$/);
    expect(derived.slice(0, 24)).toBe(id('a').slice(0, 24));
    expect(derived).not.toBe(derivedAttemptId(id('a'), 'q1'));
  });

  it('keeps what the derived attempt did meanwhile', () => {
    const collected = attempt({
      attempt: derivedAttemptId(id('a'), 'q2'),
      rev: 5,
      state: 'done',
      queue_id: 'q2',
      file,
    });
    expect(asSet(fold([first, collected, second]))).toEqual(asSet([first, collected]));
  });
});

describe('merging any records', () => {
  it('keeps every queue id in exactly one attempt', () => {
    fc.assert(
      fc.property(records, (all) => {
        const folded = fold(all);
        const perTrack = (some: readonly Attempt[]) =>
          [
            ...new Set(some.filter((one) => one.queue_id).map((one) => `${one.track} ${one.queue_id}`)),
          ].sort();
        expect(perTrack(folded)).toEqual(perTrack(all));
        expect(folded.filter((one) => one.queue_id).length).toBe(perTrack(all).length);
        expect(queueIds(folded)).toEqual(queueIds(all));
      }),
    );
  });

  it('keeps every attempt id', () => {
    fc.assert(
      fc.property(records, (all) => {
        const folded = foldAttempts(all);
        for (const one of all) expect(folded.has(one.attempt)).toBe(true);
        for (const [key, one] of folded) expect(one.attempt).toBe(key);
      }),
    );
  });

  it('does not depend on the order', () => {
    fc.assert(
      fc.property(
        records.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        ([all, shuffled]) => {
          expect(asSet(fold(shuffled))).toEqual(asSet(fold(all)));
        },
      ),
    );
  });

  it('does not depend on grouping or repetition', () => {
    fc.assert(
      fc.property(records, records, records, (a, b, c) => {
        const whole = asSet(fold([...a, ...b, ...c]));
        expect(asSet(fold([...fold([...a, ...b]), ...c]))).toEqual(whole);
        expect(asSet(fold([...a, ...fold([...b, ...c])]))).toEqual(whole);
        expect(asSet(fold([...fold([...a, ...b]), ...fold([...b, ...c]), ...a]))).toEqual(whole);
      }),
    );
  });

  it('does not change its own result', () => {
    fc.assert(
      fc.property(records, (all) => {
        expect(asSet(fold(fold(all)))).toEqual(asSet(fold(all)));
      }),
    );
  });
});
