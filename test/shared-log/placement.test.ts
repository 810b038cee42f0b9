import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { attemptLine } from '../../src/lockfile/line.js';
import { salvage, UNKNOWN_DIGEST } from '../../src/lockfile/salvage.js';
import { missingFromLog, placed, placedApart, settledByLog } from '../../src/shared-log/placement.js';
import { attempt, id } from '../lockfile/build.js';

/** A file at a path, dated by the minute. */
function made(name: string, path: string, minute: number): Attempt {
  return {
    attempt: name,
    rev: 3,
    state: 'done',
    digest: `v1:${name.padEnd(8, '0')}`,
    at: { intent: `2026-10-01T10:${String(minute).padStart(2, '0')}:00.000Z` },
    file: { path, bytes: 1, sha256: name, media_type: 'audio/wav' },
  } as unknown as Attempt;
}

const place = (arriving: readonly Attempt[], here: readonly Attempt[] = []) => {
  const copy = new Map(here.map((one) => [one.attempt, one]));
  const copies = placedApart(
    arriving.map((shared) => ({ shared, known: copy.get(shared.attempt), run: undefined })),
    copy,
  );
  return copies.map(({ attempt, file }) => `${attempt} ${file?.path}`);
};

describe('files of other machines', () => {
  it('that share a path in the log keep it only for the newest', () => {
    const all = [made('a', 'out/x.wav', 1), made('c', 'out/x.wav', 3), made('b', 'out/X.wav', 2)];
    expect(place(all)).toEqual(['a out/x.a0000000.wav', 'c out/x.wav', 'b out/X.b0000000.wav']);
  });

  it('leave the path to a file that is here', () => {
    expect(place([made('b', 'out/x.wav', 2)], [made('a', 'out/x.wav', 1)])).toEqual(['b out/x.b0000000.wav']);
  });

  it('stay where they are here, whatever the log says', () => {
    const here = made('a', 'out/.superseded/x.wav', 1);
    expect(place([made('a', 'out/x.wav', 1), made('b', 'out/x.wav', 2)], [here])).toEqual([
      'a out/.superseded/x.wav',
      'b out/x.wav',
    ]);
  });

  it.each([
    ['is kept if that machine could not get the audio of the same job', 'q', 'out/x.wav'],
    ['is not taken for the file of another job', 'r', undefined],
  ])('that another machine gave up: a file that is here %s', (_, queueId, path) => {
    const known = { ...made('a', 'out/x.wav', 1), state: 'stored', queue_id: 'q' } as const;
    const { file: _file, ...givenUp } = { ...known, rev: 5, state: 'lost', queue_id: queueId } as const;
    expect(placed(givenUp, known, undefined)).toMatchObject({ rev: 5, state: 'lost', log_rev: 5 });
    expect(placed(givenUp, known, undefined).file?.path).toBe(path);
  });

  it('never share a path, whatever order they arrive in', () => {
    const files = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-f]{8}$/), fc.integer({ min: 0, max: 2 })), {
      selector: ([name]) => name,
    });
    fc.assert(
      fc.property(files, (all) => {
        const arriving = all.map(([name, path], at) => made(name, `${path}.wav`, at % 60));
        const paths = (order: readonly Attempt[]) =>
          new Map(place(order).map((line) => [line.slice(0, 8), line]));
        const forth = paths(arriving);
        expect(new Set([...forth.values()].map((line) => line.slice(9))).size).toBe(all.length);
        expect(paths([...arriving].reverse())).toEqual(forth);
      }),
    );
  });
});

describe('what a repair left in doubt', () => {
  const queued = attempt({ rev: 2, state: 'queued', queue_id: 'job-1' });
  const rejected = attempt({
    attempt: id('r'),
    rev: 2,
    state: 'rejected',
    at: { ...attempt().at, rejected: '2026-01-02T03:05:00.000Z' },
  });
  const answered = attempt({ rev: 2, state: 'lost', digest: UNKNOWN_DIGEST });
  const byId = (all: readonly Attempt[]) => new Map(all.map((one) => [one.attempt, one]));
  /** Whether the log settles the doubt that is made of a line, in which some values were damaged. */
  const isSettled = (line: Attempt, damaged: readonly string[], log: readonly Attempt[]) => {
    const text = damaged.reduce((all, value) => all.replaceAll(value, 'x\0'), attemptLine(line));
    const doubts = salvage([text], text, () => undefined).flat();
    expect(doubts).toMatchObject([{ state: 'in_doubt' }]);
    expect(missingFromLog(doubts, byId(log))).toEqual([]);
    return settledByLog(byId(doubts), byId(log)).size === 1;
  };

  it.each([
    ['its job is in the log', { ...queued, log_rev: 2 }, [queued.attempt], [queued]],
    ['its job is in the log, and its take cannot be read', queued, [queued.attempt, 'opening'], [queued]],
    ['the log has a job of its attempt', queued, ['job-1'], [queued]],
    ['the user has settled it elsewhere', queued, ['job-1'], [answered]],
    ['the log does not know yet what became of its attempt', queued, ['job-1'], [attempt()]],
    ['it was rejected, as its attempt in the log', rejected, ['elevenlabs-music'], [rejected]],
    ['its line was a copy, and rejected', { ...rejected, log_rev: 2 }, [rejected.attempt], [rejected]],
    ['its line was a copy of a job', { ...queued, log_rev: 2 }, [queued.attempt, 'job-1'], [queued]],
  ])('is dropped if %s', (_, line, damaged, log) => {
    expect(isSettled(line, damaged, log)).toBe(true);
  });

  const intent = attempt();
  const other = attempt({ ...queued, attempt: id('b'), track: 'ending' });
  const lost: Attempt = { ...intent, rev: 2, state: 'lost' };
  const copied = { ...queued, log_rev: 2 };
  it.each([
    ['only this copy knows the job', { ...queued, log_rev: 2 }, [queued.attempt], [intent]],
    ['its attempt was closed without a job', queued, ['job-1'], [{ ...rejected, attempt: queued.attempt }]],
    ['its attempt was given up without a job', queued, ['job-1'], [lost]],
    ['its line does not say that it was rejected', rejected, ['rejected'], [rejected]],
    ['one of those it may copy has no job', copied, [queued.attempt, 'job-1'], [queued, rejected]],
    ['the job is that of another take', queued, [queued.attempt], [other]],
    ['its line never was in the log', rejected, [rejected.attempt], [rejected]],
    ['the log has nothing of its take', { ...rejected, log_rev: 2 }, [rejected.attempt], [other]],
    ['nothing of it can be read', rejected, [rejected.attempt, 'opening'], [rejected]],
  ])('is kept if %s', (_, line, damaged, log) => {
    expect(isSettled(line, damaged, log)).toBe(false);
  });

  it('is kept if this copy has what the log knows of the take', () => {
    const doubt: Attempt = {
      ...salvage(['{"track":"opening","take":1'], '', () => undefined)[0]![0]!,
      log_rev: 1,
    };
    expect(settledByLog(byId([doubt, rejected]), byId([rejected])).size).toBe(0);
  });
});
