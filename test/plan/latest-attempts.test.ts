import { describe, expect, it } from 'vitest';
import type { Attempt, AttemptState } from '../../src/lockfile/attempt.js';
import { decide } from '../../src/plan/decide.js';
import { isNothingHere, newerFailures, rowsOfRun } from '../../src/plan/latest-attempts.js';
import { nextStep } from '../../src/plan/next-step.js';
import type { PlanRow, Purchase } from '../../src/plan/plan.js';
import { type AttemptSketch, filesOf, makeAttempt, makeTake, NOW_MS } from './builders.js';

const take = makeTake();
const other = makeTake({ track: 'other' });
const OLD = { request: { prompt: 'an older wish' } };

function rowsOf(attempts: readonly Attempt[], files = filesOf(attempts), takes = [take]): readonly PlanRow[] {
  const selection = { retryFailed: false, force: [] };
  return decide({ takes, attempts, files, occupied: () => undefined, selection }).rows;
}

/** Entered its state at `atMs`. */
function fell(sketch: AttemptSketch, atMs = NOW_MS): Attempt {
  const attempt = makeAttempt({ name: 'b', ...sketch });
  return { ...attempt, at: { ...attempt.at, [attempt.state]: new Date(atMs).toISOString() } };
}

const done = makeAttempt({ name: 'a' });
const states: AttemptState[] = ['failed', 'lost', 'rejected'];

describe('a newer attempt that failed', () => {
  it.each(states)('is shown beside the current file if it %s', (state) => {
    const newer = fell({ state });
    expect([...newerFailures(rowsOf([done, newer]), [newer, done])]).toEqual([['opening', newer]]);
  });

  it.each<[string, Attempt[]]>([
    ['an older one', [makeAttempt({ name: 'c' }), fell({ state: 'failed' })]],
    ['one of another request', [done, fell({ state: 'failed', ...OLD })]],
    ['one of another take', [done, fell({ state: 'failed', of: other })]],
    [
      'an attempt before one whose file is here',
      [done, fell({ state: 'failed' }), makeAttempt({ name: 'c' })],
    ],
    ['the only attempt', [fell({ state: 'failed' })]],
  ])('does not include %s', (_, attempts) => {
    expect(newerFailures(rowsOf(attempts), attempts).size).toBe(0);
  });

  it('does not include a claim that another machine withdrew while the take was being made', () => {
    const late = fell({ state: 'rejected', reason: { code: 'not_sent' } });
    const stored = { ...done, at: { ...done.at, stored: new Date(NOW_MS + 1).toISOString() } };
    const rows = rowsOf([stored, late]);
    expect(newerFailures(rows, [stored, late]).size).toBe(0);
    expect(rowsOfRun(rows, [stored, late], [], NOW_MS)).toEqual(rows);
  });
});

describe('the rows at the end of a run', () => {
  const forced = { take, why: { kind: 'forced', earlier: done } } as unknown as Purchase;

  it.each(states)('include a take that was to be generated again and is %s', (state) => {
    const newer = fell({ state, reason: { code: 'x', status: 402 } });
    const rows = rowsOfRun(rowsOf([done, newer]), [done, newer], [forced], NOW_MS);
    expect(rows).toEqual([{ take, decision: { kind: 'held', because: state, attempt: newer, kept: done } }]);
    expect(nextStep(rows, [done, newer])).toEqual({ kind: 'buy', retryFailed: false, force: ['opening'] });
  });

  it('include what another machine made meanwhile, although its clock is two hours behind', () => {
    const purchase = { take, why: { kind: 'new' } } as unknown as Purchase;
    const startedMs = NOW_MS + 2 * 3_600_000;
    const rows = rowsOf([done]);
    expect(rowsOfRun(rows, [done], [purchase], startedMs, new Set())).toEqual(rows);
    expect(rowsOfRun(rows, [done], [purchase], startedMs, new Set([done.attempt]))).toEqual([
      { take, decision: { kind: 'buy', why: { kind: 'new' } } },
    ]);
  });

  it('do not change if that was in an earlier run', () => {
    const newer = fell({ state: 'failed' }, NOW_MS - 1);
    const rows = rowsOf([done, newer]);
    expect(rowsOfRun(rows, [done, newer], [], NOW_MS)).toEqual(rows);
    expect(nextStep(rows, [done, newer])).toEqual({ kind: 'nothing' });
  });

  it('say failed rather than missing for a file that was to be replaced', () => {
    const newer = fell({ state: 'failed' });
    const rows = rowsOfRun(rowsOf([done, newer], new Map()), [done, newer], [], NOW_MS);
    expect(rows).toEqual([{ take, decision: { kind: 'held', because: 'failed', attempt: newer } }]);
    expect(nextStep(rows, [done, newer])).toEqual({ kind: 'buy', retryFailed: true, force: [] });
  });

  it('still include what was approved but never submitted', () => {
    const rows = rowsOfRun(rowsOf([done]), [done], [forced], NOW_MS);
    expect(rows).toEqual([{ take, decision: { kind: 'buy', why: forced.why } }]);
    expect(nextStep(rows, [done])).toEqual({ kind: 'buy', retryFailed: false, force: ['opening'] });
    const made = makeAttempt({ name: 'b' });
    const begun = { ...made, at: { intent: new Date(NOW_MS).toISOString() } };
    expect(rowsOfRun(rowsOf([done, begun]), [done, begun], [forced], NOW_MS)[0]?.decision.kind).toBe('done');
  });
});

