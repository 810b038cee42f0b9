import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from './in-process.js';
import { type Scene, scene } from './scene.js';

/** A finished album, and how to run a command for another manifest beside it. */
async function finished() {
  const album = await scene();
  expect((await album.run('run', '--yes')).code).toBe(0);
  const { flags, env } = album.service;
  const on = (manifest: string, verb: string, ...words: string[]) =>
    run([verb, manifest, ...words, ...flags], album.cwd, env);
  return { album, on, other: path.join(album.cwd, 'night.yaml'), own: path.join(album.cwd, 'album.yaml') };
}

/** Runs the command that a message suggests, from the program's name to the end of the text or a semicolon. */
async function follow({ cwd, service }: Scene, text: string) {
  const [, line = ''] = /venice-batch ((?:plan|status|verify|qc) [^;\n]*)/.exec(text) ?? [];
  expect(line).not.toBe('');
  return run(line.split(' '), cwd, service.env);
}

describe('a manifest that was renamed', () => {
  it.each(['status', 'verify', 'qc'])('%s names the lockfile that its takes are in', async (verb) => {
    const { album, on, own, other } = await finished();
    renameSync(own, other);
    const nothing = await on('night.yaml', verb);
    expect(nothing.stdout + nothing.stderr).toContain(album.lockPath);
    const found = await follow(album, nothing.stdout + nothing.stderr);
    expect([found.code, found.stdout]).toEqual([0, expect.not.stringContaining('othing has been bought')]);
  });

  it.each(['plan', 'run'])('%s names that lockfile once for all files that are in the way', async (verb) => {
    const { album, on, own, other } = await finished();
    renameSync(own, other);
    const refused = await on('night.yaml', verb, ...(verb === 'run' ? ['--yes'] : []));
    expect(refused.code).toBe(3);
    expect(refused.stderr.match(/error\[output-occupied\]/g)).toHaveLength(1);
    expect(refused.stderr).toContain(`are in another lockfile, ${album.lockPath}`);
    const next = verb === 'run' ? (refused.stdout.split('Next\n')[1] ?? '') : refused.stderr;
    expect(await follow(album, next)).toMatchObject({ code: 0 });
    expect(await album.charges()).toBe(2);
  });

  it('is told the lockfile to use if its files are gone as well', async () => {
    const { album, on, own, other } = await finished();
    renameSync(own, other);
    rmSync(path.join(album.cwd, 'out'), { recursive: true });
    const refused = await on('night.yaml', 'run', '--yes');
    expect(refused.stderr).toContain('error[bought-elsewhere]');
    expect(refused.stderr).toMatch(
      /to buy them again on purpose: venice-batch run night\.yaml --force \S+ --force /,
    );
    expect(await follow(album, refused.stdout.split('Next\n')[1] ?? '')).toMatchObject({
      code: 0,
    });
  });
});

it('two manifests that name the same files are told of each other once', async () => {
  const { album, on, own, other } = await finished();
  writeFileSync(other, readFileSync(own, 'utf8').replaceAll('prompt: "', 'prompt: "Quietly '));
  const refused = await on('night.yaml', 'plan');
  expect(refused.stderr.match(/error\[/g)).toHaveLength(1);
  expect(refused.stderr).toContain(`${own} uses the same names`);
  copyFileSync(own, other);
  rmSync(album.lockPath);
  rmSync(path.join(album.cwd, '.venice-batch'), { recursive: true });
  // Without any lockfile that names the files, there is nothing to refer to.
  const lost = await on('night.yaml', 'plan');
  expect(lost.stderr).toMatch(/exist, but are not in the lockfile/);
});
