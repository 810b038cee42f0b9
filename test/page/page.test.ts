import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actionOf, type KeyActions } from '../../src/page/keyboard.js';
import { gainsOf } from '../../src/page/player.js';
import { columns } from '../../src/page/waveform.js';
import { clock, passes, spokenTime, totals } from '../../src/page/words.js';
import type { ReviewTake, ReviewTrack } from '../../src/review/data.js';

describe('matched loudness', () => {
  it('lowers every take to the quietest one', () => {
    const gains = gainsOf([
      { key: 'loud', loudnessLufs: -10 },
      { key: 'quiet', loudnessLufs: -16 },
      { key: 'unknown', loudnessLufs: undefined },
    ]);
    expect(gains.get('quiet')).toBe(1);
    expect(20 * Math.log10(gains.get('loud')!)).toBeCloseTo(-6);
    expect(gains.has('unknown')).toBe(false);
  });

  it('never raises the volume, and gives all takes one loudness', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -70, max: 0, noNaN: true }), { minLength: 1 }), (levels) => {
        const takes = levels.map((loudnessLufs, index) => ({ key: String(index), loudnessLufs }));
        const gains = gainsOf(takes);
        for (const { key, loudnessLufs } of takes) {
          const gain = gains.get(key)!;
          expect(gain).toBeGreaterThan(0);
          expect(gain).toBeLessThanOrEqual(1);
          expect(loudnessLufs + 20 * Math.log10(gain)).toBeCloseTo(Math.min(...levels));
        }
      }),
    );
  });
});

describe('the bars of a waveform', () => {
  it('keep every peak at any width', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 400 }),
        (heights, count) => {
          const bars = columns(heights, count);
          expect(bars).toHaveLength(count);
          expect(Math.max(...bars)).toBe(Math.max(...heights));
        },
      ),
    );
  });
});

describe('the keyboard', () => {
  const calls: string[] = [];
  const note =
    (name: string) =>
    (...words: unknown[]) =>
      void calls.push([name, ...words].join(' '));
  const actions: KeyActions = {
    toggle: note('toggle'),
    skip: note('skip'),
    step: note('step'),
    take: note('take'),
    pick: note('pick'),
    note: note('note'),
    help: note('help'),
  };

  it.each([
    [' ', 'toggle'],
    ['1', 'take 1'],
    ['9', 'take 9'],
    ['ArrowLeft', 'skip -5'],
    ['ArrowRight', 'skip 5'],
    ['ArrowUp', 'step -1'],
    ['ArrowDown', 'step 1'],
    ['Enter', 'pick'],
    ['n', 'note'],
    ['?', 'help'],
  ])('%s', (key, call) => {
    calls.length = 0;
    actionOf(key, actions)?.();
    expect(calls).toEqual([call]);
  });

  it('leaves other keys alone', () => {
    for (const key of ['0', 'a', 'Tab', 'Escape', 'F5']) expect(actionOf(key, actions)).toBeUndefined();
  });
});

describe('the text of the page', () => {
  const take = (state: ReviewTake['state'], warnings?: readonly string[]): ReviewTake => ({
    key: state,
    name: 'Take 1',
    state,
    stateText: state,
    model: 'm',
    ...(warnings === undefined
      ? {}
      : { file: { sha256: 'a', url: 'a', path: 'a', mediaType: 'audio/wav', sound: { warnings } } }),
  });
  const picked: ReviewTrack = {
    id: 'one',
    takes: [take('ready', [])],
    pick: { sha256: 'a', state: 'current' },
  };
  const doubtful: ReviewTrack = { id: 'two', takes: [take('ready', ['clipped']), take('in_flight')] };

  it.each([
    [0, '0:00', '0 seconds'],
    [1.9, '0:01', '1 second'],
    [65, '1:05', '1 minute 5 seconds'],
    [undefined, '–:––', undefined],
  ])('%s seconds', (seconds, short, spoken) => {
    expect(clock(seconds)).toBe(short);
    if (seconds !== undefined) expect(spokenTime(seconds)).toBe(spoken);
  });

  it('counts tracks, picks and what is in flight', () => {
    const data = { title: 't', manifest: 'm', sandbox: false, tracks: [picked, doubtful] };
    expect(totals(data)).toBe('2 tracks, 1 picked, 1 take in flight');
  });

  it.each([
    ['all', true, true],
    ['unpicked', false, true],
    ['warnings', false, true],
  ] as const)('has the filter %s', (filter, first, second) => {
    expect([passes(filter, picked), passes(filter, doubtful)]).toEqual([first, second]);
  });
});
