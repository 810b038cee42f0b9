import { readdirSync, writeFileSync } from 'node:fs';
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
