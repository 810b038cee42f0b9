import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { PlanRow } from '../../src/plan/plan.js';
import { chooseTakes } from '../../src/release/choose-takes.js';
import { makeAttempt, makeTake, spanAt } from '../plan/builders.js';

const FIRST = makeTake({ takes: 2, request: { lyrics_prompt: 'La la' } });
const SECOND = makeTake({ takes: 2, take: 2, request: { lyrics_prompt: 'La la' } });
const ONE = makeAttempt({ name: 'a', of: FIRST });
const TWO = makeAttempt({ name: 'b', of: SECOND });
const EARLIER = makeAttempt({
  name: 'c',
  of: FIRST,
  request: { lyrics_prompt: 'Hum' },
  path: 'out/earlier.wav',
});

const done = (take: PlanRow['take'], attempt: Attempt): PlanRow => ({
  take,
  decision: { kind: 'done', attempt },
});
const ROWS = [done(FIRST, ONE), done(SECOND, TWO)];
const UNMADE: PlanRow = { take: FIRST, decision: { kind: 'buy', why: { kind: 'new' } } };

interface ChoiceOptions {
  readonly pick?: string;
  readonly first?: boolean;
  readonly attempts?: readonly Attempt[];
}

function choice(rows: readonly PlanRow[], options: ChoiceOptions = {}) {
  return chooseTakes({
    tracks: [{ track: 'opening', index: 1, title: 'Opening', span: spanAt(10) }],
    rows,
    attempts: options.attempts ?? [ONE, TWO, EARLIER],
    picks: new Map(options.pick === undefined ? [] : [['opening', { sha256: options.pick }]]),
    first: options.first === true,
    command: (...words) => words.join(' '),
  });
}

function choose(...about: Parameters<typeof choice>) {
  const { chosen, problems } = choice(...about);
  return chosen.length > 0
    ? chosen.map(({ attempt }) => attempt)
    : problems.map(({ code, hint }) => [code, hint]);
}

describe('the take that is released', () => {
  it('is the picked one', () => {
    expect(choose(ROWS, { pick: TWO.file!.sha256 })).toEqual([TWO]);
    expect(choose(ROWS, { pick: TWO.file!.sha256, first: true })).toEqual([TWO]);
  });

  it('is the picked one even if its track was generated again since', () => {
    expect(choose(ROWS, { pick: EARLIER.file!.sha256 })).toEqual([EARLIER]);
  });

  it('is reported with the command that releases the new one if its track was generated again since', () => {
    const warnings = (rows: readonly PlanRow[], pick: string) =>
      choice(rows, { pick }).warnings.map(({ code, severity, track, hint }) => [code, severity, track, hint]);
    expect(warnings(ROWS, EARLIER.file!.sha256)).toEqual([
      ['pick-outdated', 'warning', 'opening', 'to release what was made since: pick opening 1'],
    ]);
    expect(warnings([UNMADE], EARLIER.file!.sha256)).toEqual([
      ['pick-outdated', 'warning', 'opening', 'make the new one: run'],
    ]);
    expect(warnings(ROWS, TWO.file!.sha256)).toEqual([]);
  });

  it('is the only one', () => {
    expect(choose([done(FIRST, ONE)])).toEqual([ONE]);
    expect(choose([UNMADE, done(SECOND, TWO)])).toEqual([TWO]);
    const kept: PlanRow = {
      take: FIRST,
      decision: {
        kind: 'held',
        because: 'failed',
        attempt: makeAttempt({ name: 'd', state: 'failed' }),
        kept: ONE,
      },
    };
    expect(choose([kept])).toEqual([ONE]);
  });

  it('is never guessed among several without a pick, except the first on request', () => {
    expect(choose(ROWS)).toEqual([['unpicked', 'pick one: pick opening 1']]);
    expect(choose(ROWS, { first: true })).toEqual([ONE]);
  });

  it('must exist and be in the lockfile', () => {
    const attempts: readonly Attempt[] = [];
    expect(choose([UNMADE], { attempts })).toEqual([['not-made', 'make it: run']]);
    expect(choose([UNMADE])).toEqual([
      ['not-made', 'to release the earlier one: pick opening 1; otherwise, make it: run'],
    ]);
    const refused = makeAttempt({ name: 'd', state: 'rejected' });
    const held: PlanRow = { take: FIRST, decision: { kind: 'held', because: 'rejected', attempt: refused } };
    expect(choose([held], { attempts })).toEqual([
      ['not-made', 'a run does not make it again; to see why: status'],
    ]);
    const doubt = makeAttempt({ name: 'e', state: 'in_doubt' });
    const open: PlanRow = { take: FIRST, decision: { kind: 'in_doubt', attempt: doubt } };
    expect(choose([open], { attempts })).toEqual([
      ['not-made', 'it is unknown whether it was charged; settle that first: resolve'],
    ]);
    const gone: PlanRow = { take: FIRST, decision: { kind: 'held', because: 'missing', attempt: ONE } };
    expect(choose([gone])).toEqual([['original-missing', 'put the file back; to see the options: verify']]);
    expect(choose(ROWS, { pick: 'f'.repeat(64) })).toEqual([
      ['pick-unknown', 'pick another take: pick opening 1'],
    ]);
    expect(choose([UNMADE], { pick: 'f'.repeat(64) })).toEqual([['pick-unknown', 'pick another take: run']]);
  });

  it('has its lyrics unless they were changed since', () => {
    const lyricsOf = (sha256: string) =>
      chooseTakes({
        tracks: [{ track: 'opening', index: 1, title: 'Opening', span: spanAt(10) }],
        rows: ROWS,
        attempts: [ONE, TWO, EARLIER],
        picks: new Map([['opening', { sha256 }]]),
        first: false,
        command: () => '',
      }).chosen[0]?.lyrics;
    expect(lyricsOf(TWO.file!.sha256)).toBe('La la');
    expect(lyricsOf(EARLIER.file!.sha256)).toBeUndefined();
  });
});
