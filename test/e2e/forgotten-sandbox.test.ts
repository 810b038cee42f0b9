import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { run } from './in-process.js';
import { type Scene, scene } from './scene.js';

/** An album that was only made in the sandbox. */
async function sandboxed(): Promise<Scene> {
  const album = await scene();
  const words = ['--sandbox', '--sandbox-speed', '1000'];
  expect((await run(['run', 'album.yaml', '--yes', ...words], album.cwd, {})).code).toBe(0);
  return album;
}

it('a plan saved in the sandbox is applied by the command that its refusal suggests', async () => {
  const { cwd } = await scene();
  const saved = await run(['plan', 'album.yaml', '--sandbox', '--out', 'p.json'], cwd, {});
  expect(saved.code).toBe(0);
  const refused = await run(['run', 'album.yaml', '--plan', 'p.json'], cwd, { VENICE_API_KEY: 'x' });
  expect(refused.code).toBe(2);
  const next = 'run album.yaml --plan p.json --sandbox';
  expect(refused.stderr).toContain(`to apply it in the sandbox: venice-batch ${next}\n`);
  expect(refused.stdout).toContain(`Next\n  venice-batch ${next}\n`);
  const applied = await run([...next.split(' '), '--sandbox-speed', '1000'], cwd, {});
  expect(applied.code, applied.stderr).toBe(0);
});

it('resolve says where the sandbox run is, if it knows no attempt', async () => {
  const album = await sandboxed();
  const refused = await album.run('resolve', 'one', '--charged');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('venice-batch resolve album.yaml --sandbox');
});

it('review says where the sandbox run is, if it has nothing to show', async () => {
  const album = await sandboxed();
  const review = album.start('review', '--no-open');
  await review.seen(/press Ctrl-C to stop/);
  review.child.kill('SIGTERM');
  expect((await review.ended).stderr).toContain('venice-batch review album.yaml --sandbox');
});

it('config reports a manifest that does not exist, or cannot be used', async () => {
  const { cwd } = await scene();
  const missing = await run(['config', 'nothing.yaml'], cwd, {});
  expect([missing.code, missing.stdout]).toEqual([3, '']);
  expect(missing.stderr).toContain('error[manifest-missing]');
  const file = path.join(cwd, 'album.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('budget: 5', 'budgt: 5'));
  const broken = await run(['config', 'album.yaml'], cwd, {});
  expect([broken.code, broken.stderr]).toEqual([
    0,
    expect.stringContaining('venice-batch validate album.yaml'),
  ]);
});
