import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, run, writeManifest } from './program.js';

describe('a name that is no manifest', () => {
  const commands = ['run', 'collect', 'status', 'verify', 'resolve', 'unlock', 'lock repair'];

  it.each(commands)('%s says so, and makes nothing', async (command) => {
    const cwd = folder();
    for (const name of ['nofile.yaml', 'nowhere/nofile.yaml'])
      for (const more of [[], ['--sandbox']]) {
        const ended = await run([...command.split(' '), name, ...more], cwd);
        expect(ended.code).toBe(3);
        expect(ended.stderr).toContain('error[manifest-missing]');
        expect(readdirSync(cwd)).toEqual([]);
      }
  });

  it('does not matter where the lockfile still tells what is paid for', async () => {
    const cwd = folder();
    const header = { kind: 'header' };
    writeFileSync(path.join(cwd, 'gone.lock.jsonl'), `${JSON.stringify(header)}\n`);
    const ended = await run(['status', 'gone.yaml'], cwd);
    expect(ended.stderr).not.toContain('manifest-missing');
  });
});

describe('a run that is refused', () => {
  it('leaves no folder behind', async () => {
    const cwd = folder();
    writeManifest(cwd, 1, 'promt: x\n');
    expect((await run(['run', 'album.yaml', '--sandbox', '--yes'], cwd)).code).toBe(3);
    expect(readdirSync(cwd)).toEqual(['album.yaml']);
  });

  it('leaves no output folder behind', async () => {
    const cwd = folder();
    const manifest = writeManifest(cwd, 1);
    expect((await run(['run', manifest, '--sandbox'], cwd)).code).toBe(2);
    expect(readdirSync(cwd, { recursive: true })).not.toContain('album.sandbox/out');
  });
});

describe('the document of --json', () => {
  const refusals: [string, number, ...string[]][] = [
    ['approval-needed', 2],
    ['usage', 2, '--budget', 'much'],
    ['plan-unreadable', 2, '--plan', 'nope.json'],
    ['over-budget', 5, '--budget', '0.01'],
    ['not-frozen', 10, '--frozen'],
    ['unknown-track', 2, '--only', 'nobody'],
  ];

  it.each(refusals)('says %s', async (code, exitCode, ...flags) => {
    const cwd = folder();
    const manifest = writeManifest(cwd, 1);
    const ended = await run(['run', manifest, '--sandbox', '--json', ...flags], cwd);
    expect(ended.code).toBe(exitCode);
    const document = JSON.parse(ended.stdout) as {
      summary: { exit_code: number };
      diagnostics: { code: string }[];
    };
    expect(document.summary.exit_code).toBe(exitCode);
    expect(document.diagnostics.map((diagnostic) => diagnostic.code)).toEqual([code]);
  });

  it('and a stream of events do not share stdout', async () => {
    const cwd = folder();
    const manifest = writeManifest(cwd, 1);
    const ended = await run(['run', manifest, '--sandbox', '--json', '--events', 'ndjson'], cwd);
    expect([ended.code, ended.stdout]).toEqual([2, '']);
    expect(ended.stderr).toContain('error[usage]');
  });
});

describe('the file of --suggestions', () => {
  it('stays as it is where nothing was suggested', async () => {
    const cwd = folder();
    const manifest = writeManifest(cwd, 1);
    const patch = path.join(cwd, 'mine.patch');
    writeFileSync(patch, 'of an earlier run');
    const flags = ['--sandbox', '--sandbox-speed', '1000', '--yes', '--suggestions', 'mine.patch'];
    expect((await run(['run', manifest, ...flags], cwd)).code).toBe(0);
    expect(readFileSync(patch, 'utf8')).toBe('of an earlier run');
  });
});
