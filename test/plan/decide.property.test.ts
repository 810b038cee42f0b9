import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt, AttemptState } from '../../src/lockfile/attempt.js';
import { type DecideInput, decide } from '../../src/plan/decide.js';
import type { FileState } from '../../src/plan/history.js';
import { isInDoubt, isInFlight } from '../../src/plan/history.js';
import { isNothingHere } from '../../src/plan/latest-attempts.js';
import { nextStep } from '../../src/plan/next-step.js';
import { makeAttempt, makeTake } from './builders.js';

const STATES: readonly AttemptState[] = [
  'intent',
  'queued',
  'stored',
  'done',
  'rejected',
  'in_doubt',
  'failed',
  'lost',
  'unverified',
];

const takes = [
  makeTake({ track: 'a' }),
  makeTake({ track: 'b', take: 1, takes: 2 }),
  makeTake({ track: 'b', take: 2, takes: 2 }),
  makeTake({ track: 'c' }),
];
const everything = [...takes, makeTake({ track: 'removed' })];

const attemptSketch = fc.record({
  of: fc.constantFrom(...everything),
  state: fc.constantFrom(...STATES),
  older: fc.boolean(),
  reason: fc.constantFrom<Attempt['reason']>(
    undefined,
    { code: 'requeued' },
    { code: 'x', status: 402 },
    { code: 'x', status: 422 },
  ),
  file: fc.constantFrom<FileState>('present', 'missing', 'changed'),
});

const patterns = fc.constantFrom([], ['a'], ['b'], ['b#2'], ['*'], ['c', 'a']);
const world = fc
  .record({
    sketches: fc.array(attemptSketch, { maxLength: 8 }),
    only: patterns,
    except: patterns,
    force: patterns,
    retryFailed: fc.boolean(),
    occupied: fc.subarray(takes.map(({ stem }) => stem)),
  })
  .map(({ sketches, occupied, ...selection }) => {
    const attempts = sketches.map(({ of, state, older, reason }, index) =>
      makeAttempt({
        name: String.fromCharCode(97 + index),
        of,
        state,
        path: `files/${index}.wav`,
        ...(older ? { request: { prompt: 'older' } } : {}),
        ...(reason === undefined ? {} : { reason }),
      }),
    );
    const files = new Map(sketches.map(({ file }, index) => [`files/${index}.wav`, file]));
    const input: DecideInput = {
      takes,
      attempts,
      files,
      occupied: (stem) => (occupied.includes(stem) ? `${stem}.wav` : undefined),
      selection,
    };
    return input;
  });

const of = (input: DecideInput, take: { track: string; take: number }) =>
  [...input.attempts].filter((attempt) => attempt.track === take.track && attempt.take === take.take);

const RUNS = { numRuns: 500 };