it('the command that repeats the first of several takes names only that take', () => {
  const [first, second] = [makeTake({ takes: 2 }), makeTake({ take: 2, takes: 2 })];
  const both = [makeAttempt({ name: 'a', of: first }), makeAttempt({ name: 'c', of: second })];
  const newer = fell({ state: 'failed', of: first });
  const rows = rowsOf([...both, newer], filesOf(both), [first, second]);
  const step = nextStep(rowsOfRun(rows, [...both, newer], [], NOW_MS), [...both, newer]);
  expect(step).toEqual({ kind: 'buy', retryFailed: false, force: ['opening#1'] });
});

it('bytes that are always incomplete do not come before what else is to be settled', () => {
  const unverified = fell({ state: 'unverified', name: 'c' });
  const doubtful = fell({ state: 'in_doubt', of: other });
  const step = (attempts: Attempt[]) =>
    nextStep(rowsOf(attempts, filesOf(attempts), [take, other]), attempts);
  expect(step([unverified, doubtful])).toEqual({ kind: 'resolve' });
  expect(step([unverified, makeAttempt({ name: 'd', of: other })])).toEqual({ kind: 'collect' });
  const replaced = fell({ state: 'unverified', name: 'c', ...OLD });
  expect(step([replaced, done, makeAttempt({ name: 'd', of: other })])).toEqual({ kind: 'nothing' });
});

it('claims of other runs are to be collected, and resolved once they all are older than any submit', () => {
  const step = (...agesMs: number[]) => {
    const attempts = agesMs.map((ageMs, index) => ({
      ...makeAttempt({ state: 'intent', of: index === 0 ? take : other, name: 'ab'[index]! }),
      run: '0'.repeat(32),
      at: { intent: new Date(NOW_MS - ageMs).toISOString() },
    }));
    const selection = { retryFailed: false, force: [] };
    const input = { takes: [take, other], attempts, files: new Map(), occupied: () => undefined, selection };
    return nextStep(decide({ ...input, nowMs: NOW_MS }).rows, attempts).kind;
  };
  const minute = 60_000;
  expect(step(minute, minute)).toBe('collect');
  expect(step(minute, 16 * minute)).toBe('collect');
  expect(step(16 * minute, 16 * minute)).toBe('resolve');
});

describe('an empty output folder', () => {
  const both = [done, makeAttempt({ name: 'b', of: other })];
  const here = (files: ReturnType<typeof filesOf>) => rowsOf(both, files, [take, other]);

  it('contains no file of the lockfile', () => {
    expect(isNothingHere(here(new Map()))).toBe(true);
    expect(isNothingHere(here(new Map([['out/other.wav', 'present']])))).toBe(false);
    expect(isNothingHere(rowsOf([fell({ state: 'failed' })]))).toBe(false);
    expect(isNothingHere([])).toBe(false);
  });

  it('is reported once, even if everything is requested again', () => {
    for (const retryFailed of [false, true]) {
      const selection = { retryFailed, force: [] };
      const input = { takes: [take, other], attempts: both, occupied: () => undefined, selection };
      const { diagnostics } = decide({ ...input, files: new Map() });
      expect(diagnostics.map(({ code, severity }) => [code, severity])).toEqual([
        ['no-file-here', 'warning'],
      ]);
    }
  });

  it('is reported in the singular if the lockfile names one file', () => {
    const selection = { retryFailed: false, force: [] };
    const input = { takes: [take], attempts: [done], occupied: () => undefined, selection };
    expect(decide({ ...input, files: new Map() }).diagnostics).toMatchObject([
      {
        message: `the only file in the lockfile is missing: ${done.file?.path}`,
        hint: 'if the file was made with --out-dir, pass that folder again; otherwise put it back',
      },
    ]);
  });
});
