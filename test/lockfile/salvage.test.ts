import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { attemptLine } from '../../src/lockfile/line.js';
import { parseLock, serialiseLock } from '../../src/lockfile/lock-text.js';
import { type RepairReport, repairLock } from '../../src/lockfile/repair.js';
import { isSalvaged, salvage } from '../../src/lockfile/salvage.js';
import { salvagedJobsError } from '../../src/plan/salvaged-jobs.js';
import { attempt, command, file, header, id } from './build.js';

const queued = attempt({
  rev: 2,
  state: 'queued',
  track: 'opening',
  queue_id: 'q-1',
  attempt: id('opening'),
});
const done = attempt({
  rev: 4,
  state: 'done',
  track: 'ending',
  take: 2,
  queue_id: 'q-2',
  attempt: id('ending'),
  file,
});
const clean = serialiseLock(header, [queued, done]);

function repaired(text: string): { attempts: readonly Attempt[]; report: RepairReport; text: string } {
  const result = repairLock(text);
  if (!result.ok) throw new Error(result.problem.kind);
  const { attempts, problems } = parseLock(result.text);
  expect(problems).toEqual([]);
  return { ...result, attempts: [...attempts.values()] };
}

const replaced = (text: string, at: number, by: string) =>
  text.slice(0, at) + by + text.slice(at + by.length);

describe('one wrong character', () => {
  const printable = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
  const places = [...clean].flatMap((char, at) => (char === '\n' ? [] : [at]));

  it('is corrected wherever it is', { timeout: 120_000 }, () => {
    const cases = fc.tuple(fc.constantFrom(...places), fc.oneof(printable, fc.constant('\ufffd')));
    fc.assert(
      fc.property(cases, ([at, char]) => {
        fc.pre(clean[at] !== char);
        const { text, report } = repaired(replaced(clean, at, char));
        expect(text).toBe(clean);
        expect(report.setAside).toEqual([]);
        expect(report.corrected).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });

  it('is named by line and column', () => {
    const at = clean.indexOf('"q-1"');
    const lineStart = clean.lastIndexOf('\n', at) + 1;
    expect(repaired(replaced(clean, at, '#')).report).toMatchObject({
      corrected: [{ line: 3, column: at - lineStart + 1 }],
      keptAsRead: [],
      setAside: [],
    });
  });
});

describe('a line with more damage', () => {
  it('never makes a take look as if it had not been bought', () => {
    const lines = clean.split('\n');
    const damage = fc.record({
      line: fc.constantFrom(2, 3),
      start: fc.nat(600),
      with: fc.string({ minLength: 2, maxLength: 300, unit: fc.constantFrom('\0', '#', '"', '{', '}') }),
    });
    fc.assert(
      fc.property(damage, ({ line, start, with: by }) => {
        const original = line === 2 ? queued : done;
        const whole = lines[line] ?? '';
        const damaged = replaced(whole, Math.min(start, whole.length), by);
        fc.pre(damaged !== whole && /"track":"[a-z]|"queue_id":"q-\d"/.test(damaged));
        const { attempts } = repaired(lines.map((text, at) => (at === line ? damaged : text)).join('\n'));
        const same = attempts.some((one) => one.track === original.track && one.digest === original.digest);
        expect(same || salvagedJobsError(attempts, command) !== undefined).toBe(true);
        if (damaged.includes(`"queue_id":"${original.queue_id}"`))
          expect(attempts.map(({ queue_id }) => queue_id)).toContain(original.queue_id);
      }),
      { numRuns: 60 },
    );
  });

  it('is kept as it was if everything that matters can be read', () => {
    const line = attemptLine(queued).replace('"at":{"intent":"20', '"at":{"inte####20');
    expect(salvage(line)).toEqual([{ ...queued, at: {} }]);
  });

  it.each([
    ['digest', '"digest":"v1:', '"digest":"####'],
    ['attempt', '"attempt":"', '"attempt":##'],
  ])('is in doubt without its %s', (_, text, by) => {
    const [only, ...others] = salvage(attemptLine(queued).replace(text, by));
    expect(others).toEqual([]);
    expect(only).toMatchObject({ track: 'opening', state: 'in_doubt', queue_id: 'q-1' });
    expect([only!].some(isSalvaged)).toBe(true);
  });

  it('is queued if its state cannot be read, because the service knows', () => {
    const line = attemptLine(done)
      .replace('"state":"done"', '"state":"####"')
      .replace('"sha256":"aa', '"sha256":##');
    expect(salvage(line)).toMatchObject([{ track: 'ending', take: 2, state: 'queued', queue_id: 'q-2' }]);
  });

  it('takes what cannot be read from an earlier record of its attempt', () => {
    const intent = attempt({ attempt: queued.attempt, track: 'opening' });
    const line = attemptLine(queued).slice(0, attemptLine(queued).indexOf(',"digest"') - 3);
    expect(salvage(line, () => intent)).toEqual([{ ...queued, stem: intent.stem }]);
    expect(salvage(line)).toMatchObject([{ state: 'in_doubt', queue_id: 'q-1' }]);
    expect(salvage(line, () => ({ ...intent, track: 'other' }))).toMatchObject([{ state: 'in_doubt' }]);
  });

  it('keeps both jobs if it has two queue ids', () => {
    const twice = attemptLine(queued).replace('"rev"', '"queue_id":"q-0","rev"');
    expect(salvage(twice).map(({ queue_id, state }) => [queue_id, state])).toEqual([
      ['q-0', 'in_doubt'],
      ['q-1', 'in_doubt'],
    ]);
  });

  it('keeps a job whose track cannot be read', () => {
    expect(salvage('\0\0\0","queue_id":"q-1","mo')).toMatchObject([
      { track: 'unreadable', state: 'in_doubt', queue_id: 'q-1' },
    ]);
  });

  it('has nothing to keep if neither track nor job can be read', () => {
    expect(salvage('\0\0\0"digest":"v1')).toEqual([]);
  });

  it('adds nothing if another line or a journal has the job', () => {
    const broken = `${attemptLine(queued).slice(0, 300)}\n`;
    expect(repaired(`${clean}${broken}`).attempts).toHaveLength(2);
    const alone = serialiseLock(header, [done]);
    const journals = [{ header, records: [queued], whole: true }];
    const result = repairLock(`${alone}${broken}`, journals);
    expect(result.ok && result.report.setAside).toMatchObject([{ salvaged: [], queueIds: [] }]);
  });
});
