import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { foldAttempts } from '../../src/lockfile/fold-attempts.js';
import { createKeySignature } from '../../src/lockfile/key-signature.js';
import { type LockHeader, lineagesOf } from '../../src/lockfile/lock-header.js';
import { parseLock, serialiseLock } from '../../src/lockfile/lock-text.js';
import { type Lock, type MergeReport, mergeLocks } from '../../src/lockfile/merge-locks.js';
import { repairLock } from '../../src/lockfile/repair.js';
import { attempt, file, header, id, records } from './build.js';

const [OURS, THEIRS] = [header, { ...header, lineage: id('theirs') }] as const;

function lockOf(from: LockHeader, all: readonly Attempt[]): Lock {
  return { header: from, attempts: foldAttempts(all) };
}

function merged(first: Lock, second: Lock): { lock: Lock; report: MergeReport } {
  const result = mergeLocks(first, second);
  if (!result.ok) throw new Error(result.why);
  return result;
}

/** As the file has it, read again: what is merged once can be merged on. */
function textOf({ header: from, attempts }: Lock): string {
  const text = serialiseLock(from, attempts.values());
  expect(parseLock(text).problems).toEqual([]);
  return text;
}

const locks = fc
  .tuple(
    fc.constantFrom<LockHeader>(
      OURS,
      THEIRS,
      { ...header, lineage: id('third') },
      {
        ...header,
        lineage: [header.lineage, id('theirs')].sort()[0] ?? '',
        was: [header.lineage, id('theirs')].sort(),
      },
    ),
    records,
  )
  .map(([from, all]) => lockOf(from, all));

describe('a merge of two lockfiles', () => {
  it('is the same in either order', () => {
    fc.assert(
      fc.property(locks, locks, (a, b) => {
        expect(textOf(merged(a, b).lock)).toBe(textOf(merged(b, a).lock));
      }),
    );
  });

  it('gives the same result for three lockfiles in any grouping', () => {
    fc.assert(
      fc.property(locks, locks, locks, (a, b, c) => {
        const whole = textOf(merged(merged(a, b).lock, c).lock);
        expect(textOf(merged(a, merged(b, c).lock).lock)).toBe(whole);
        expect(textOf(merged(merged(a, c).lock, merged(b, c).lock).lock)).toBe(whole);
      }),
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(locks, locks, (a, b) => {
        const once = merged(a, b).lock;
        expect(textOf(merged(a, a).lock)).toBe(textOf(a));
        expect(textOf(merged(once, b).lock)).toBe(textOf(once));
      }),
    );
  });

  it('loses no attempt, no queue_id and no charge', () => {
    fc.assert(
      fc.property(locks, locks, (a, b) => {
        const { lock, report } = merged(a, b);
        const jobs = (some: Lock) =>
          new Set([...some.attempts.values()].flatMap((one) => one.queue_id ?? []));
        for (const name of [...a.attempts.keys(), ...b.attempts.keys()])
          expect(lock.attempts.has(name)).toBe(true);
        expect(jobs(lock)).toEqual(new Set([...jobs(a), ...jobs(b)]));
        // Every job of either file costs at least what it cost there.
        const spent = [...lock.attempts.values()]
          .filter(({ state, refunded }) => state !== 'rejected' && refunded !== true)
          .reduce((sum, { quote_micro_usd }) => sum + quote_micro_usd, 0);
        expect(report.spentMicroUsd).toBe(spent);
        expect(report.onlyFirst + report.onlySecond).toBeLessThanOrEqual(report.attempts);
      }),
    );
  });

  it('of two first runs keeps both lineages and reports what was bought twice', () => {
    const bought = (name: string, fields: Partial<Attempt> = {}) =>
      attempt({ attempt: id(name), track: 'opening', state: 'done', queue_id: name, file, ...fields });
    const ours = lockOf(OURS, [bought('q1'), bought('q2', { track: 'closing' })]);
    const theirs = lockOf(THEIRS, [bought('q3', { at: { intent: '2026-03-01T00:00:00.000Z' } })]);
    const { lock, report } = merged(ours, theirs);
    expect(lineagesOf(lock.header)).toEqual([OURS.lineage, THEIRS.lineage].sort());
    expect(report).toMatchObject({
      attempts: 3,
      onlyFirst: 2,
      onlySecond: 1,
      spentMicroUsd: 2_070_000,
      boughtTwice: [
        {
          track: 'opening',
          attempts: [{ queue_id: 'q1' }, { queue_id: 'q3' }],
          totalMicroUsd: 1_380_000,
          extraMicroUsd: 690_000,
        },
      ],
    });
  });

  it('gives the same result as repair of both in one file', () => {
    fc.assert(
      fc.property(locks, locks, (a, b) => {
        const repaired = repairLock(textOf(a) + textOf(b));
        expect(repaired).toMatchObject({ ok: true, text: textOf(merged(a, b).lock) });
      }),
    );
  });

  it('reads a lockfile of version 1', () => {
    const { sum: _, ...old } = JSON.parse(textOf(lockOf(THEIRS, [])).split('\n')[0] ?? '') as { sum: string };
    const line = JSON.stringify(attempt({ state: 'queued', queue_id: 'old' }));
    const parsed = parseLock(`${JSON.stringify({ ...old, version: 1 })}\n${line}\n`);
    if (parsed.header === undefined) throw new Error('no header');
    const { lock } = merged(lockOf(OURS, []), { header: parsed.header, attempts: parsed.attempts });
    expect(textOf(lock)).toContain('"queue_id":"old"');
  });

  it('of two endpoints is refused', () => {
    const other = lockOf({ ...THEIRS, endpoint: 'https://example.org/api' }, []);
    expect(mergeLocks(lockOf(OURS, []), other)).toEqual({ ok: false, why: 'other_endpoint' });
  });

  it('of too many lockfiles is refused', () => {
    let lock = lockOf(OURS, []);
    for (let number = 1; number < 64; number += 1)
      lock = merged(lock, lockOf({ ...header, lineage: id(`${number}`) }, [])).lock;
    expect(mergeLocks(lock, lockOf(THEIRS, []))).toEqual({ ok: false, why: 'too_many_lineages' });
  });
});

describe('the key fingerprints after a merge', () => {
  const merge = [OURS.lineage, THEIRS.lineage].sort();
  const seal = createKeySignature(merge[0] ?? '', 'secret', merge);

  it.each([OURS.lineage, THEIRS.lineage])('hold under the lineage %s', (lineage) => {
    const before = createKeySignature(lineage, 'secret');
    const made = attempt({ state: 'stored', queue_id: 'q', file });
    const [submitted, fetched] = [{ ...made, file: undefined }, made].map((one) => ({
      ...made,
      key: before.of(one as Attempt),
    }));
    expect([seal.isSameKey(submitted!), seal.isOurs(submitted!), seal.isFetched(submitted!)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([seal.isOurs(fetched!), seal.isFetched(fetched!)]).toEqual([true, true]);
  });

  it('do not hold for another key, nor under a lineage that was not merged', () => {
    const made = attempt({ state: 'stored', queue_id: 'q', file });
    for (const other of [
      createKeySignature(OURS.lineage, 'other'),
      createKeySignature(id('elsewhere'), 'secret'),
    ]) {
      const marked = { ...made, key: other.of(made) };
      expect([seal.isSameKey(marked), seal.isOurs(marked), seal.isFetched(marked)]).toEqual([
        false,
        false,
        false,
      ]);
    }
  });
});
