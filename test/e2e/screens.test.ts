import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Row, type Screen, screenOf } from '../fakes/screen.js';
import type { Ended } from './launch.js';
import { folder, run } from './program.js';
import { passOn, startRelay } from './relay.js';
import { scene } from './scene.js';
import { atTerminal } from './terminal.js';

/** A manifest of cheap tracks: id, prompt and, where given, further fields in flow style. */
function writeAlbum(cwd: string, tracks: readonly (readonly [string, string, string?])[]): void {
  const lines = tracks.map(
    ([id, prompt, more = '']) => `  - { id: ${id}, prompt: ${JSON.stringify(prompt)}${more} }\n`,
  );
  const head = 'version: 1\nbudget: 20\ndefaults: { model: stable-audio-25 }\ntracks:\n';
  writeFileSync(path.join(cwd, 'album.yaml'), head + lines.join(''));
}

function rowWith(screen: Screen, pattern: RegExp): Row {
  const row = screen.rows.find(({ text }) => pattern.test(text));
  if (row === undefined) throw new Error(`no row like ${pattern} in:\n${screen.lines.join('\n')}`);
  return row;
}

function since(screen: Screen, pattern: RegExp): readonly string[] {
  return screen.lines.slice(screen.lines.findIndex((line) => pattern.test(line)));
}

const WIDTHS = [80, 120];

