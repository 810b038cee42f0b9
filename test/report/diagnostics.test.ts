import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Code } from '../../src/core/codes.js';
import type { Diagnostic, Span } from '../../src/core/diagnostic.js';
import { renderDiagnostics } from '../../src/report/diagnostics.js';
import { displayWidth } from '../../src/report/width.js';

function span(line: number, column: number, endColumn: number, more: Partial<Span> = {}): Span {
  return { file: 'album.yaml', line, column, endLine: line, endColumn, ...more };
}

function error(more: Partial<Diagnostic> = {}): Diagnostic {
  return { code: 'unknown-key', severity: 'error', message: '`promt` is not a field', ...more };
}

interface Setting {
  readonly text?: string;
  readonly width?: number;
  readonly limit?: number;
  readonly color?: boolean;
}

function render(diagnostics: readonly Diagnostic[], setting: Setting = {}): string[] {
  const { text = '', width = 80, color = false, limit } = setting;
  const options = limit === undefined ? { color, width } : { color, width, limit };
  return renderDiagnostics(diagnostics, new Map([['album.yaml', text]]), options)
    .split('\n')
    .slice(0, -1);
}

/** The line of the source and the marks below it, without the gutter. */
function frame(text: string, at: Span, width = 80): [string, string] {
  const lines = render([error({ span: at })], { text, width });
  return [lines[3]!.slice(4), lines[4]!.slice(4)];
}

describe('several errors', () => {
  const about = (lines: readonly string[]) => lines.filter((line) => line.includes('explain'));

  it('end once with the command to read more, with one of their codes', () => {
    const lines = render([
      error({ code: 'bad-id' }),
      error(),
      error({ code: 'voice-not-listed', severity: 'warning' }),
    ]);
    expect(about(lines)).toEqual(['more about an error: venice-batch explain bad-id']);
    expect(lines.at(-1)).toContain('explain');
  });

  it('are at least two: a single error, even with warnings, ends without it', () => {
    expect(about(render([error()]))).toEqual([]);
    expect(about(render([error(), error({ severity: 'warning' }), error({ severity: 'warning' })]))).toEqual(
      [],
    );
  });
});

describe('a diagnostic', () => {
  it('wraps between words in a narrow terminal', () => {
    const message = 'no price was quoted for a track with a long name';
    const hint = 'run the same command again later, or leave this track out';
    const text = renderDiagnostics([error({ message, hint })], new Map(), {
      color: false,
      width: 40,
      textWidth: 40,
    });
    const lines = text.split('\n');
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(40);
    expect(text.replace(/\s+/g, ' ')).toBe(`error[unknown-key]: ${message} = help: ${hint} `);
  });

  it('has its code, its place, its line with a mark, and the fix', () => {
    const text = 'version: 1\ntracks:\n  - id: a\n    promt: Folk\n';
    const shown = render([error({ span: span(4, 5, 10), hint: 'did you mean `prompt`?' })], { text });
    expect(shown).toEqual([
      'error[unknown-key]: `promt` is not a field',
      ' --> album.yaml:4:5',
      '  |',
      '4 |     promt: Folk',
      '  |     ^^^^^',
      '  = help: did you mean `prompt`?',
    ]);
  });

  it('shows related places after its own, with one gutter', () => {
    const text = `id: a\n${'\n'.repeat(8)}id: a\n`;
    const related = [{ message: 'first used here', span: span(1, 5, 6) }];
    const shown = render([error({ span: span(10, 5, 6), related, hint: 'rename it' })], { text });
    expect(shown).toEqual([
      'error[unknown-key]: `promt` is not a field',
      '  --> album.yaml:10:5',
      '   |',
      '10 | id: a',
      '   |     ^',
      '   = note: first used here',
      '  --> album.yaml:1:5',
      '   |',
      ' 1 | id: a',
      '   |     ^',
      '   = help: rename it',
    ]);
  });

  it('is complete without a place, and for a file whose text is not known', () => {
    expect(render([error({ hint: 'x' })])).toEqual([
      'error[unknown-key]: `promt` is not a field',
      '  = help: x',
    ]);
    expect(render([error({ span: span(3, 1, 2, { file: 'other.yaml' }) })])).toEqual([
      'error[unknown-key]: `promt` is not a field',
      ' --> other.yaml:3:1',
    ]);
  });

  it('contains no control sequences from its texts', () => {
    const evil = '\u001b[2J\u202e\r\n';
    const at = span(1, 1, 3, { file: `a${evil}.yaml` });
    const related = [{ message: evil, span: at }];
    const shown = renderDiagnostics(
      [error({ code: evil as Code, message: evil, hint: evil, span: at, related })],
      new Map([[at.file, `x${evil}`]]),
      { color: false, width: 80 },
    );
    expect(shown).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
    expect(shown.split('\n')).toHaveLength(12);
  });

  it('is coloured by severity, only if colour is wanted', () => {
    const at = span(1, 1, 2);
    const [first] = render([error({ span: at })], { text: 'x', color: true });
    const [other] = render([error({ span: at, severity: 'warning' })], { text: 'x', color: true });
    expect(first).toContain('\u001b[31m');
    expect(other).toContain('\u001b[33m');
    expect(render([error({ span: at })], { text: 'x' }).join('')).not.toContain('\u001b');
  });
});

