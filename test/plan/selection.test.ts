import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesGlob, readSelection, type Selection } from '../../src/plan/selection.js';
import { makeTake } from './builders.js';

const takes = [
  makeTake({ track: 'intro-1' }),
  makeTake({ track: 'intro-2' }),
  makeTake({ track: 'song', take: 1, takes: 2 }),
  makeTake({ track: 'song', take: 2, takes: 2 }),
];

function selectedBy(only: string[]): string[] {
  const selection = readSelection({ only, retryFailed: false, force: [] }, takes);
  return takes.filter((take) => selection.selected(take)).map(({ track, take }) => `${track}#${take}`);
}

describe('a pattern', () => {
  it.each([
    ['a track with all its takes', ['song'], ['song#1', 'song#2']],
    ['the first take', ['song#1'], ['song#1']],
    ['a later take', ['song#2'], ['song#2']],
    ['the only take by number', ['intro-1#1'], ['intro-1#1']],
    ['many by a star', ['intro-*'], ['intro-1#1', 'intro-2#1']],
    ['one letter by a question mark', ['intro-?'], ['intro-1#1', 'intro-2#1']],
    ['takes by number', ['*#2'], ['song#2']],
    ['several', ['intro-1', 'song#2'], ['intro-1#1', 'song#2']],
  ])('matches %s', (_, only, expected) => {
    expect(selectedBy(only)).toEqual(expected);
  });

  it('selects everything if it is absent, and nothing if the list is empty', () => {
    const { selected } = readSelection({ retryFailed: false, force: [] }, takes);
    expect(takes.filter(selected)).toHaveLength(4);
    expect(selectedBy([])).toEqual([]);
  });

  it.each(['only', 'except', 'force'] as const)('that matches nothing is an error: --%s', (flag) => {
    const { diagnostics } = readSelection(
      { retryFailed: false, force: [], [flag]: ['intro-11', 'zz*'] },
      takes,
    );
    expect(diagnostics).toMatchObject([
      { code: 'unknown-track', severity: 'error', hint: expect.stringContaining('intro-1') },
      { code: 'unknown-track', severity: 'error' },
    ]);
    expect(diagnostics[1]?.hint).toContain('intro-1, intro-2, song');
  });

  it('is compared with every name only so many times, as a saved plan may have thousands', () => {
    const only = Array.from({ length: 1_000 }, (_, n) => `zz-${n}`);
    expect(readSelection({ only, retryFailed: false, force: [] }, takes).diagnostics).toHaveLength(20);
  });
});

describe('flags that cancel each other out', () => {
  const errorsOf = (flags: Partial<Selection>) =>
    readSelection({ retryFailed: false, force: [], ...flags }, takes).diagnostics.map(
      ({ code, message }) => `${code}: ${message}`,
    );
  const outside = (pattern: string) =>
    `nothing-selected: --only leaves out everything that --force "${pattern}" selects`;

  it.each<[string, Partial<Selection>, string[]]>([
    ['forced, not among --only', { force: ['song'], only: ['intro-1'] }, [outside('song')]],
    ['each forced pattern', { force: ['song', 'intro-1'], only: ['intro-1'] }, [outside('song')]],
    ['one take of it is left', { force: ['song'], only: ['song#2'] }, []],
    [
      'forced and excluded',
      { force: ['song'], except: ['s*'] },
      ['nothing-selected: --except leaves out everything that --force "song" selects'],
    ],
    [
      'selected and excluded',
      { only: ['intro-1', 'song#1'], except: ['*-1', 'song'] },
      ['nothing-selected: --except leaves out everything that --only "intro-1" and "song#1" selects'],
    ],
    ['a part is left', { only: ['intro-*'], except: ['intro-1'] }, []],
    ['everything is excluded', { except: ['*'] }, []],
    ['nothing is asked for, as for collect', { only: [] }, []],
    ['all selected are picked', { only: ['song'], picked: new Set(['song']) }, []],
    ['what was picked when a plan was saved', { only: ['song'], except: ['song'], saved: true }, []],
    [
      'a typo is told first',
      { only: ['zz'], force: ['song'] },
      ['unknown-track: --only "zz" matches no track'],
    ],
  ])('%s', (_name, flags, expected) => {
    expect(errorsOf(flags)).toEqual(expected);
  });
});

describe('the matcher', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '#'), maxLength: 12 });

  it('agrees with the equivalent regular expression', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(text, pattern, (subject, glob) => {
        const source = glob.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(matchesGlob(subject, glob)).toBe(new RegExp(`^${source}$`).test(subject));
      }),
      { numRuns: 1000 },
    );
  });

  it('treats all other characters literally', () => {
    fc.assert(fc.property(text, (subject) => matchesGlob(subject, subject)));
    expect(matchesGlob('a', '[a]')).toBe(false);
  });
});