describe('decisions for any lockfile, disk and flags', () => {
  it('do not depend on the order of attempts', () => {
    fc.assert(
      fc.property(world, fc.nat(), (input, turn) => {
        const attempts = [...input.attempts];
        const at = attempts.length === 0 ? 0 : turn % attempts.length;
        const turned = [...attempts.slice(at), ...attempts.slice(0, at)].reverse();
        expect(decide({ ...input, attempts: turned })).toEqual(decide(input));
      }),
      RUNS,
    );
  });

  it('are one per take, in the order of the manifest', () => {
    fc.assert(
      fc.property(world, (input) => {
        expect(decide(input).rows.map(({ take }) => take)).toEqual(takes);
      }),
      RUNS,
    );
  });

  it('never buy what is in doubt', () => {
    fc.assert(
      fc.property(world, (input) => {
        for (const { take, decision } of decide(input).rows) {
          expect(decision.kind === 'in_doubt').toBe(of(input, take).some(isInDoubt));
        }
      }),
      RUNS,
    );
  });

  it('never buy what is in flight for the same request', () => {
    fc.assert(
      fc.property(world, (input) => {
        for (const { take, decision } of decide(input).rows) {
          if (decision.kind !== 'buy') continue;
          const same = of(input, take).filter(({ digest }) => digest === take.digest);
          // A finished take may be forced although an older attempt that it superseded is still in flight.
          const forced = decision.why.kind === 'forced' && decision.why.earlier.state === 'done';
          if (!forced) expect(same.some(isInFlight)).toBe(false);
        }
      }),
      RUNS,
    );
  });

  it('never buy again what exists, unless forced', () => {
    fc.assert(
      fc.property(world, (input) => {
        for (const { take, decision } of decide(input).rows) {
          if (decision.kind !== 'buy' || decision.why.kind === 'forced') continue;
          const here = of(input, take).filter(
            ({ digest, state, file }) =>
              digest === take.digest && state === 'done' && input.files.get(file!.path) !== 'missing',
          );
          expect(here).toEqual([]);
        }
      }),
      RUNS,
    );
  });

  it('never buy again what failed, was lost or was refused for good, unless requested', () => {
    fc.assert(
      fc.property(world, (input) => {
        const selection = { ...input.selection, force: [], retryFailed: false };
        const again = decide({ ...input, selection }).rows.flatMap(({ decision }) =>
          decision.kind === 'buy' && decision.why.kind === 'retry' ? [decision.why.earlier] : [],
        );
        const mayBe = ({ state, reason }: Attempt) =>
          state === 'lost' ? reason?.code === 'requeued' : state === 'rejected' && reason?.status !== 422;
        expect(again.filter((attempt) => !mayBe(attempt))).toEqual([]);
      }),
      RUNS,
    );
  });

  it('collect each job in flight exactly once for any selection, unless its take is in doubt', () => {
    fc.assert(
      fc.property(world, (input) => {
        const { rows, orphans } = decide(input);
        const collected = rows.flatMap(({ decision }) =>
          decision.kind === 'collect' ? [decision.attempt] : [],
        );
        const ids = [...collected, ...orphans].map(({ attempt }) => attempt).sort();
        const inFlight = [...input.attempts].filter(isInFlight).map(({ attempt }) => attempt);
        expect(ids).toEqual(inFlight.sort());
      }),
      RUNS,
    );
  });

  it('buy nothing outside of the selection, and the rest as usual', () => {
    fc.assert(
      fc.property(world, (input) => {
        const { only: _only, except: _except, ...rest } = input.selection;
        const unrestricted = decide({ ...input, selection: rest });
        decide(input).rows.forEach(({ decision }, index) => {
          const free = unrestricted.rows[index]!.decision;
          if (decision.kind === 'buy' || decision.kind === 'occupied') expect(decision).toEqual(free);
          if (decision.kind === 'excluded') expect(['buy', 'occupied']).toContain(free.kind);
        });
        const nothing = decide({ ...input, selection: { ...input.selection, except: ['*'] } });
        expect(nothing.rows.filter(({ decision }) => decision.kind === 'buy')).toEqual([]);
      }),
      RUNS,
    );
  });

  it('move files only to free places', () => {
    fc.assert(
      fc.property(world, (input) => {
        const present = [...input.files].filter(([, state]) => state !== 'missing').map(([path]) => path);
        const disk = new Set(present);
        for (const { from, to } of decide(input).moves) {
          expect(disk.delete(from)).toBe(true);
          expect(disk.has(to)).toBe(false);
          expect(input.occupied(to.replace(/\.wav$/, ''))).toBeUndefined();
          disk.add(to);
        }
      }),
      RUNS,
    );
  });

  it('lead to a next step that does what it says', () => {
    const asked = { force: [], retryFailed: false };
    fc.assert(
      fc.property(world, (input) => {
        const idle = { ...input, occupied: () => undefined, selection: asked };
        const { rows } = decide(idle);
        const attempts = [...input.attempts];
        const step = nextStep(rows, attempts);
        const has = (...kinds: string[]) => rows.some(({ decision }) => kinds.includes(decision.kind));
        const buys = (selection: DecideInput['selection']) =>
          decide({ ...idle, selection }).rows.some(({ decision }) => decision.kind === 'buy');
        if (step.kind === 'buy') expect(buys(step)).toBe(true);
        const helps = {
          collect: attempts.some((attempt) => isInFlight(attempt) || attempt.state === 'intent'),
          fetch: false,
          resolve: attempts.some(isInDoubt),
          buy: true,
          edit: has('held') && !has('buy'),
          nothing: !has('buy', 'held') || isNothingHere(rows),
        };
        expect(helps[step.kind], step.kind).toBe(true);
      }),
      RUNS,
    );
  });
});
