import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, displayWidth, fill, wrap } from '../../src/report/width.js';
import { screenOf } from '../fakes/screen.js';

describe('display width', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['音楽', 4],
    ['ｶﾅ', 2],
    ['ＡＢ', 4],
    ['한국', 4],
    ['a…', 2],
    ['😀', 2],
  ])('of %j is %i', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it('is never less than the width in a terminal', async () => {
    const samples = [
      '夜想曲 no. 5',
      'cafe\u0301 ♪ — “x”',
      '한국어 노래',
      '😀 party',
      'Ωμέγα',
      'नमस्ते',
      '🇩🇪',
      '❤\ufe0f',
    ];
    for (const text of samples) {
      const { cursorColumn } = await screenOf(text, 200);
      expect(displayWidth(text), text).toBeGreaterThanOrEqual(cursorColumn);
    }
  });

  it('is respected by cut and fill, and cut keeps whole characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.nat(30), (text, width) => {
        expect(displayWidth(cut(text, width))).toBeLessThanOrEqual(width);
        expect(displayWidth(fill(text, width))).toBe(width);
        if (displayWidth(text) <= width) expect(cut(text, width)).toBe(text);
      }),
    );
    expect(cut('音楽音楽', 6)).toBe('音楽…');
    expect(cut('音楽音楽', 4)).toBe('音…');
    expect(cut('re\u0301sume\u0301', 4)).toBe('re\u0301s…');
    expect(cut('abc', 0)).toBe('');
    expect(fill('7', 3, 'right')).toBe('  7');
  });

  it('is exceeded only by a command, because half of one can be another', () => {
    expect(wrap('to buy it again: `venice-batch run a.yaml --only t3 --sandbox`. Or not.', 30)).toEqual([
      'to buy it again:',
      '`venice-batch run a.yaml --only t3 --sandbox`.',
      'Or not.',
    ]);
    expect(wrap('`one two three`', 8)).toEqual(['`one two', 'three`']);
  });

  it('is respected by wrapping, which breaks only long words and loses nothing', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('abcdefgh ij', 3)).toEqual(['abc', 'def', 'gh', 'ij']);
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => text.replace(/:+/g, ':')),
        fc.integer({ min: 2, max: 20 }),
        (text, width) => {
          const lines = wrap(text, width);
          expect(lines.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
          // A cluster of several wide characters may be wider than the line; it goes out all the same.
          for (const line of lines)
            if ([...line].length > 1) expect(displayWidth(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });

  it('never begins a line with a command to the GitHub Actions runner by breaking a word', () => {
    expect(wrap('abc::error::x', 3).join('|')).toBe('abc|\\u{|3a}|:er|ror|\\u{|3a}|:x');
    expect(wrap(`${'a'.repeat(20)}::error::x`, 20)).toEqual(['a'.repeat(20), '\\u{3a}:error::x']);
  });
});
