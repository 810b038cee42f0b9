import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/core/diagnostic.js';
import { commandLine } from '../../src/core/shell.js';
import type { Take } from '../../src/manifest/take.js';
import { formatDuration, formatRemaining } from '../../src/report/duration.js';
import { githubAnnotations, takeAnnotations } from '../../src/report/github-annotations.js';
import { createRecorder } from '../../src/report/outcome.js';
import { fanOut } from '../../src/report/reporter.js';
import {
  colorWanted,
  progressMode,
  streamTerminal,
  tableWidth,
  watchOutput,
} from '../../src/report/terminal.js';
import { HOSTILE, summaryEvent, takeEvent } from './builders.js';

const command = (verb: string, ...words: string[]) =>
  ['venice-batch', verb, 'album.yaml', ...words].join(' ');

describe('whether to colour', () => {
  it.each([
    [{}, 'auto', true, true],
    [{}, 'auto', false, false],
    [{ TERM: 'dumb' }, 'auto', true, false],
    [{ NO_COLOR: '1' }, 'auto', true, false],
    [{ NO_COLOR: '' }, 'auto', true, true],
    [{ FORCE_COLOR: '1' }, 'auto', false, true],
    [{ FORCE_COLOR: '0' }, 'auto', true, false],
    [{ FORCE_COLOR: '', TERM: 'xterm' }, 'auto', false, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, 'auto', true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, 'always', false, true],
    [{ NO_COLOR: '1' }, 'always', false, true],
    [{ FORCE_COLOR: '1' }, 'never', true, false],
  ] as const)('%j with --color %s, terminal: %s → %s', (env, flag, isTty, wanted) => {
    expect(colorWanted(env, flag, isTty)).toBe(wanted);
  });
});

describe('how to show progress', () => {
  it.each([
    ['auto', true, {}, 'tty'],
    ['auto', false, {}, 'plain'],
    ['auto', true, { CI: 'true' }, 'plain'],
    ['auto', true, { CI: 'false' }, 'tty'],
    ['auto', true, { TERM: 'dumb' }, 'plain'],
    ['tty', false, { CI: 'true' }, 'tty'],
    ['plain', true, {}, 'plain'],
    ['quiet', true, {}, 'quiet'],
  ] as const)('%s, terminal: %s, %j → %s', (flag, isTty, env, mode) => {
    expect(progressMode(flag, isTty, env)).toBe(mode);
  });
});

class FakeStream extends EventEmitter {
  readonly written: string[] = [];
  columns = 0;
  isTTY = true;
  write(text: string): void {
    this.written.push(text);
  }
}

