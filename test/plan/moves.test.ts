import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { supersededStems } from '../../src/core/file-name.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { Take } from '../../src/manifest/take.js';
import { decide } from '../../src/plan/decide.js';
import type { FileMove } from '../../src/plan/plan.js';
import { filesOf, makeAttempt, makeTake } from './builders.js';

function movesFor(
  takes: readonly Take[],
  attempts: readonly Attempt[],
  untrackedFiles: readonly string[] = [],
  files = filesOf(attempts),
) {
  return decide({
    takes,
    attempts,
    files,
    occupied: (stem) => untrackedFiles.find((path) => path.replace(/\.[^.]*$/, '') === stem),
    selection: { retryFailed: false, force: [] },
  });
}

/** Carries out moves on a disk that ignores letter case; fails if one would replace a file. */
function carryOut(moves: readonly FileMove[], paths: Iterable<string>): Map<string, string> {
  const disk = new Map([...paths].map((path) => [path.toLowerCase(), path]));
  for (const { from, to } of moves) {
    expect(disk.get(from.toLowerCase()), `${from} is there`).toBe(from);
    disk.delete(from.toLowerCase());
    expect(disk.get(to.toLowerCase()), `${to} is free`).toBeUndefined();
    disk.set(to.toLowerCase(), to);
  }
  return disk;
}

const steps = (moves: readonly FileMove[]) => moves.map(({ from, to }) => `${from} -> ${to}`);

/** The attempt stored at `path`, for a take that now wants `stem`. */
function stored(track: string, stem: string, path: string): { take: Take; attempt: Attempt } {
  const take = makeTake({ track, stem, request: { prompt: `prompt of ${track}` } });
  return { take, attempt: makeAttempt({ name: track, of: take, path }) };
}

function decidedOf(pairs: readonly { take: Take; attempt: Attempt }[], untrackedFiles: string[] = []) {
  return movesFor(
    pairs.map(({ take }) => take),
    pairs.map(({ attempt }) => attempt),
    untrackedFiles,
  );
}

describe('files whose path changed', () => {
  it('stay if their path is right', () => {
    expect(decidedOf([stored('a', 'out/a', 'out/a.wav')]).moves).toEqual([]);
  });

  it('are moved and keep their extension', () => {
    expect(steps(decidedOf([stored('a', 'new/a.b', 'out/a.flac')]).moves)).toEqual([
      'out/a.flac -> new/a.b.flac',
    ]);
  });

  it('wait for another file to free their path', () => {
    const pairs = [
      stored('a', 'out/2', 'out/1.wav'),
      stored('b', 'out/3', 'out/2.wav'),
      stored('c', 'out/4', 'out/3.wav'),
    ];
    expect(steps(decidedOf(pairs).moves)).toEqual([
      'out/3.wav -> out/4.wav',
      'out/2.wav -> out/3.wav',
      'out/1.wav -> out/2.wav',
    ]);
  });

  it('are swapped through a temporary name', () => {
    const moves = decidedOf([stored('a', 'out/2', 'out/1.wav'), stored('b', 'out/1', 'out/2.wav')]).moves;
    expect(moves).toHaveLength(3);
    expect(moves[0]?.attempt).toBe(moves[2]?.attempt);
    expect([...carryOut(moves, ['out/1.wav', 'out/2.wav']).values()].sort()).toEqual([
      'out/1.wav',
      'out/2.wav',
    ]);
  });

  it('change letter case through a temporary name', () => {
    const moves = decidedOf([stored('a', 'out/Song', 'out/song.wav')]).moves;
    expect(moves).toHaveLength(2);
    expect([...carryOut(moves, ['out/song.wav']).values()]).toEqual(['out/Song.wav']);
  });

  it('include a stored one whose remote copy is still to delete', () => {
    const take = makeTake({ stem: 'new/opening' });
    const attempt = makeAttempt({ of: take, state: 'stored', path: 'out/opening.wav' });
    expect(movesFor([take], [attempt]).moves).toHaveLength(1);
  });

  it.each(['changed', 'missing'] as const)(
    'do not include a stored one that is downloaded again: %s',
    (state) => {
      const take = makeTake({ stem: 'new/opening' });
      const attempt = makeAttempt({ of: take, state: 'stored', path: 'out/opening.wav' });
      expect(movesFor([take], [attempt], [], new Map([['out/opening.wav', state]])).moves).toEqual([]);
    },
  );

  it('are looked for at both paths of an interrupted move', () => {
    const take = makeTake({ stem: 'new/opening' });
    const attempt = makeAttempt({ of: take, path: 'out/opening.wav', moveTo: 'mid/opening.wav' });
    expect(steps(movesFor([take], [attempt], [], new Map([['mid/opening.wav', 'present']])).moves)).toEqual([
      'mid/opening.wav -> new/opening.wav',
    ]);
  });
});

