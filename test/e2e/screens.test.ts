import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { linesSince, rowWith } from '../fakes/screen.js';
import { writeAlbum } from './album.js';
import { folder, runProcess as run, writeManifest } from './program.js';
import { passOn, startRelay } from './relay.js';
import { scene } from './scene.js';
import { atTerminal } from './terminal.js';

const WIDTHS = [80, 120];

describe.each(WIDTHS)('a terminal of %i columns', (columns) => {
  const wide = { model: ', model: elevenlabs-music, duration_seconds: 61' };

  it('shows what is bought before the question, and "no" buys nothing', async () => {
    const cwd = folder();
    writeAlbum(cwd, [
      ['opening', 'Uplifting indie-folk, 120 BPM', wide.model],
      ['bridge', 'Solo piano, slow'],
    ]);
    const asked = atTerminal(['run', 'album.yaml', '--sandbox'], cwd, columns);
    await asked.seen(/anything else cancels: ?/);
    const question = await asked.screen();
    expect(question.wrappedRows).toBe(0);
    expect(question.lines[0]).toBe('Sandbox: a simulated service, no money is spent');
    expect(question.lines.slice(-2)).toEqual(['', 'Type "yes" to buy; anything else cancels:']);
    expect(question).toMatchObject({ cursorVisible: true, cursorColumn: 42 });
    expect(question.cursorRow).toBe(question.lines.length - 1);

    asked.type('no\n');
    expect(await asked.ended).toBe(2);
    const end = await asked.screen();
    expect(end.wrappedRows).toBe(0);
    const reported = linesSince(end, /^Type "yes"/);
    expect(reported[0]).toBe('Type "yes" to buy; anything else cancels: no');
    expect(reported[1]).toMatch(/^error\[not-approved\]/);
    expect(end.lines).toContain('✖ 0 of 2 done (sandbox)');
    expect(end).toMatchObject({ cursorVisible: true, cursorColumn: 0 });
  });

  it('shows the result of a run: its files, its failures and the next command', async () => {
    const cwd = folder();
    writeAlbum(cwd, [
      ['night', 'A nocturne', ', title: 夜 曲, output: "{title}.{ext}"'],
      ['refused', 'A march [sandbox:policy]'],
      ['broken', 'A waltz [sandbox:fail]'],
    ]);
    const going = atTerminal(['run', 'album.yaml', '--sandbox'], cwd, columns);
    await going.seen(/anything else cancels: ?/);
    going.type('yes\n');
    await going.seen(/2 active · 1 failed/);
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
    expect(linesSince(end, /Generate/).slice(0, 4)).toEqual([
      '✖ Generate  1/3 · 2 failed · $0.38 of $0.57',
      '✔ Clean up',
      '',
      '✖ 1 of 3 done (sandbox)',
    ]);
    expect(rowWith(end, /Generate/).lookOf('✖')).toBe('bad');
    expect(rowWith(end, /Clean up/).lookOf('✔')).toBe('good');
    expect(end.lines).toContain("  'album.sandbox/夜 曲.wav'");
    const screen = end.lines.join('\n').replace(/\n +/g, ' ');
    expect(screen).toMatch(/✖ refused rejected, http-422: .+ \(not charged\) Change the prompt/);
    expect(screen).toMatch(
      /✖ broken failed, http-400: .+ \(refunded \$0\.19(?: as documented)?\) .*To buy it again, run with `--force broken#1`/,
    );
    expect(end.lines.slice(-2)).toEqual(['Next', '  venice-batch run album.yaml --retry-failed --sandbox']);

    const paste = linesSince(end, /^git apply <</);
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

  it('after an interrupted run, shows what is in flight and how to continue, without the live view', async () => {
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
    const rest = linesSince(end, /Generate/);
    expect(rest[0]).toBe('… Generate  0/2 · 2 active · $0.38 of $0.38 · interrupted');
    expect(rest.slice(1, 5)).toEqual([
      '… Clean up',
      '',
      '… 0 of 2 done, interrupted (sandbox)',
      expect.stringMatching(/^ {2}2 in flight · /),
    ]);
    expect(end.lines.slice(-2)).toEqual([
      'Next',
      '  venice-batch run album.yaml --sandbox --sandbox-speed 0.01 --yes',
    ]);
  });

  it('shows the lines of an invalid manifest, with marks at the faults', async () => {
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

  it('shows an unsupported value at the track and where the value came from', async () => {
    const cwd = folder();
    writeFileSync(
      path.join(cwd, 'album.yaml'),
      'version: 1\ndefaults: { model: elevenlabs-music, duration_seconds: 60, speed: 1.5 }\ntracks:\n  - { id: one, prompt: Uplifting indie-folk }\n',
    );
    const shown = atTerminal(['plan', 'album.yaml', '--sandbox'], cwd, columns);
    expect(await shown.ended).toBe(3);
    const screen = await shown.screen();
    expect(screen.wrappedRows).toBe(0);
    const reported = linesSince(screen, /^error\[/);
    expect(reported.filter((line) => line.includes('-->'))).toEqual([
      ' --> album.yaml:2:67',
      ' --> album.yaml:4:11',
    ]);
    expect(reported.join('\n')).toContain('= note: used by track one');
    expect(screen.lines.indexOf(reported[0]!)).toBe(0);
    expect(screen.lines.slice(-2)).toEqual(['', 'No plan: nothing was priced']);
  });

  it('shows a plan that is over budget, and the error below it', async () => {
    const cwd = folder();
    const shown = atTerminal(['plan', writeManifest(cwd, 1), '--sandbox', '--budget', '0.01'], cwd, columns);
    expect(await shown.ended).toBe(5);
    const { lines } = await shown.screen();
    const reason = lines.findIndex((line) => line.startsWith('error[over-budget]'));
    expect(lines.findIndex((line) => line.startsWith('To buy'))).toBeLessThan(reason);
    expect(lines.findIndex((line) => line.startsWith('To buy'))).toBeGreaterThan(0);
  });
});

describe('a run that is interrupted at its clean-up', () => {
  it('says that the audio is safe, what is left to delete, and the command for it', async () => {
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
    const rest = linesSince(end, /^… 2 of 2/);
    expect(rest.slice(0, 5)).toEqual([
      '… 2 of 2 done, interrupted',
      expect.stringMatching(/^ {2}2 downloaded now · 2 remote copies still to delete · /),
      expect.stringMatching(/^ {2}\$0\.\d+ spent of /),
      '  Every file made so far is stored here; 2 remote copies are still to be',
      '  deleted, which costs nothing.',
    ]);
    const next = end.lines.at(-1)!.trim();
    expect(next).toBe(`venice-batch run album.yaml --base-url ${relay.url} --yes`);

    relay.treat = passOn;
    const then = await run(next.split(' ').slice(1), album.cwd, album.service.env);
    expect(then, then.stderr).toMatchObject({ code: 0 });
    expect(album.lock().map(({ state }) => state)).toEqual(['done', 'done']);
    expect(await album.charges()).toBe(2);
  });
});
