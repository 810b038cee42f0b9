import { describe, expect, it } from 'vitest';
import { notFrozen as findings } from '../../src/app/frozen.js';
import type { Decision, PlanRow } from '../../src/plan/plan.js';
import { makeAttempt, makeTake } from '../plan/builders.js';

const command = (verb: string) => `venice-batch ${verb} album.yaml`;
const notFrozen = (rows: readonly PlanRow[]) => findings({ rows, moves: [] }, { command });

const NEW: Decision = { kind: 'buy', why: { kind: 'new' } };

function row(track: string, take = 1, decision: Decision = NEW): PlanRow {
  return { take: makeTake({ track, take, takes: 2 }), decision };
}

describe('takes that --frozen finds to buy', () => {
  it('are one error that names each take and its reason', () => {
    const changed: Decision = {
      kind: 'buy',
      why: { kind: 'changed', fields: ['prompt'], earlier: makeAttempt() },
    };
    const [only, ...others] = notFrozen([row('intro'), row('drive'), row('drive', 2, changed)]);
    expect(others).toEqual([]);
    expect(only).toMatchObject({
      code: 'not-frozen',
      severity: 'error',
      hint: 'run this where buying is allowed, then commit the lockfile and the files: venice-batch run album.yaml',
    });
    expect(only?.message).toBe(
      '3 takes would be bought, but --frozen forbids buying: intro#1 (new), drive#1 (new), drive#2 (changed)',
    );
  });

  it('point to the track if there is only one', () => {
    expect(notFrozen([row('drive'), row('drive', 2)])[0]?.span).toEqual(row('drive').take.span);
    expect(notFrozen([row('drive'), row('intro')])[0]).not.toHaveProperty('span');
  });

  it('are listed up to twenty, and the rest are counted', () => {
    const [only] = notFrozen(Array.from({ length: 23 }, (_, index) => row(`t${index}`)));
    expect(only?.message).toMatch(/^23 takes .* t19#1 \(new\), and 3 more$/);
  });

  it('cause no error if there are none', () => {
    const done: Decision = { kind: 'done', attempt: makeAttempt() };
    const attempt = makeAttempt({ state: 'failed' });
    expect(notFrozen([row('intro', 1, done)])).toEqual([]);
    expect(notFrozen([row('intro', 1, { kind: 'collect', attempt })])).toEqual([]);
    expect(notFrozen([row('intro', 1, { kind: 'held', because: 'failed', attempt })])).toEqual([]);
    expect(notFrozen([row('intro', 1, { kind: 'excluded', why: { kind: 'new' } })])).toEqual([]);
    expect(notFrozen([row('intro', 1, done), row('drive')])[0]?.message).toMatch(
      /^drive#1 \(new\) would be bought/,
    );
  });
});

describe('files that --frozen finds to move', () => {
  it('are one error that counts a file once even if it moves twice', () => {
    const moves = [
      { attempt: 'a', from: 'out/a.wav', to: 'out/b.wav' },
      { attempt: 'b', from: 'out/b.wav', to: 'aside' },
      { attempt: 'b', from: 'aside', to: 'out/a.wav' },
    ];
    expect(findings({ rows: [], moves }, { command, placeOf: (file) => `music/${file}` })).toMatchObject([
      {
        code: 'not-frozen',
        message:
          '2 files would be moved to new names, but --frozen changes nothing: such as music/out/a.wav to music/out/b.wav',
      },
    ]);
  });
});
