import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import { commandLine } from '../../src/core/shell.js';
import { run } from './in-process.js';
import { audioFiles, folder, startService, writeManifest } from './program.js';
import type { Service } from './service.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** A folder whose lockfile is a copy of a shared log. */
let cwd: string;
let state: readonly string[];
let service: Service;

beforeAll(async () => {
  service = await startService();
  cwd = folder();
  mkdirSync(path.join(cwd, 'share'));
  state = ['--state', `file://${path.join(cwd, 'share')}`];
  writeManifest(cwd, 2);
  const made = await run(['run', 'album.yaml', '--yes', ...service.flags, ...state], cwd, service.env);
  expect(made.code, made.stderr).toBe(0);
});

const COMMANDS: readonly (readonly string[])[] = [
  ['run', 'album.yaml', '--frozen'],
  ['run', 'album.yaml', '--force', 'track-1', '--yes'],
  ['run', 'album.yaml', '--retry-failed', '--more', '2'],
  ['run', 'album.yaml', '--only', 'track-*', '--detach', '--qc-fail'],
  ['collect', 'album.yaml', '--junit', 'my report.xml'],
  ['resolve', 'album.yaml', 'track-1', '--charged'],
  ['accept', 'album.yaml', 'track-1'],
  ['tidy', 'album.yaml', '--undo'],
  ['tidy', 'album.yaml', '--dry-run', '--json'],
  ['status', 'album.yaml', '--json'],
  ['plan', 'album.yaml', '--out', 'p.json', '--detailed-exitcode'],
  ['verify', '--json', 'album.yaml'],
  ['report', 'album.yaml', '--out', 'r.html', '--embed'],
  ['release', 'album.yaml', '--to', 'r9', '--first', '--zip'],
  ['pick', 'album.yaml', 'track-1', '1', '--note', "it's it"],
];

it.each(COMMANDS.map((words) => ({ name: words.join(' '), words })))(
  'a command without the address of its log is told the same command with it: $name',
  async ({ words }) => {
    const { stderr } = await run([...words, ...service.flags], cwd, service.env);
    const same = commandLine(['venice-batch', ...words, ...service.flags, ...state]);
    const lines = stderr.split('\n').map((line) => line.replace(/\)$/, ''));
    expect(lines.filter((line) => line.endsWith(`: ${same}`))).toHaveLength(1);
  },
);

it('another address is replaced', async () => {
  mkdirSync(path.join(cwd, 'other'));
  const words = ['resolve', 'album.yaml', 'track-1', '--charged', ...service.flags];
  const other = `--state=file://${path.join(cwd, 'other')}`;
  const { stderr } = await run([...words.toSpliced(2, 0, other)], cwd, service.env);
  expect(stderr).toContain(`: ${commandLine(['venice-batch', ...words, ...state])}; if the log was moved`);
});

it('a log that is out of reach is told with the command to repeat, which buys nothing', async () => {
  const words = ['resolve', 'album.yaml', 'track-1', '--charged', ...service.flags];
  const empty = folder();
  writeManifest(empty, 1);
  const gone = ['--state', `file://${path.join(empty, 'gone')}`];
  const { stderr } = await run([...words, ...gone], empty, service.env);
  expect(stderr).toContain('error[state-');
  expect(stderr).not.toContain('venice-batch run');
});

it('what is suggested next names the log, too', async () => {
  const [file = ''] = audioFiles(cwd);
  const from = path.join(cwd, file);
  renameSync(from, `${from}.away`);
  const frozen = await run(['run', 'album.yaml', '--frozen', ...service.flags], cwd, service.env);
  renameSync(`${from}.away`, from);
  const lines = `${frozen.stdout}${frozen.stderr}`
    .split('\n')
    .filter((line) => line.includes('venice-batch '));
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(line).toContain(state.join(' '));
});