describe('a terminal over a stream', () => {
  it('writes nothing after its reader is gone', () => {
    const stream = new FakeStream();
    const terminal = streamTerminal(stream, false);
    terminal.write('one');
    stream.emit('error', Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
    terminal.write('two');
    expect(stream.written).toEqual(['one']);
  });

  it('reports a full disk, but not a closed pipe', () => {
    const stream = new FakeStream();
    const faultOf = watchOutput(stream);
    stream.emit('error', Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
    expect(faultOf()).toBe('');
    stream.emit('error', Object.assign(new Error('full'), { code: 'ENOSPC' }));
    expect(faultOf()).toBe('ENOSPC');
  });

  it('has the current size of the stream, 80 by 24 if it is unknown', () => {
    const stream = new FakeStream();
    const terminal = streamTerminal(stream, true);
    expect(terminal).toMatchObject({ columns: 80, rows: 24, isTty: true, color: true });
    stream.columns = 132;
    expect(terminal.columns).toBe(132);
    expect(streamTerminal(stream, true, { COLUMNS: '60' }).columns).toBe(60);
    // A line that the real terminal breaks could not be painted over.
    expect(streamTerminal(stream, true, { COLUMNS: '200' }).columns).toBe(132);
  });

  it('does not limit the width of a table in a pipe unless COLUMNS is set', () => {
    const stream = new FakeStream();
    stream.isTTY = false;
    const widthWith = (env: { COLUMNS?: string }) => tableWidth(streamTerminal(stream, false, env), env);
    expect(widthWith({})).toBe(Number.POSITIVE_INFINITY);
    expect(widthWith({ COLUMNS: '100' })).toBe(100);
    expect(widthWith({ COLUMNS: 'wide' })).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('several reporters', () => {
  it('all get every event and end in order', async () => {
    const heard: string[] = [];
    const named = (name: string) => ({
      event: () => void heard.push(name),
      end: async () => void heard.push(`${name} ended`),
    });
    const all = fanOut([named('a'), named('b')]);
    all.event(summaryEvent());
    await all.end();
    expect(heard).toEqual(['a', 'b', 'a ended', 'b ended']);
  });
});

describe('annotations for GitHub', () => {
  const options = { workspace: '/home/me/repo', directory: '/home/me/repo/music' };
  const at = (line: number, fields: Partial<Diagnostic> = {}): Diagnostic => ({
    code: 'unknown-key',
    severity: 'error',
    message: `unknown key on line ${line}`,
    span: { file: 'album.yaml', line, column: 7, endLine: line, endColumn: 9 },
    ...fields,
  });

  it('have the path in the repository, line, column, title and fix', () => {
    expect(githubAnnotations([at(3, { hint: 'write "prompt"' })], options)).toBe(
      '::error file=music/album.yaml,line=3,col=7,title=unknown-key::unknown key on line 3; write "prompt"\n',
    );
  });

  it('are limited to ten of a kind, errors first, sorted by line', () => {
    const many = Array.from({ length: 15 }, (_, index) => at(15 - index));
    const lines = githubAnnotations([at(1, { severity: 'warning' }), ...many], options)
      .trimEnd()
      .split('\n');
    expect(
      lines.map((line) =>
        line
          .match(/^::(\w+) .*line=(\d+)/)!
          .slice(1)
          .join(' '),
      ),
    ).toEqual([...Array.from({ length: 10 }, (_, index) => `error ${index + 1}`), 'warning 1']);
  });

  it('are one line each for any text', () => {
    const evil = at(1, {
      message: `100%\r\n::error::gotcha ${HOSTILE}`,
      span: { file: 'x,y.yaml', line: 1, column: 1, endLine: 1, endColumn: 1 },
    });
    const inside = at(2, { span: { ...evil.span!, file: 'a,b:c.yaml' } });
    const text = githubAnnotations([evil, inside], options);
    expect(text.split('\n')).toHaveLength(3);
    expect(text).toContain('::error file=music/x%2Cy.yaml,line=1,col=1,title=unknown-key::100%25');
    expect(text).toContain('file=music/a%2Cb%3Ac.yaml,');
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  });

  it.each([
    ['the working directory', '/home/me/other/repo', 'a.yaml', 'a.yaml'],
    ['neither', '/home/me/repo', '../../elsewhere/a.yaml', '/home/me/elsewhere/a.yaml'],
  ])('have the right path for a file of %s', (_, workspace, file, shown) => {
    const one = at(1, { span: { ...at(1).span!, file } });
    expect(githubAnnotations([one], { ...options, workspace })).toContain(`file=${shown},line=1,`);
  });

  it('report each take that is not made or in doubt at its track, ten in total with earlier errors', () => {
    const recorder = createRecorder();
    recorder.event({ type: 'diagnostic', time: 'now', code: 'bad-id', severity: 'error', message: 'm' });
    recorder.event(takeEvent('made', 'done'));
    recorder.event(takeEvent('opening', 'failed', { code: 'OOPS', money: 'charged' }));
    recorder.event(takeEvent('gone', 'in_doubt', { code: 'html', money: 'unknown' }));
    const takes = [{ key: 'opening', span: at(4).span! }] as unknown as Take[];
    const lines = takeAnnotations(recorder.outcome(), takes, { ...options, command })
      .trimEnd()
      .split('\n');
    expect(lines).toEqual([
      expect.stringMatching(
        /^::error file=music\/album\.yaml,line=4,col=7,title=OOPS::opening: failed, OOPS \(charged \$0\.69\); /,
      ),
      expect.stringMatching(/^::error title=html::gone: in doubt, html \(may have been charged \$0\.69\); /),
    ]);
    for (let index = 0; index < 20; index += 1) recorder.event(takeEvent(`t${index}`, 'lost'));
    expect(
      takeAnnotations(recorder.outcome(), takes, { ...options, command }).match(/::error/g),
    ).toHaveLength(9);
  });
});

describe('a command to paste', () => {
  it('quotes what a shell would split', () => {
    expect(commandLine(['venice-batch', 'run', 'album.yaml', '--budget', '5.00'])).toBe(
      'venice-batch run album.yaml --budget 5.00',
    );
    expect(commandLine(["it's my album.yaml", '$HOME', ''])).toBe(`'it'\\''s my album.yaml' '$HOME' ''`);
  });

  it('gives a shell the same words, without control characters', () => {
    const words = [
      '~/a',
      '#x',
      'a b',
      "it's",
      '*',
      '\\',
      `tab\there`,
      HOSTILE,
      'naïve 音',
      '-n',
      'a=b',
      '!x',
    ];
    const line = commandLine(words);
    expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
    const printed = execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
    expect(printed.split('\0').slice(0, -1)).toEqual(words);
  });
});

describe('durations', () => {
  it.each([
    [0, '0 s'],
    [400, '0.4 s'],
    [41_000, '41 s'],
    [59_600, '1 min 00 s'],
    [252_000, '4 min 12 s'],
    [7_500_000, '2 h 05 min'],
    [3_599_900, '1 h 00 min'],
  ])('%i ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    [0, 5000, 'less than 10 s'],
    [60_000, 70_000, 'about 70 s'],
    [120_000, 300_000, '2 to 5 min'],
    [170_000, 180_000, 'about 3 min'],
    [50_000, 120_000, '50 s to 2 min'],
    [0, 70_000, '10 to 70 s'],
    [20_000, 2_000_000, 'at least 20 s'],
    [1_000, 180_000, 'up to 3 min'],
    [1_000, 2_000_000, undefined],
  ])('%i to %i ms left is %s', (low, high, text) => {
    expect(formatRemaining(low, high)).toBe(text);
  });

  it('are never empty or NaN', () => {
    fc.assert(
      fc.property(fc.nat(), (ms) => {
        expect(formatDuration(ms)).toMatch(/^\d/);
        expect(formatDuration(ms)).not.toContain('NaN');
      }),
    );
  });
});