describe('the marks are below their place', () => {
  it.each([
    ['after a tab', '\tab: 1', span(1, 2, 4), ['    ab: 1', '    ^^']],
    ['after wide characters', '日本: x', span(1, 5, 6), ['日本: x', '      ^']],
    ['below wide characters', 'a: 日本', span(1, 4, 6), ['a: 日本', '   ^^^^']],
    ['below characters of two UTF-16 units', 'a: 𝄞𝄞 b', span(1, 9, 10), ['a: 𝄞𝄞 b', '      ^']],
    ['below escaped characters', 'a: \u001b', span(1, 4, 5), ['a: \\u{1b}', '   ^^^^^^']],
    [
      'to the end of the line if the range continues',
      'a: b c  ',
      span(1, 4, 2, { endLine: 3 }),
      ['a: b c', '   ^^^'],
    ],
    ['past the end of a line', 'a: [', span(1, 5, 6), ['a: [', '    ^']],
    ['in a line that ends in CRLF', 'ab\r\ncd\r\n', span(2, 1, 3, { line: 2, endLine: 2 }), ['cd', '^^']],
    ['in a blank line', '', span(1, 1, 1), ['', '^']],
  ] as [string, string, Span, [string, string]][])('%s', (_name, text, at, expected) => {
    const lines = render([error({ span: at })], { text });
    expect([lines[3]!.slice(4), lines[4]!.slice(4)]).toEqual(expected);
  });

  it('if only a part of a long line is shown', () => {
    const text = `${'x'.repeat(300)}HERE${'y'.repeat(300)}`;
    const [line, marks] = frame(text, span(1, 301, 305), 60);
    expect(line.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1)).toBe('HERE');
    expect(line).toMatch(/^…x+HEREy+…$/);
  });

  it('in a very long line, without scanning all of it', () => {
    const text = `${'𝄞'.repeat(4_000_000)}HERE${'日'.repeat(4_000_000)}`;
    const [line, marks] = frame(text, span(1, 8_000_001, 8_000_005), 60);
    expect(line).toMatch(/^…𝄞+HERE日+…$/u);
    expect(displayWidth(line.slice(0, line.indexOf('HERE')))).toBe(marks.indexOf('^'));
  });

  it('and always within the screen', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('\t', '日本', 'x'.repeat(90)),
    );
    const texts = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('').replace(/[\r\n]/g, ' '));
    fc.assert(
      fc.property(
        texts,
        fc.nat(300),
        fc.nat(300),
        fc.integer({ min: 40, max: 120 }),
        (text, start, length, width) => {
          const [line, marks] = frame(text, span(1, start + 1, start + 1 + length), width);
          expect(displayWidth(line)).toBeLessThanOrEqual(width - 4);
          expect(marks.length).toBeLessThanOrEqual(width - 4);
          expect(marks).toMatch(/^ *\^+$/);
        },
      ),
    );
  });
});

describe('a command at the end of a fix', () => {
  const reported = (hint: string) =>
    renderDiagnostics([error({ hint })], new Map(), { color: false, width: 50, textWidth: 50 })
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  const command = "venice-batch lock repair 'my long album name.yaml' --sandbox --lockfile elsewhere.jsonl";

  it('stays in one piece on its own line for pasting', () => {
    expect(reported(`both sides are kept: ${command}`)).toEqual(['= help: both sides are kept:', command]);
  });

  it('stays on the same line if it fits', () => {
    expect(reported('kept: venice-batch plan a.yaml')).toHaveLength(1);
  });
});

describe('many diagnostics', () => {
  const many = (count: number, more: Partial<Diagnostic> = {}) =>
    Array.from({ length: count }, (_, n) =>
      error({ message: `no. ${n + 1}`, span: span(n + 1, 1, 2), ...more }),
    );
  const titles = (lines: readonly string[]) => lines.filter((line) => /^(error|warning)\[|^…/.test(line));

  it('are sorted by place', () => {
    expect(titles(render(many(3).reverse()))).toEqual([1, 2, 3].map((n) => `error[unknown-key]: no. ${n}`));
  });

  it('are limited to twenty, and the rest is counted', () => {
    const shown = titles(render(many(23)));
    expect(shown).toHaveLength(21);
    expect(shown.at(-1)).toBe('… and 3 more');
    expect(titles(render(many(20))).at(-1)).toBe('error[unknown-key]: no. 20');
    expect(titles(render(many(5), { limit: 2 }))).toHaveLength(3);
  });

  it('include errors rather than warnings if not all fit', () => {
    const mixed = [
      ...many(30, { severity: 'warning' }),
      error({ message: 'the last', span: span(99, 1, 2) }),
    ];
    const shown = titles(render(mixed));
    expect(shown.at(-2)).toBe('error[unknown-key]: the last');
    expect(shown.at(-1)).toBe('… and 11 more');
  });

  it('show nothing if there are none', () => {
    expect(renderDiagnostics([], new Map(), { color: false, width: 80 })).toBe('');
  });
});
