import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandLine } from '../../src/core/shell.js';
import { escapeForeign, escapeForeignLines } from '../../src/report/escape.js';
import { jsonText } from '../../src/report/json-text.js';

describe('foreign text is escaped', () => {
  it.each([
    ['an escape sequence', '\u001b[31mred', '\\u{1b}[31mred'],
    ['a C1 sequence', '\u009b2J', '\\u{9b}2J'],
    ['a line end', 'a\r\nb', 'a\\u{d}\\u{a}b'],
    ['a tab, a bell, a backspace', '\t\u0007\b', '\\u{9}\\u{7}\\u{8}'],
    ['bidi controls', '\u202eabc\u2066', '\\u{202e}abc\\u{2066}'],
    ['zero-width characters', 'a\u200bb\ufeffc\u00add', 'a\\u{200b}b\\u{feff}c\\u{ad}d'],
    ['tags beyond the first plane', 'a\u{e0041}', 'a\\u{e0041}'],
    ['line separators', '\u2028\u2029', '\\u{2028}\\u{2029}'],
    ['half a surrogate pair', '\ud83d!', '\\u{d83d}!'],
    ['a command to a runner, in a line', 'a ##[group]b ###[x]', 'a #\\u{23}[group]b ##\\u{23}[x]'],
    ['a command to a runner, at its start', '::add-mask::a', '\\u{3a}:add-mask::a'],
    ['the same after a line end', 'std::a\n  ::x::', 'std::a\\u{a}  \\u{3a}:x::'],
    ['harmless text', 'Für Elise 🎵 日本語 \\u{1b}', 'Für Elise 🎵 日本語 \\u{1b}'],
  ])('%s', (_name, text, expected) => {
    expect(escapeForeign(text)).toBe(expected);
  });

  it('but keeps line feeds if lines are wanted', () => {
    expect(escapeForeignLines('a\r\n\u001b\n')).toBe('a\\u{d}\n\\u{1b}\n');
  });

  it('in JSON and in command lines too', () => {
    const json = jsonText({ a: '##[group]' });
    expect(json).not.toContain('##[');
    expect(JSON.parse(json)).toEqual({ a: '##[group]' });
    expect(commandLine(['##[group]'])).toBe("$'##\\x5bgroup]'");
  });

  it('completely and idempotently', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeForeign(text);
        expect(escaped).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(escaped).not.toMatch(/##\[|^\s*::/);
        expect(escapeForeign(escaped)).toBe(escaped);
      }),
    );
  });
});
