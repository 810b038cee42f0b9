import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import * as library from '../../src/index.js';
import { withVersion } from '../../src/lockfile/lock-header.js';
import { serialiseLock } from '../../src/lockfile/lock-text.js';
import { startMemoryS3 } from '../tools/memory-s3.js';
import { run } from './in-process.js';
import type { Env } from './launch.js';
import { afterTests, folder, startService, writeManifest } from './program.js';

// Each starts several runs.
vi.setConfig({ testTimeout: 120_000 });

interface Stage {
  readonly flags: readonly string[];
  readonly env: Env;
  /** Makes the log unreadable, for commands with this environment. */
  block(): Env;
}

type Service = Awaited<ReturnType<typeof startService>>;

const STORES: Readonly<Record<string, (service: Service) => Promise<Stage>>> = {
  'whose folder is not mounted': async (service) => {
    const share = path.join(folder(), 'share');
    mkdirSync(share);
    const block = () => {
      renameSync(share, `${share}-gone`);
      return service.env;
    };
    return { flags: [...service.flags, '--state', `file://${share}`], env: service.env, block };
  },
  'without credentials': async (service) => {
    const server = await startMemoryS3();
    afterTests(() => void server.stop());
    const state = `s3://bucket/album?endpoint=${server.endpoint}`;
    const env = { ...service.env, ...server.environment };
    return { flags: [...service.flags, '--state', state], env, block: () => service.env };
  },
  'whose entry is damaged': async (service) => {
    const share = path.join(folder(), 'share');
    mkdirSync(share);
    const block = () => {
      const entry = path.join(share, 'log', '00000001.jsonl');
      writeFileSync(entry, readFileSync(entry, 'utf8').replace('"intent"', '"\0ntent"'));
      return service.env;
    };
    return { flags: [...service.flags, '--state', `file://${share}`], env: service.env, block };
  },
};

const ASKING: readonly (readonly string[])[] = [
  ['verify'],
  ['resolve'],
  ['plan', '--detailed-exitcode'],
  ['run', '--frozen'],
  ['release', '--to', 'x'],
  ['pick', 'track-0', '1'],
  ['tidy', '--dry-run'],
];

it.each([
  { what: 'whose folder is not mounted', exit: 12, code: 'state-missing' },
  { what: 'without credentials', exit: 4, code: 'state-credentials' },
  { what: 'whose entry is damaged', exit: 9, code: 'state-altered' },
])('a log $what is not an empty one where there is no lockfile', async ({ what, exit, code }) => {
  const service = await startService();
  const { flags, env, block } = await STORES[what]!(service);
  const [one, fresh] = [folder(), folder()];
  for (const cwd of [one, fresh]) writeManifest(cwd, 2);
  const on = (cwd: string, [verb = '', ...words]: readonly string[], having: Env) =>
    run([verb, 'album.yaml', ...words, ...flags], cwd, having);
  expect((await on(one, ['run', '--yes'], env)).code).toBe(0);
  const blocked = block();
  for (const words of ASKING) {
    const asked = await on(fresh, words, blocked);
    expect(asked.code, `${words.join(' ')}: ${asked.stdout}${asked.stderr}`).toBe(exit);
    expect(asked.stderr.split(code), words[0]).toHaveLength(2);
    expect(asked.stdout, words[0]).not.toMatch(/Nothing|To buy/);
  }
  const shown = await on(fresh, ['status'], blocked);
  expect(shown.stdout).not.toContain('Nothing has been bought');
  for (const cwd of [one, fresh]) {
    const { stdout } = await on(cwd, ['status', '--json'], blocked);
    const { warnings, not_bought } = JSON.parse(stdout) as Record<string, readonly { code: string }[]>;
    expect([warnings?.map((one) => one.code), not_bought]).toEqual([[code], []]);
  }
});

it('what a library call could not read is in its report, or an error if there is no lockfile', async () => {
  const service = await startService();
  const { flags, env, block } = await STORES['whose folder is not mounted']!(service);
  const [one, fresh] = [folder(), folder()].map((cwd) => path.join(cwd, writeManifest(cwd, 1)));
  const options = { baseUrl: service.url, apiKey: service.env.VENICE_API_KEY, state: flags.at(-1) };
  const made = await run(['run', 'album.yaml', '--yes', ...flags], path.dirname(one!), env);
  expect(made.code, made.stderr).toBe(0);
  block();
  for (const ask of [library.status, library.verify, library.plan] as const) {
    const known = await ask({ ...options, manifest: one! });
    expect(known.warnings?.map(({ code }) => code)).toEqual(['state-missing']);
    await expect(ask({ ...options, manifest: fresh! })).rejects.toMatchObject({ code: 'state-missing' });
  }
});

it('a lockfile without records that names a log does not say that nothing was bought', async () => {
  const service = await startService();
  const cwd = folder();
  writeManifest(cwd, 1);
  const header = withVersion({
    format: 'venice-batch-lock',
    endpoint: service.url,
    lineage: 'a'.repeat(32),
    log: 'file:///srv/share',
  });
  writeFileSync(path.join(cwd, 'album.lock.jsonl'), serialiseLock(header, []));
  const verified = await run(['verify', 'album.yaml', ...service.flags], cwd, service.env);
  expect([verified.code, verified.stdout]).toEqual([9, '']);
  expect(verified.stderr).toContain('state-needed');
  const shown = await run(['status', 'album.yaml', ...service.flags], cwd, service.env);
  expect(shown.stdout).toContain('What has been bought is not known');
});

it('does not suggest buying what the audio store has but cannot be downloaded', async () => {
  const service = await startService();
  const share = path.join(folder(), 'share');
  mkdirSync(share);
  const [one, other] = [folder(), folder()];
  for (const cwd of [one, other]) writeManifest(cwd, 2);
  const words = ['run', 'album.yaml', '--yes', ...service.flags, '--state', `file://${share}`];
  expect((await run(words, one, service.env)).code).toBe(0);
  const audio = path.join(share, 'audio', 'sha256');
  const [first = ''] = readdirSync(audio, { recursive: true, encoding: 'utf8' }).filter(
    (name) => path.basename(name).length === 64,
  );
  chmodSync(path.join(audio, first), 0o600);
  writeFileSync(path.join(audio, first), 'damaged');
  const ended = await run(words, other, service.env);
  expect(ended.code).toBe(100);
  expect(ended.stderr).toContain('was damaged or replaced in the store');
  expect(ended.stdout + ended.stderr).toContain('venice-batch collect album.yaml');
  expect(ended.stdout + ended.stderr).not.toContain('--retry-failed');

  for (const words of [['run', '--frozen'], ['verify']]) {
    const [verb = '', ...flags] = words;
    const args = [verb, 'album.yaml', ...flags, ...service.flags, '--state', `file://${share}`];
    const shown = await run(args, other, service.env);
    expect(shown.stdout + shown.stderr).toContain('venice-batch collect album.yaml');
    expect(shown.stdout + shown.stderr).not.toContain('--retry-failed');
  }

  // As the warning says.
  rmSync(path.join(audio, first));
  expect((await run(words, one, service.env)).code).toBe(0);
  expect((await run(words, other, service.env)).code).toBe(0);
  expect(await service.charges()).toBe(2);
});