describe.each(WIDTHS)('at a terminal of %i columns', (columns) => {
  const wide = { model: ', model: elevenlabs-music, duration_seconds: 61' };

  it('the question shows what is bought and waits behind it; no means no', async () => {
    const cwd = folder();
    writeAlbum(cwd, [
      ['opening', 'Uplifting indie-folk, 120 BPM', wide.model],
      ['bridge', 'Solo piano, slow'],
    ]);
    const asked = atTerminal(['run', 'album.yaml', '--sandbox'], cwd, columns);
    await asked.seen(/leave it: /);
    const question = await asked.screen();
    expect(question.wrappedRows).toBe(0);
    expect(question.lines.slice(0, 2)).toEqual(['✔ Check', '✔ Quote']);
    expect(question.lines.slice(-2)).toEqual(['', 'Type yes to buy, anything else to leave it:']);
    expect(question).toMatchObject({ cursorVisible: true, cursorColumn: 44 });
    expect(question.cursorRow).toBe(question.lines.length - 1);

    asked.type('no\n');
    expect(await asked.ended).toBe(2);
    const end = await asked.screen();
    expect(end.wrappedRows).toBe(0);
    const told = since(end, /^Type yes/);
    expect(told[0]).toBe('Type yes to buy, anything else to leave it: no');
    expect(told[1]).toMatch(/^error\[not-approved\]/);
    expect(end.lines).toContain('✖ 0 of 2 done (sandbox)');
    expect(end).toMatchObject({ cursorVisible: true, cursorColumn: 0 });
  });

  it('a run leaves its end state, its files, its failures, and what to type next', async () => {
    const cwd = folder();
    writeAlbum(cwd, [
      ['night', 'Nocturne', ', title: 夜想 曲, output: "{title}.{ext}"'],
      ['refused', 'A march [sandbox:policy]'],
      ['broken', 'A waltz [sandbox:fail]'],
    ]);
    const going = atTerminal(['run', 'album.yaml', '--sandbox'], cwd, columns);
    await going.seen(/leave it: /);
    going.type('yes\n');
    await going.seen(/2 active/);
    const during = await going.screen();
    expect(during.wrappedRows).toBe(0);
    expect(during.cursorVisible).toBe(false);
    expect(rowWith(during, /^\S Generate/).text).toMatch(/0\/3 · 2 active · 1 failed/);
    expect(rowWith(during, /^ {2}night /).endOf('stable-audio-25')).toBe(
      rowWith(during, /^ {2}broken /).endOf('stable-audio-25'),
    );
    const failure = rowWith(during, /✖ refused/);
    expect(failure.lookOf('✖')).toBe('bad');
    expect(failure.columnOf('…') === -1 ? columns : failure.endOf('…')).toBeLessThanOrEqual(columns);

    expect(await going.ended).toBe(100);
    const end = await going.screen();
    expect(end).toMatchObject({ wrappedRows: 0, cursorVisible: true, cursorColumn: 0 });
    for (const phase of ['Check', 'Quote', 'Approve', 'Generate', 'Clean up'])
      expect(end.lines.filter((line) => line.slice(2).startsWith(phase))).toHaveLength(1);
    expect(since(end, /Generate/).slice(0, 4)).toEqual([
      '✖ Generate  1/3 · 2 failed · $0.38 of $0.57',
      '✔ Clean up',
      '',
      '✖ 1 of 3 done (sandbox)',
    ]);
    expect(rowWith(end, /Generate/).lookOf('✖')).toBe('bad');
    expect(rowWith(end, /Clean up/).lookOf('✔')).toBe('good');
    expect(end.lines).toContain("  'album.sandbox/夜想 曲.wav'");
    const screen = end.lines.join('\n').replace(/\n +/g, ' ');
    expect(screen).toMatch(/✖ refused rejected, http-422: .+ \(not charged\) Change the prompt/);
    expect(screen).toMatch(
      /✖ broken failed, GENERATION_FAILED: .+ \((?:may have been )?charged \$0\.19\) .*--retry-failed/,
    );
    expect(end.lines.slice(-2)).toEqual(['Next', '  venice-batch run album.yaml --retry-failed --sandbox']);

    const paste = since(end, /^git apply <</);
    const script = paste.slice(0, paste.indexOf('PATCH') + 1).join('\n');
    execFileSync('bash', ['-ec', script], { cwd });
    const then = await run(['validate', 'album.yaml'], cwd);
    expect(then, then.stderr).toMatchObject({ code: 0 });
    const left = await run(['plan', 'album.yaml', '--sandbox', '--json'], cwd);
    const rows = (JSON.parse(left.stdout) as { takes: { key: string; action: string }[] }).takes;
    expect(rows.map(({ key, action }) => `${key} ${action}`)).toEqual([
      'night done',
      'refused buy',
      'broken held',
    ]);
  });

  it('an interrupted run says what is in flight and how to go on, and leaves no window', async () => {
    const cwd = folder();
    writeAlbum(cwd, [
      ['one', 'A slow one'],
      ['two', 'A slow two'],
    ]);
    const args = ['run', 'album.yaml', '--sandbox', '--sandbox-speed', '0.01', '--yes'];
    const going = atTerminal(args, cwd, columns);
    await going.seen(/2 active · \$0\.38/);
    going.interrupt();
    expect(await going.ended).toBe(130);
    const end = await going.screen();
    expect(end).toMatchObject({ wrappedRows: 0, cursorVisible: true, cursorColumn: 0 });
    const rest = since(end, /Generate/);
    expect(rest[0]).toBe('… Generate  0/2 · 2 active · $0.38 of $0.38 · interrupted');
    expect(rest.slice(1, 5)).toEqual([
      '  Clean up',
      '',
      '… 0 of 2 done, interrupted (sandbox)',
      expect.stringMatching(/^ {2}2 in flight · /),
    ]);
    expect(end.lines.slice(-2)).toEqual(['Next', '  venice-batch run album.yaml --sandbox']);
  });

  it('a wrong manifest is shown with its lines, marked where it is wrong', async () => {
    const cwd = folder();
    const long = `Uplifting ${'indie-folk and '.repeat(12)}more`;
    writeFileSync(
      path.join(cwd, 'album.yaml'),
      `version: 1\ntracks:\n  - { id: one, model: m, prompt: "夜想曲 第二番", titel: x }\n  - id: two\n    promt: ${long}\n`,
    );
    const shown = atTerminal(['validate', 'album.yaml'], cwd, columns);
    expect(await shown.ended).toBe(3);
    const screen = await shown.screen();
    expect(screen.wrappedRows).toBe(0);
    for (const [word, line] of [
      ['titel', 3],
      ['promt', 5],
    ] as const) {
      const place = screen.rows.findIndex(
        ({ text }, at) =>
          text.includes(`--> album.yaml:${line}:`) && /unknown-key/.test(screen.lines[at - 1] ?? ''),
      );
      const [head, source, marks] = [-1, 2, 3].map((offset) => screen.rows[place + offset]!);
      expect(head!.text).toMatch(/^error\[unknown-key\]: /);
      expect(head!.lookOf('error')).toBe('bad');
      expect(marks!.lookOf('^^^^^')).toBe('bad');
      expect([marks!.columnOf('^^^^^'), marks!.endOf('^^^^^')]).toEqual([
        source!.columnOf(word),
        source!.endOf(word),
      ]);
    }
    expect(rowWith(screen, /promt: Uplifting/).text).toMatch(/…$/);
    expect(screen.lines.at(-1)).toMatch(/^more about an error: venice-batch explain unknown-key$/);
  });

  it('what a model cannot do is shown at the track and where the value came from', async () => {
    const cwd = folder();
    writeFileSync(
      path.join(cwd, 'album.yaml'),
      'version: 1\ndefaults: { model: elevenlabs-music, duration_seconds: 60, speed: 1.5 }\ntracks:\n  - { id: one, prompt: Uplifting indie-folk }\n',
    );
    const shown = atTerminal(['plan', 'album.yaml', '--sandbox'], cwd, columns);
    expect(await shown.ended).toBe(3);
    const screen = await shown.screen();
    expect(screen.wrappedRows).toBe(0);
    const told = since(screen, /^error\[/);
    expect(told.filter((line) => line.includes('-->'))).toEqual([
      ' --> album.yaml:2:67',
      ' --> album.yaml:4:11',
    ]);
    expect(told.join('\n')).toContain('= note: used by track one');
    // Below the plan, where the person looks when it is over.
    expect(screen.lines.findIndex((line) => line.startsWith('To buy'))).toBeLessThan(
      screen.lines.indexOf(told[0]!),
    );
  });
});

describe('a run that is interrupted at its clean-up', () => {
  it('says that the audio is safe, what is owed, and the command that settles it', async () => {
    const album = await scene();
    const notYet = {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"success":false}',
    };
    const relay = await startRelay(album.service.url, async (passing) =>
      passing.path === '/audio/complete' ? passing.answer(notYet) : passing.answer(await passing.forward()),
    );
    const args = ['album.yaml', '--base-url', relay.url];
    const going = atTerminal(['run', ...args, '--yes'], album.cwd, 80, album.service.env);
    await going.seen(/2\/2/);
    going.interrupt();
    expect(await going.ended).toBe(130);
    const end = await going.screen();
    expect(end).toMatchObject({ cursorVisible: true, cursorColumn: 0 });
    const rest = since(end, /^… 2 of 2/);
    expect(rest.slice(0, 5)).toEqual([
      '… 2 of 2 done, interrupted',
      expect.stringMatching(/^ {2}2 made now · 2 to be cleaned up · /),
      expect.stringMatching(/^ {2}\$0\.\d+ spent of /),
      '  Every file made so far is here and safe; 2 remote copies are still to be',
      '  deleted, which costs nothing.',
    ]);
    const next = end.lines.at(-1)!.trim();
    expect(next).toBe(`venice-batch run album.yaml --base-url ${relay.url}`);

    relay.treat = passOn;
    const then = await run(next.split(' ').slice(1), album.cwd, album.service.env);
    expect(then, then.stderr).toMatchObject({ code: 0 });
    expect(album.lock().map(({ state }) => state)).toEqual(['done', 'done']);
    expect(await album.charges()).toBe(2);
  });
});

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
    const more = [...before, ['doubtful', 'A march [sandbox:lost-answer]'], ['flying', 'Slow']] as const;
    writeAlbum(cwd, more);
    const queue = ['run', 'album.yaml', '--sandbox', '--sandbox-speed', '0.01', '--detach', '--yes'];
    expect((await run(queue, cwd)).code).toBe(8);
    writeAlbum(cwd, [
      ...more.map(([id, prompt]) => [id, id === 'changed' ? 'Solo viola, slow' : prompt] as const),
      ['fresh', 'Brass and drums', ', model: elevenlabs-music, duration_seconds: 61'],
      ['left', 'Brass alone'],
    ]);
  });

  it.each(WIDTHS)('says at %i columns by a mark what is done about each take', async (columns) => {
    const planned = atTerminal(['plan', 'album.yaml', '--sandbox', '--except', 'left'], cwd, columns);
    expect(await planned.ended).toBe(0);
    const screen = await planned.screen();
    expect(screen).toMatchObject({ wrappedRows: 0, cursorVisible: true, cursorColumn: 0 });
    const table = [
      ['=', 'kept', 'faint', /done/],
      ['~', 'changed', 'warn', /prompt changed +\$0\.19/],
      ['!', 'gone', 'bad', /its file is missing/],
      ['!', 'broken', 'bad', /failed \(GENERATION_FAILED\)/],
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

/** A copy, so that commands that run side by side do not meet. */
function folderWith(source: string): string {
  const made = folder();
  cpSync(source, made, { recursive: true });
  return made;
}

describe('the log of a CI job', () => {
  let ended: Ended;
  let cwd: string;
  beforeAll(async () => {
    cwd = folder();
    writeAlbum(cwd, [
      ['night', 'Nocturne for piano'],
      ['broken', 'A waltz [sandbox:fail]'],
    ]);
    const args = ['run', 'album.yaml', '--sandbox', '--yes'];
    const summary = path.join(cwd, 'summary.md');
    ended = await run(args, cwd, { CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary });
  });

  it('is lines without a cursor code, a line for each change of state, in groups', () => {
    expect(ended).toMatchObject({ code: 100 });
    expect(ended.stdout + ended.stderr).not.toMatch(/[^\n\P{Cc}]/u);
    const lines = ended.stderr.trimEnd().split('\n');
    const groups = lines.filter((line) => line.startsWith('::group::'));
    expect(groups.slice(0, 3)).toEqual(['::group::Check', '::group::Quote', '::group::Generate']);
    expect(lines.filter((line) => line === '::endgroup::')).toHaveLength(groups.length);
    expect(lines.filter((line) => line.startsWith('[')).sort()).toEqual([
      '[0/2] queued broken $0.19',
      '[0/2] queued night $0.19',
      expect.stringMatching(
        /^\[[01]\/2\] broken failed, GENERATION_FAILED: .+ \((?:may have been )?charged \$0\.19\)$/,
      ),
      '[1/2] stored night album.sandbox/out/01-night.wav $0.19',
    ]);
  });

  it('names the same files as the step summary, status and verify: so that they are found from where one stands', async () => {
    const file = 'album.sandbox/out/01-night.wav';
    expect(existsSync(path.join(cwd, file))).toBe(true);
    expect(ended.stdout).toContain(`\n  ${file}\n`);
    expect(readFileSync(path.join(cwd, 'summary.md'), 'utf8')).toContain(`| ${file} |`);
    const copy = realpathSync(folderWith(cwd));
    expect((await run(['status', 'album.yaml', '--sandbox'], copy)).stdout).toContain(`  ${file}\n`);
    const below = path.join(copy, 'notes');
    mkdirSync(below);
    const whole = path.join(copy, file);
    expect((await run(['status', '../album.yaml', '--sandbox'], below)).stdout).toContain(`  ${whole}\n`);
    rmSync(whole);
    const verified = await run(['verify', '../album.yaml', '--sandbox'], below);
    expect(verified).toMatchObject({ code: 100 });
    expect(verified.stdout).toContain(`missing  ${whole}\n`);
  });

  it.each(WIDTHS)('ends with what failed once more, readable at %i columns', async (columns) => {
    const screen = await screenOf(ended.stdout, columns);
    expect(screen.wrappedRows).toBe(0);
    expect(screen.lines[0]).toBe('✖ 1 of 2 done (sandbox)');
    expect(screen.lines.slice(screen.lines.indexOf('Failed'))).toEqual([
      'Failed',
      '  ✖ broken',
      expect.stringMatching(/^ {4}failed, GENERATION_FAILED: /),
      ...screen.lines.slice(screen.lines.indexOf('Failed') + 3, -2),
      'Next',
      '  venice-batch run album.yaml --retry-failed --sandbox',
    ]);
  });
});
