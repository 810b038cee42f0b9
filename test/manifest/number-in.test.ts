import { describe, expect, it } from 'vitest';
import { BESIDE_MINUTES, numberIn, secondsIn } from '../../src/manifest/number-in.js';

describe('a number in a text', () => {
  it.each([
    ['20 USD', '20'],
    ['$1,234.50', '1234.50'],
    ['€7,50', '7.50'],
    ['5.', '5'],
    ['30s', '30'],
    ['320 kbit/s', '320'],
    ['2x', '2'],
  ])('%s is %s', (text, number) => {
    expect(numberIn(text)).toBe(number);
  });

  it.each(['fast', '', '0', '-5', '5k', '50 cents', '2-3', '5 of 10', '1:30', '1.2.3', '3 min', 'v2'])(
    'is not read from the ambiguous %j',
    (text) => {
      expect(numberIn(text)).toBeUndefined();
    },
  );

  it.each([
    ['90', '90'],
    ['90 s', '90'],
    ['1:30', '90'],
    ['01:05', '65'],
    ['1m30s', '90'],
    ['1 min 5 s', '65'],
    ['2 min', '120'],
    ['1.5 minutes', '90'],
    ['1:75', undefined],
    ['2 bars', undefined],
  ])('as a duration %s is %s', (text, seconds) => {
    expect(secondsIn(text)).toBe(seconds);
  });

  it.each([`1${'secs'.repeat(500)}!`, `1${','.repeat(300_000)}1`, `1:30${' '.repeat(300_000)}x`])(
    'is not looked for in a text that is made to take forever',
    (text) => {
      expect([numberIn(text), secondsIn(text)]).toEqual([undefined, undefined]);
    },
  );

  it('counts as minutes only with that unit', () => {
    expect(['30', '30 min', '90s'].map((text) => numberIn(text, BESIDE_MINUTES))).toEqual([
      '30',
      '30',
      undefined,
    ]);
  });
});
