import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { run } from './in-process.js';
import { audioFiles, folder, startService, writeManifest } from './program.js';

vi.setConfig({ testTimeout: 60_000 });

/** A batch that another machine made, and an empty machine with the manifest. */
async function stage() {
  const service = await startService();
  const [maker, cwd, share] = [folder(), folder(), folder()];
  for (const machine of [maker, cwd]) writeManifest(machine, 2);
  const flags = [...service.flags, '--state', `file://${share}`];
  const command = (verb: string, ...words: string[]) =>
    run([verb, 'album.yaml', ...words, ...flags], cwd, service.env);
  const made = await run(['run', 'album.yaml', '--yes', ...flags], maker, service.env);
  expect(made.code, made.stderr).toBe(0);
  const [first = '', second = ''] = audioFiles(maker).sort();
  return { service, cwd, command, first, second };
}

it('names a file that a folder keeps out, and buys nothing because of it', async () => {
  const { service, cwd, command, first } = await stage();
  mkdirSync(path.join(cwd, first), { recursive: true });
  const pulled = await command('pull');
  expect(pulled.code).toBe(100);
  expect(pulled.stdout).toBe('1 file downloaded\n');
  expect(pulled.stderr).toContain(`${first} could not be downloaded: something else is in its place`);
  const again = await command('run', '--yes', '--retry-failed');
  expect(await service.charges()).toBe(2);
  expect(again.stderr).toContain('something else is in its place');
});

it('names a file that is not the stored one, and leaves it alone', async () => {
  const { cwd, command, second } = await stage();
  mkdirSync(path.dirname(path.join(cwd, second)), { recursive: true });
  writeFileSync(path.join(cwd, second), 'my own');
  const pulled = await command('pull');
  expect(pulled.code).toBe(100);
  expect(pulled.stderr).toContain(
    `${second} is not the file that was stored: move it away, then: venice-batch pull`,
  );
  expect(readFileSync(path.join(cwd, second), 'utf8')).toBe('my own');
  // Nothing goes by it once its track is gone.
  writeManifest(cwd, 1);
  expect((await command('pull')).code).toBe(0);
});
