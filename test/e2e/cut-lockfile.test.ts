import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { type Scene, scene } from './scene.js';

/** A finished album whose lockfile lost its last lines. */
async function cut(lines: number): Promise<Scene> {
  const album = await scene();
  expect((await album.run('run', '--yes')).code).toBe(0);
  const kept = readFileSync(album.lockPath, 'utf8').trimEnd().split('\n').slice(0, -lines);
  writeFileSync(album.lockPath, `${kept.join('\n')}\n`);
  return album;
}

it('a lockfile that was cut off is restored in the order that the message says', async () => {
  const album = await cut(2);
  const refused = await album.run('run', '--yes');
  expect(refused.code).toBe(9);
  // This was a run, and restored nothing: the repair comes first.
  expect(refused.stderr).not.toContain('the next run restores it');
  expect(refused.stderr).toMatch(
    /repair what is left of the file; the next run then restores from .* what the last run here recorded: venice-batch lock repair /,
  );
  expect((await album.run('lock repair')).code).toBe(0);
  const restored = await album.run('run', '--yes');
  expect([restored.code, restored.stderr]).toEqual([
    0,
    expect.stringContaining('restored them from the second copy'),
  ]);
  expect(await album.charges()).toBe(2);
});

it('what missing lines recorded is shown as such by every command', async () => {
  const album = await cut(2);
  rmSync(path.join(album.cwd, '.venice-batch'), { recursive: true });
  expect((await album.run('lock repair')).code).toBe(0);
  const status = await album.run('status');
  expect(status.stdout).toMatch(
    /missing lines of the lockfile; their takes are unknown\nTAKE .*\nunknown +in doubt/,
  );
  expect(status.stdout).not.toMatch(/unreadable|No longer in the manifest/);
  const plan = await album.run('plan');
  expect(plan.stderr).toMatch(
    /records are missing from the lockfile, and any take may have been paid for in them/,
  );
  expect(plan.stderr).toContain('venice-batch resolve album.yaml');
  const resolve = await album.run('resolve');
  expect(resolve.stdout).toContain(
    'billing history: not searched, because the time of the submit is unknown',
  );
  expect(await album.charges()).toBe(2);
});