describe('a file of an earlier request', () => {
  const take = makeTake();
  const earlier = { of: take, request: { prompt: 'older' } };

  it('is renamed for the one that is current again', () => {
    const wanted = makeAttempt({ name: 'a', of: take, path: 'out/opening.11112222.wav' });
    const inTheWay = makeAttempt({ name: 'b', ...earlier, path: 'out/opening.wav' });
    const digest8 = inTheWay.digest.slice(3, 11);
    expect(steps(movesFor([take], [wanted, inTheWay]).moves)).toEqual([
      `out/opening.wav -> out/opening.${digest8}.wav`,
      'out/opening.11112222.wav -> out/opening.wav',
    ]);
  });

  it('is renamed even with another extension', () => {
    const wanted = makeAttempt({ name: 'b', of: take });
    const inTheWay = makeAttempt({ name: 'a', ...earlier, path: 'out/opening.flac' });
    expect(movesFor([take], [wanted, inTheWay]).moves).toMatchObject([{ attempt: inTheWay.attempt }]);
  });

  it('stays until the new one is there', () => {
    const inTheWay = makeAttempt({ name: 'a', ...earlier });
    expect(movesFor([take], [inTheWay]).moves).toEqual([]);
  });

  it('gets the digits of its attempt if its name is taken', () => {
    const digest8 = makeAttempt(earlier).digest.slice(3, 11);
    const first = makeAttempt({ name: 'a', ...earlier, path: `out/opening.${digest8}.wav` });
    const second = makeAttempt({ name: 'b', ...earlier });
    const wanted = makeAttempt({ name: 'c', of: take, path: 'elsewhere.wav' });
    expect(steps(movesFor([take], [first, second, wanted]).moves)).toEqual([
      `out/opening.wav -> out/opening.${digest8}-${second.attempt.slice(0, 8)}.wav`,
      'elsewhere.wav -> out/opening.wav',
    ]);
  });
});

describe('an untracked file at a target path', () => {
  it('is never replaced, and is reported', () => {
    const decided = decidedOf([stored('a', 'out/2', 'out/1.wav')], ['out/2.txt']);
    expect(decided.moves).toEqual([]);
    expect(decided.diagnostics).toMatchObject([{ code: 'move-blocked', severity: 'warning' }]);
  });

  it('also blocks moves that depend on the blocked one', () => {
    const pairs = [
      stored('a', 'out/2', 'out/1.wav'),
      stored('b', 'out/3', 'out/2.wav'),
      stored('c', 'free', 'out/c.wav'),
    ];
    const decided = decidedOf(pairs, ['out/3.wav']);
    expect(steps(decided.moves)).toEqual(['out/c.wav -> free.wav']);
    expect(decided.diagnostics).toHaveLength(2);
  });

  it('leaves a superseded file in place if no other name is free', () => {
    const take = makeTake();
    const wanted = makeAttempt({ name: 'a', of: take, path: 'else.wav' });
    const inTheWay = makeAttempt({ name: 'b', of: take, request: { prompt: 'older' } });
    const names = supersededStems('out/opening', inTheWay).map((name) => `${name}.x`);
    const decided = movesFor([take], [wanted, inTheWay], names);
    expect(decided.moves).toEqual([]);
    expect(decided.diagnostics).toMatchObject([{ code: 'move-blocked' }]);
  });
});

describe('any set of moves', () => {
  const slots = ['out/A', 'out/b', 'out/c', 'out/d', 'out/e', 'out/f'];
  const world = fc.record({
    wanted: fc.shuffledSubarray(slots, { minLength: 6 }),
    placed: fc.shuffledSubarray([...slots.map((slot) => slot.toLowerCase()), 'x', 'y'], {
      minLength: 6,
      maxLength: 6,
    }),
    extensions: fc.array(fc.constantFrom('.wav', '.flac'), { minLength: 6, maxLength: 6 }),
    /** How many are of an outdated request. */
    earlier: fc.nat({ max: 4 }),
    untrackedFiles: fc.subarray(slots, { maxLength: 2 }),
  });

  it('never overwrite a file, and complete unless something blocks them', () => {
    fc.assert(
      fc.property(world, ({ wanted, placed, extensions, earlier, untrackedFiles }) => {
        const takes = wanted.map((stem, index) =>
          makeTake({ track: `t${index}`, stem, request: { prompt: `${index}` } }),
        );
        const attempts = takes.map((of, index) =>
          makeAttempt({
            name: String.fromCharCode(97 + index),
            of,
            path: `${placed[index]}${extensions[index]}`,
            ...(index < earlier ? { request: { prompt: 'older' } } : {}),
          }),
        );
        const free = untrackedFiles.filter((slot) => !placed.includes(slot.toLowerCase()));
        const untrackedPaths = free.map((slot) => `${slot}.wav`);
        const { moves, diagnostics } = movesFor(takes, attempts, untrackedPaths);
        const paths = attempts.map(({ file }) => file!.path);
        const disk = carryOut(moves, [...paths, ...untrackedPaths]);
        for (const path of untrackedPaths) expect(disk.get(path.toLowerCase())).toBe(path);
        expect(disk.size).toBe(paths.length + untrackedPaths.length);
        const at = new Map(attempts.map((attempt) => [attempt.attempt, attempt.file!.path]));
        for (const { attempt, to } of moves) at.set(attempt, to);
        // Ensures that the following checks run at all.
        if (untrackedPaths.length === 0) expect(diagnostics).toEqual([]);
        if (diagnostics.length > 0) return;
        takes.slice(earlier).forEach((take, index) => {
          const place = earlier + index;
          expect(at.get(attempts[place]!.attempt)).toBe(take.stem + extensions[place]);
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('are planned quickly for a long chain and a long cycle', () => {
    const count = 5_000;
    const pairs = Array.from({ length: count }, (_, index) =>
      stored(`t${index}`, `out/${(index + 1) % count}`, `out/${index}.wav`),
    );
    const { moves } = decidedOf(pairs);
    expect(moves).toHaveLength(count + 1);
    carryOut(
      moves,
      pairs.map(({ attempt }) => attempt.file!.path),
    );
  });
});
