import { expect, it } from 'vitest';
import { closest } from '../../src/core/closest.js';

const FIELDS = [
  'prompt',
  'lyrics_prompt',
  'lyrics_file',
  'lyrics_optimizer',
  'duration_seconds',
  'loop',
  'model',
];

it.each([
  ['promt', 'prompt'],
  ['prmopt', 'prompt'],
  ['Prompt', 'prompt'],
  ['lyrics-file', 'lyrics_file'],
  ['lyricsfile', 'lyrics_file'],
  ['duration', 'duration_seconds'],
  ['lop', 'loop'],
])('suggests for %s: %s', (word, expected) => {
  expect(closest(word, FIELDS)).toBe(expected);
});

it.each(['lyrics', 'budget', 'du', '', 'x'.repeat(1_000_000)])('suggests nothing for "%.20s"', (word) => {
  expect(closest(word, FIELDS)).toBeUndefined();
});

it('suggests the nearest candidate, the first of equally near ones', () => {
  expect(closest('loops', ['lools', 'loop'])).toBe('lools');
  expect(closest('cat', ['car', 'cat'])).toBe('cat');
});

it('suggests nothing without candidates', () => {
  expect(closest('prompt', [])).toBeUndefined();
});
