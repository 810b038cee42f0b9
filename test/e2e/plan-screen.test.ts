import { rmSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { rowWith, screenOf } from '../fakes/screen.js';
import { folderWith, writeAlbum } from './album.js';
import { run } from './in-process.js';
import { folder } from './program.js';
import { atTerminal } from './terminal.js';

const WIDTHS = [80, 120];

describe('a plan', () => {
  let cwd: string;
  beforeAll(async () => {
    cwd = folder();
    const before = [
      ['kept', 'Solo piano, slow'],
      ['changed', 'Solo cello, slow'],
      ['gone', 'Solo flute, slow'],
      ['broken', 'A waltz [sandbox:fail]'],
    ] as const;
    writeAlbum(cwd, [...before, ['doubtful', 'A march [sandbox:lost-answer]']]);
    expect((await run(['run', 'album.yaml', '--sandbox', '--yes'], cwd)).code).toBe(8);
    rmSync(path.join(cwd, 'album.sandbox/out/03-gone.wav'));
    const more = [
      ...before,
      ['doubtful', 'A march [sandbox:lost-answer]'],
      ['flying', 'Slow strings'],
    ] as const;
    writeAlbum(cwd, more);
    const queue = ['run', 'album.yaml', '--sandbox', '--sandbox-speed', '0.01', '--detach', '--yes'];
    expect((await run(queue, cwd)).code).toBe(8);
    writeAlbum(cwd, [
      ...more.map(([id, prompt]) => [id, id === 'changed' ? 'Solo viola, slow' : prompt] as const),
      ['fresh', 'Brass and drums', ', model: elevenlabs-music, duration_seconds: 61'],
      ['left', 'Brass alone'],
    ]);
  });

  it.each(WIDTHS)('marks at %i columns what is done about each take', async (columns) => {
    const planned = atTerminal(['plan', 'album.yaml', '--sandbox', '--except', 'left'], cwd, columns);
    expect(await planned.ended).toBe(0);
    const screen = await planned.screen();
    expect(screen).toMatchObject({ wrappedRows: 0, cursorVisible: true, cursorColumn: 0 });
    const table = [
      ['=', 'kept', 'faint', /done/],
      ['~', 'changed', 'warn', /prompt changed +\$0\.19/],
      ['!', 'gone', 'bad', /its file is missing/],
      ['!', 'broken', 'bad', /failed \(400\)/],
      ['?', 'doubtful', 'warn', /in doubt/],
      ['>', 'flying', 'note', /in flight/],
      ['+', 'fresh', 'good', /new +\$1\.38/],
      ['-', 'left', 'faint', /left out/],
    ] as const;
    const header = rowWith(screen, /TAKE +WHY +PRICE/);
    for (const [mark, take, look, why] of table) {
      const row = rowWith(screen, new RegExp(`^\\${mark} +${take} `));
      expect(row.text).toMatch(why);
      expect(row.lookOf(mark), take).toBe(look);
      expect(row.columnOf(take)).toBe(header.columnOf('TAKE'));
      const price = /\$\d+\.\d\d/.exec(row.text)?.[0];
      if (price !== undefined) expect(row.endOf(price)).toBe(header.endOf('PRICE'));
    }
    const facts = Object.fromEntries(
      screen.lines.flatMap((line) => {
        const [, name, value] = /^([A-Z][a-z ]+?) {2,}(\S.*)$/.exec(line) ?? [];
        return name === undefined ? [] : [[name, value]];
      }),
    );
    expect(facts).toMatchObject({ 'To buy': '2 takes', Total: '$1.57', Budget: '$20.00' });
    expect(facts['In flight']).toBe('1 take, already paid');
    expect(screen.lines.at(-1)).toBe('  fresh: 61 s is billed as 120 s: 60 s would save $0.69');
  });

  it.each([
    ['NO_COLOR', { NO_COLOR: '1' }],
    ['a dumb terminal', { TERM: 'dumb' }],
    ['40 columns', { COLUMNS: '40', NO_COLOR: '1' }],
  ])('is plain text with %s', async (_, env) => {
    const planned = atTerminal(['plan', 'album.yaml', '--sandbox'], folderWith(cwd), 80, env);
    expect(await planned.ended).toBe(0);
    expect(planned.bytes()).not.toContain('\x1b');
    if ('COLUMNS' in env) expect((await screenOf(planned.bytes(), 40)).wrappedRows).toBe(0);
  });
});
