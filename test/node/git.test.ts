import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { systemGit } from '../../src/node/git.js';

const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'venice-batch-git-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function git(folder: string, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await systemGit(words, {
    folder,
    stdin: new Uint8Array(0),
    deadlineMs: 30_000,
  });
  expect(code, stderr).toBe(0);
  return stdout.toString().trim();
}

it('uses the repository of the folder, whatever a hook or the shell has set', async () => {
  const [own, other] = [path.join(root, 'own'), path.join(root, 'other')];
  for (const repository of [own, other]) await git(root, 'init', '--quiet', repository);
  await git(own, 'remote', 'add', 'origin', 'https://git.example/own.git');
  for (const [name, value] of [
    ['GIT_DIR', path.join(other, '.git')],
    ['GIT_COMMON_DIR', path.join(other, '.git')],
    ['GIT_WORK_TREE', other],
    ['GIT_OBJECT_DIRECTORY', path.join(other, '.git', 'objects')],
    ['GIT_NAMESPACE', 'elsewhere'],
  ] as const)
    vi.stubEnv(name, value);
  expect(await git(own, 'rev-parse', '--absolute-git-dir')).toBe(path.join(own, '.git'));
  expect(await git(own, 'remote', 'get-url', 'origin')).toBe('https://git.example/own.git');
  const object = await systemGit(['hash-object', '-w', '--stdin'], {
    folder: own,
    stdin: Buffer.from('a'),
    deadlineMs: 30_000,
  });
  expect(await git(own, 'cat-file', '-t', object.stdout.toString().trim())).toBe('blob');
  vi.unstubAllEnvs();
  expect(await git(own, 'cat-file', '-t', object.stdout.toString().trim())).toBe('blob');
});

it('keeps settings that the environment makes', async () => {
  vi.stubEnv('GIT_CONFIG_COUNT', '1');
  vi.stubEnv('GIT_CONFIG_KEY_0', 'venice.test');
  vi.stubEnv('GIT_CONFIG_VALUE_0', 'kept');
  expect(await git(root, 'config', 'venice.test')).toBe('kept');
  vi.unstubAllEnvs();
});
