import { crc32 } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { closest } from '../../src/core/closest.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { boughtTwice } from '../../src/lockfile/bought-twice.js';
import { linesInside } from '../../src/lockfile/correct-line.js';
import { createFold, JOBS_MAX } from '../../src/lockfile/fold-attempts.js';
import { attemptLine } from '../../src/lockfile/line.js';
import { parseLock, serialiseLock } from '../../src/lockfile/lock-text.js';
import { repairLock } from '../../src/lockfile/repair.js';
import { salvageAll } from '../../src/lockfile/set-aside.js';
import { createTakes } from '../../src/lockfile/taken-takes.js';
import { attempt, header, id } from './build.js';

vi.mock('node:zlib', async (original) => {
  const zlib = await original<typeof import('node:zlib')>();
  return { ...zlib, crc32: vi.fn(zlib.crc32) };
});

/*
 * Input from outside must not cost more than its length. Steps are counted instead of milliseconds: each record counts
 * how often one of its fields is read.
 */

const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0');

/** Records that an attacker may choose. */
const SHAPES: readonly (readonly [string, (number: number) => Partial<Attempt>])[] = [
  ['of one family', (n) => ({ attempt: 'a'.repeat(24) + hex(n, 8), queue_id: `q${n}`, state: 'queued' })],
  ['of one family without a job', (n) => ({ attempt: 'a'.repeat(24) + hex(n, 8) })],
  ['of one attempt, with a job each', (n) => ({ queue_id: `q${n}`, state: 'queued' })],
  ['of one attempt, rev after rev', (n) => ({ rev: n + 1 })],
  ['of one take, in flight', (n) => ({ attempt: hex(n, 32), queue_id: `q${n}`, state: 'queued' })],
  [
    'of families full to the brim',
    (n) => ({ attempt: hex(Math.floor(n / JOBS_MAX), 24) + hex(n, 8), queue_id: `q${n}`, state: 'queued' }),
  ],
];

let steps = 0;
const counted = (one: Attempt) =>
  new Proxy(one, {
    get: (target, name) => {
      steps += 1;
      return Reflect.get(target, name) as unknown;
    },
  });

function stepsOf(count: number, shape: (number: number) => Partial<Attempt>): number {
  steps = 0;
  const fold = createFold();
  for (let number = 0; number < count; number += 1) {
    const record = counted(attempt(shape(number)));
    if (fold.hasRoom(record)) fold.add(record);
  }
  boughtTwice(fold.attempts.values());
  return steps;
}

describe('records', () => {
  it.each(SHAPES)('need a bounded number of steps each with %s', (_, shape) => {
    const [few, many] = [stepsOf(250, shape), stepsOf(1_000, shape)];
    expect(many / few).toBeLessThan(6);
    expect(many / 1_000).toBeLessThan(3_000);
  });
});

describe('a damaged line with many ends', () => {
  const END = ',"sum":"00000000"}';
  const shapes: readonly (readonly [string, (count: number) => string])[] = [
    ['and one beginning', (count) => `{"track":"a"${END.repeat(count)}`],
    ['and as many beginnings before them', (count) => `${'{"track":'.repeat(count)}${END.repeat(count)}`],
    ['each with a beginning', (count) => `{"track":"a"${END}`.repeat(count)],
  ];
  const checked = (text: string) => {
    vi.mocked(crc32).mockClear();
    expect(linesInside(text)).toMatchObject({ lines: [], rest: text });
    return vi.mocked(crc32).mock.calls.reduce((sum, [part]) => sum + String(part).length, 0);
  };

  it.each(shapes)('%s is checked once', (_, textOf) => {
    const text = textOf(300);
    expect(checked(text)).toBeLessThanOrEqual(text.length);
  });
});

describe('damaged lines', () => {
  const stepsFor = (count: number, trackOf: (n: number) => string) => {
    const fold = createFold();
    for (let n = 0; n < count; n += 1)
      fold.add(counted(attempt({ attempt: hex(n, 32), track: trackOf(n), take: n + 1 })));
    const aside = Array.from({ length: count }, (_, n) => ({
      line: n + 1,
      why: '',
      text: `{"track":"${trackOf(n)}","model":"m"}`,
    }));
    steps = 0;
    salvageAll(fold, aside, '', [...fold.attempts.values()], [], false);
    expect(fold.attempts.size).toBe(2 * count);
    return steps;
  };

  it.each<[string, (n: number) => string]>([
    ['of one track', () => 'a'],
    ['of a track each', (n) => `t${n}`],
  ])('%s do not read all records again for each of them', (_, trackOf) => {
    expect(stepsFor(400, trackOf) / stepsFor(100, trackOf)).toBeLessThan(6);
  });
});

it('a take that lost its only record is free again', () => {
  const take = (number: number) => attempt({ track: 'a', take: number });
  const takes = createTakes([take(1), take(2), take(2), take(4)]);
  expect(takes.firstFree('a')).toBe(3);
  takes.replace([take(2)], [take(3)]);
  expect(takes.firstFree('a')).toBe(5);
  takes.replace([take(2), take(1)], [take(1)]);
  expect(takes.firstFree('a')).toBe(2);
  takes.replace([], [take(2)]);
  expect([takes.firstFree('a'), takes.firstFree('b')]).toEqual([5, 1]);
});

describe('more jobs under one id than a merge can produce', () => {
  const early = serialiseLock(header, []);
  const lines = Array.from({ length: 40 }, (_, n) =>
    attemptLine(attempt({ attempt: id('a'), state: 'queued', queue_id: `q${n}` })),
  );
  const text = `${early}${lines.join('\n')}\n`;

  it('stop buying', () => {
    expect(parseLock(text).problems[0]).toMatchObject({ kind: 'too_many_jobs', line: 3 + JOBS_MAX });
  });

  it('are set aside by repair, with their jobs in doubt', () => {
    const repaired = repairLock(text);
    if (!repaired.ok) throw new Error(repaired.problem.kind);
    expect(repaired.report.attempts).toBe(40);
    const doubts = repaired.report.setAside.flatMap(({ salvaged }) => salvaged);
    expect(doubts).toMatchObject(
      Array.from({ length: 40 - JOBS_MAX }, (_, n) => ({ queue_id: `q${n + JOBS_MAX}`, state: 'in_doubt' })),
    );
    expect(parseLock(repaired.text).problems).toEqual([]);
  });
});

it('a suggestion looks at a limited number of candidates', () => {
  let pulled = 0;
  function* names() {
    for (;;) {
      pulled += 1;
      yield `model-of-a-stranger-${pulled}`;
    }
  }
  expect(closest('model-of-a-friend', names())).toBeUndefined();
  expect(pulled).toBeLessThan(10_000);
});
