import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/commands/main.js';

describe('a mistake on the command line', () => {
  let reported = '';
  let printed = '';
  const before = process.cwd();
  let cwd: string;
  beforeEach(() => {
    // Some of these lines ask for a report file.
    cwd = mkdtempSync(path.join(os.tmpdir(), 'typos-'));
    process.chdir(cwd);
    reported = '';
    printed = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text, ...more: unknown[]) => {
      printed += String(text);
      for (const one of more) if (typeof one === 'function') one();
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      reported += String(text);
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.chdir(before);
    rmSync(cwd, { recursive: true });
    // Each run adds listeners until its process ends, which all runs share here.
    for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error');
  });

  it.each([
    [['statu'], 'Did you mean status?', 'venice-batch --help'],
    [['run', '--sandbox'], 'name the manifest: this folder has none', 'venice-batch init album.yaml'],
    [['pick', 'a.yaml'], 'name a track', 'list them: venice-batch status a.yaml'],
    [['accept', 'a.yaml', '--sandbox'], 'name a take', 'list them: venice-batch status a.yaml --sandbox'],
    [
      ['pick', 'a.yaml', '--lockfile', 'b c.jsonl'],
      'name a track',
      "list them: venice-batch status a.yaml --lockfile 'b c.jsonl'",
    ],
    [
      ['release', 'b/a.yaml', '--zip'],
      '--to is required',
      'venice-batch release b/a.yaml --zip --to a.release',
    ],
    [
      ['run', 'a.yaml', '--budget', '1', '--budget=99', '--yes'],
      '--budget takes one value, but was given twice: 1 and 99',
      'keep one of the two: venice-batch run a.yaml --budget 1 --yes',
    ],
    [
      ['run', 'a.yaml', '--env-file', 'limits.env', '--env-file', 'the key.env'],
      "--env-file takes one value, but was given twice: limits.env and 'the key.env'",
      'keep one of the two: venice-batch run a.yaml --env-file limits.env',
    ],
    [
      ['lock', 'repair', 'a.yaml', '--lockfile=x', '--lockfile', 'y', '--json'],
      '--lockfile takes one value, but was given twice: x and y',
      'keep one of the two: venice-batch lock repair a.yaml --lockfile=x --json',
    ],
    [
      ['models', '--sort', 'name', '--sort', 'price'],
      '--sort takes one value, but was given twice: name and price',
      'keep one of the two: venice-batch models --sort name',
    ],
    [['statu', 'a.yaml'], 'Did you mean status?', 'venice-batch status a.yaml'],
    [
      ['run', 'a.yaml', 'b.yaml', '--only', 'x', 'c.yaml'],
      '`run` takes one manifest at a time',
      'venice-batch run a.yaml --only x',
    ],
    [['status', 'a.yaml', 'status'], '`status` takes one manifest at a time', 'venice-batch status a.yaml'],
    [['run', 'run', 'a.yaml'], '`run` takes one manifest at a time', 'venice-batch run a.yaml'],
    [['a.yaml', 'run', '--yes'], "the command goes before 'a.yaml'", 'venice-batch run a.yaml --yes'],
    [
      ['lock', 'repair', 'a.yaml', 'b.yaml'],
      '`lock repair` takes one manifest at a time',
      'venice-batch lock repair a.yaml',
    ],
    [
      ['completion'],
      'name the shell: bash, zsh or fish',
      'venice-batch completion bash, or venice-batch completion zsh, or venice-batch completion fish',
    ],
    [['help', 'runn'], 'Did you mean run?', 'venice-batch help run'],
    [['run', 'a.yaml', '--onyl', 'x'], 'Did you mean --only?', 'venice-batch run a.yaml --only x'],
    [['run', 'a.yaml', '--onyl=x y'], 'Did you mean --only?', "venice-batch run a.yaml '--only=x y'"],
    [
      ['run', 'a.yaml', '--onyl', 'x', '--base-url', 'https://me:secret@host'],
      'Did you mean --only?',
      'venice-batch run --help',
    ],
    [['run', 'a.yaml', '--nothing-like-it'], "'--nothing-like-it'", 'venice-batch run --help'],
    [['--sandbox', 'run', 'a.yaml'], '--sandbox goes after the command', 'venice-batch run a.yaml --sandbox'],
    [
      ['--budget', '5', 'run', 'a.yaml', '--yes'],
      '--budget goes after the command',
      'venice-batch run a.yaml --yes --budget 5',
    ],
    [['--sandbox', 'a.yaml'], '--sandbox goes after the command', 'venice-batch --help'],
    [['run', '--dry-run', 'a.yaml'], '`run` has no --dry-run', 'venice-batch plan a.yaml'],
    [
      ['run', 'a.yaml', '--yes', '--keep', '--budget', '5', '--junit', 'j.xml', '--dry-run'],
      '`plan` shows what it would do and cost',
      'venice-batch plan a.yaml --budget 5',
    ],
    [
      ['run', 'a.yaml', '--to', 'out', '--yes'],
      '`run` has no --to: it is an option of `release`',
      'leave it out: venice-batch run a.yaml --yes',
    ],
    [
      ['status', 'a.yaml', '--yes'],
      '`status` has no --yes: it is an option of `run`',
      'leave it out: venice-batch status a.yaml',
    ],
    [
      ['album.yaml', '--sandbox'],
      "a command is missing before 'album.yaml'",
      'to see what it would cost: venice-batch plan album.yaml --sandbox; to make it: venice-batch run album.yaml --sandbox',
    ],
    [
      ['report', 'a.yaml', '--sandbox'],
      '`report` requires --out',
      'venice-batch report a.yaml --out report.html --sandbox',
    ],
    [['lock', 'repair'], 'name the manifest', 'venice-batch lock repair --help'],
    [['lock'], 'a command is missing', 'use one of the commands above'],
    [['help', 'lock', 'repiar'], 'Did you mean repair?', 'venice-batch help lock repair'],
    [['help', 'lock', 'nope'], "unknown command 'nope'", 'use one of the commands above'],
    [['help', 'nope'], "unknown command 'nope'", 'use one of the commands above'],
    [['status', ''], 'the name of the manifest is empty', 'name a file, such as album.yaml'],
    [
      ['run', 'a.yaml', '--only', ''],
      '--only has an empty name',
      'name a track, such as --only opening, or omit --only',
    ],
    [
      ['run', 'a.yaml', '--only=,'],
      '--only has an empty name',
      'name a track, such as --only opening, or omit --only',
    ],
    [
      ['run', 'a.yaml', '--only', 'one', '--only', ''],
      '--only has an empty name',
      'name a track, such as --only opening, or omit --only',
    ],
    [
      ['run', 'a.yaml', '--except', 'one,'],
      '--except has an empty name',
      'name a track, such as --except opening, or omit --except',
    ],
    [
      ['plan', 'a.yaml', '--force', ''],
      '--force has an empty name',
      'name a track, such as --force opening, or omit --force',
    ],
    [
      ['config', 'a.yaml', '--only', ''],
      '--only has an empty name',
      'name a track, such as --only opening, or omit --only',
    ],
  ])('gets a suggestion and the command for more help: %j', async (argv, what, where) => {
    expect(await main(argv)).toBe(2);
    expect(reported.trimEnd().split('\n').slice(-2)).toEqual([
      expect.stringMatching(/^error\[usage\]: /),
      `  = help: ${where}`,
    ]);
    expect(reported).toContain(what);
  });

  it('is completed with the only manifest of the folder', async () => {
    writeFileSync('a.yaml', 'version: 1\ntracks:\n  - { id: one, model: m, prompt: p }\n');
    writeFileSync('a.picks.yaml', 'version: 1\npicks: {}\n');
    expect(await main(['lock', 'repair'])).toBe(2);
    expect(reported).toContain('venice-batch lock repair a.yaml');
    writeFileSync('b.yaml', 'tracks: []\n');
    await main(['run']);
    expect(reported).toMatch(/name the manifest: (a\.yaml or b\.yaml|b\.yaml or a\.yaml)/);
  });

  it.each([
    [['run', 'a.yaml', '--onyl', 'x', '--json']],
    [['run', '--json']],
    [['status', '--json', 'a.yaml', 'b.yaml']],
    [['plan', 'a.yaml', '--json', '--out']],
    [['statu', '--json']],
    [['run', 'a.yaml', '--only', '', '--json']],
  ])('appears in the document of --json: %j', async (argv) => {
    expect(await main(argv)).toBe(2);
    const document = JSON.parse(printed) as {
      summary: { exit_code: number };
      diagnostics: { code: string; hint: string }[];
    };
    expect(document.summary.exit_code).toBe(2);
    expect(document.diagnostics).toEqual([expect.objectContaining({ code: 'usage', severity: 'error' })]);
    expect(reported).toContain(document.diagnostics[0]?.hint);
  });

  it('is ignored if help is requested', async () => {
    expect(await main(['help', 'run'])).toBe(0);
    expect(reported).toBe('');
  });

  it('shows the help of a command in a group', async () => {
    expect(await main(['help', 'lock', 'repair'])).toBe(0);
    expect(printed).toContain('Usage: venice-batch lock repair');
  });

  it('of a model names those that begin almost like it', async () => {
    expect(await main(['models', 'elevn', '--sandbox'])).toBe(2);
    expect(reported).toContain('there is no model elevn');
    expect(reported).toMatch(
      /did you mean elevenlabs-[^?]+ and \d+ more\? list them all: venice-batch models/,
    );
  });
});
