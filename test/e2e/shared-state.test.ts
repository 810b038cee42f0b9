import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { startPlace } from '../shared-log/places.js';
import { type MemoryS3, type MemoryS3Options, startMemoryS3 } from '../tools/memory-s3.js';
import { run } from './in-process.js';
import type { Env } from './launch.js';
import { afterTests, audioFiles, folder, lockLines, start, startService, writeManifest } from './program.js';
import { passOn, startRelay } from './relay.js';
import type { Service } from './service.js';

// Every append to the log is a few requests.
vi.setConfig({ testTimeout: 120_000 });

async function startS3(options?: MemoryS3Options): Promise<MemoryS3> {
  const server = await startMemoryS3(options);
  afterTests(() => void server.stop());
  return server;
}

const words = (service: Service, ...more: string[]) => [
  'run',
  'album.yaml',
  '--yes',
  ...service.flags,
  ...more,
];
const stateIn = ({ endpoint }: MemoryS3) => ['--state', `s3://bucket/album?endpoint=${endpoint}`];

it.each(['ExpiredToken', 'AccessDenied'])(
  'continues to collect but buys nothing more when a bucket answers %s during the run',
  async (code) => {
    const [service, server] = [await startService(4), await startS3()];
    const cwd = folder();
    writeManifest(cwd, 3);
    const env: Env = { ...service.env, ...server.environment };
    const args = words(service, ...stateIn(server), '--events', 'ndjson', '--concurrency', '1');
    const first = start(args, cwd, env);
    await first.seen(/"state":"queued"/);
    server.refuse(code);
    const ended = await first.ended;
    expect(ended.code, ended.stderr).toBe(4);
    expect(await service.charges()).toBe(1);
    expect(audioFiles(cwd)).toHaveLength(1);
    // Only on this disk: its remote copy stays until the bucket has it.
    expect(lockLines(cwd).map(({ state }) => state)).toContain('stored');
    expect(lockLines(cwd).map(({ state }) => state)).not.toContain('done');
    const collected = await run(['collect', 'album.yaml', ...service.flags, ...stateIn(server)], cwd, env);
    expect(collected.code, collected.stderr).toBe(4);
    server.refuse(undefined);
    const next = await run(words(service, ...stateIn(server)), cwd, env);
    expect(next.code, next.stderr).toBe(0);
    expect(await service.charges()).toBe(3);
    expect([...server.objects.keys()].filter((key) => key.includes('/audio/'))).toHaveLength(3);
    expect(lockLines(cwd).map(({ state }) => state)).toEqual(['done', 'done', 'done']);
  },
);

it.each([403, 404])('loses nothing and buys nothing while a proxy answers %i with a page', async (status) => {
  const [service, server] = [await startService(), await startS3()];
  const cwd = folder();
  writeManifest(cwd, 1);
  const env: Env = { ...service.env, ...server.environment };
  const detached = await run(words(service, ...stateIn(server), '--detach'), cwd, env);
  expect(detached.code, detached.stderr).toBe(11);
  writeManifest(cwd, 2);
  server.refuse(status);
  const refused = await run(words(service, ...stateIn(server)), cwd, env);
  expect(refused.stderr).toContain(`HTTP ${status}, not from S3`);
  expect([refused.code === 0, await service.charges()]).toEqual([false, 1]);
  expect(lockLines(cwd).map(({ state }) => state)).not.toContain('lost');
  server.refuse(undefined);
  const next = await run(words(service, ...stateIn(server)), cwd, env);
  expect(next.code, next.stderr).toBe(0);
  expect(await service.charges()).toBe(2);
});

/** The program's clock runs ten times as fast: half a minute of it takes three seconds. */
const FAST: Env = {
  NODE_OPTIONS: `--import ${fileURLToPath(new URL('fast-clock.js', import.meta.url))}`,
  FAST_CLOCK: `${Date.now()}x10`,
};

it('ends after Ctrl-C although the audio store is silent, and the next run uploads what it stored', async () => {
  const [service, server] = [await startService(), await startS3()];
  const cwd = folder();
  writeManifest(cwd, 2);
  const env: Env = { ...service.env, ...server.environment };
  const hung = server.hangAudio();
  const args = words(service, ...stateIn(server));
  const first = start(args, cwd, { ...env, ...FAST });
  await hung;
  first.child.kill('SIGINT');
  const ended = await first.ended;
  expect(ended.code, ended.stderr).toBe(130);
  expect(ended.stderr).toContain('this run no longer waits for it');
  // Only on this disk: the remote copies stay until the bucket has them.
  expect(lockLines(cwd).map(({ state }) => state)).not.toContain('done');
  server.answerAudio();
  const next = await run(args, cwd, env);
  expect(next.code, next.stderr).toBe(0);
  expect(await service.charges()).toBe(2);
  expect([...server.objects.keys()].filter((key) => key.includes('/audio/'))).toHaveLength(2);
  expect(lockLines(cwd).map(({ state }) => state)).toEqual(['done', 'done']);
});

it('collects what is paid for without any credentials', async () => {
  const [service, server] = [await startService(4), await startS3()];
  const cwd = folder();
  writeManifest(cwd, 1);
  const detached = await run(words(service, ...stateIn(server), '--detach'), cwd, {
    ...service.env,
    ...server.environment,
  });
  expect(detached.code, detached.stderr).toBe(11);
  const collect = ['collect', 'album.yaml', ...service.flags, ...stateIn(server)];
  const collected = await run(collect, cwd, service.env);
  expect(collected.code, collected.stderr).toBe(4);
  expect(collected.stderr).toContain('AWS_ACCESS_KEY_ID is not set');
  expect(audioFiles(cwd)).toHaveLength(1);
});

it('buys nothing through a store that lets two writers win', async () => {
  const [service, server] = [await startService(), await startS3({ careless: true })];
  const cwd = folder();
  writeManifest(cwd, 1);
  const ended = await run(words(service, ...stateIn(server)), cwd, { ...service.env, ...server.environment });
  expect(ended.code).toBe(9);
  expect(ended.stderr).toContain('error[state-unsafe]');
  expect(await service.charges()).toBe(0);
});

it('warns about a lifecycle rule that would delete the log', async () => {
  const lifecycle =
    '<LifecycleConfiguration><Rule><ID>tidy</ID><Filter/><Status>Enabled</Status><Expiration><Days>7</Days></Expiration></Rule></LifecycleConfiguration>';
  const [service, server] = [await startService(), await startS3({ lifecycle })];
  const cwd = folder();
  writeManifest(cwd, 1);
  const ended = await run(words(service, ...stateIn(server)), cwd, { ...service.env, ...server.environment });
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).toContain('the life-cycle rule "tidy" of the bucket deletes or archives objects');
});

it('buys nothing if VENICE_BATCH_STATE is empty, as it is in CI if its variable is missing', async () => {
  const service = await startService();
  const cwd = folder();
  writeManifest(cwd, 1);
  const env = { ...service.env, VENICE_BATCH_STATE: '' };
  const refused = await run(words(service), cwd, env);
  expect([refused.code, await service.charges()]).toEqual([2, 0]);
  expect(refused.stderr).toContain('VENICE_BATCH_STATE is set, but empty');
  const named = await run(['status', 'album.yaml', ...service.flags, '--state', `file://${cwd}`], cwd, env);
  expect(named.code, named.stderr).toBe(0);
});

it('prefers the log of the flag to that of the environment, and that to the log of the manifest', async () => {
  const service = await startService();
  const shares = ['manifest', 'environment', 'flag'].map((name) => {
    const share = path.join(folder(), name);
    mkdirSync(share);
    return share;
  });
  const [inManifest, inEnvironment, byFlag] = shares.map((share) => `file://${share}`);
  const album = () => {
    const cwd = folder();
    writeManifest(cwd, 1, `state: ${inManifest}\n`);
    return cwd;
  };
  const variable = { ...service.env, VENICE_BATCH_STATE: inEnvironment! };
  const used = () => shares.map((share) => readdirSync(share).includes('log'));
  const first = await run(words(service), album(), service.env);
  expect(first.code, first.stderr).toBe(0);
  expect(used()).toEqual([true, false, false]);
  expect((await run(words(service), album(), variable)).code).toBe(0);
  expect(used()).toEqual([true, true, false]);
  const cwd = album();
  expect((await run(words(service, '--state', byFlag!), cwd, variable)).code).toBe(0);
  expect(used()).toEqual([true, true, true]);
  // The lockfile belongs to one log: another one is refused.
  const other = await run(words(service), cwd, variable);
  expect(other.code).toBe(9);
  expect(other.stderr).toContain('error[state-other]');
  // The same log on another machine: nothing is bought.
  const charges = await service.charges();
  expect((await run(words(service), album(), service.env)).code).toBe(0);
  expect(await service.charges()).toBe(charges);
});

it('never buys again what the service may still have after a machine is lost', async () => {
  const [service, place] = [await startService(), await startPlace('git')];
  afterTests(() => void place.stop());
  const relay = await startRelay(service.url);
  const [lost, next] = [place.machine(), place.machine()];
  for (const cwd of [lost, next]) writeManifest(cwd, 3);
  const args = ['run', 'album.yaml', '--yes', '--base-url', relay.url, '--state', place.address()];
  const env: Env = { ...service.env, ...place.environment };
  const first = await run(args, lost, env);
  expect(first.code, first.stderr).toBe(0);
  relay.treat = (passing) => {
    if (passing.path !== '/audio/retrieve') return passOn(passing);
    passing.answer({ status: 401, headers: {}, body: '{"error":"try later"}' });
  };
  const refused = await run([...args, '--retry-failed'], next, env);
  expect(refused.stderr).toMatch(/could not download .* and 2 more from the service/);
  expect([audioFiles(next).length, await service.charges()]).toEqual([0, 3]);
  const [busy] = lockLines(lost).map(({ queue_id }) => queue_id as string);
  relay.treat = (passing) => {
    if (passing.path !== '/audio/retrieve' || !passing.body.includes(busy!)) return passOn(passing);
    const body = '{"status":"PROCESSING","average_execution_time":20000,"execution_duration":1000}';
    passing.answer({ status: 200, headers: { 'content-type': 'application/json' }, body });
  };
  const partly = await run([...args, '--retry-failed'], next, env);
  expect(partly.stderr).toMatch(/could not download \S+ from the service: it is being made again/);
  expect([audioFiles(next).length, await service.charges()]).toEqual([2, 3]);
  relay.treat = (passing) => {
    if (passing.path !== '/audio/retrieve') return passOn(passing);
    passing.answer({ status: 200, headers: { 'content-type': 'image/png' }, body: '\x89PNG\r\n\x1a\n\0\0' });
  };
  const junk = await run([...args, '--retry-failed'], next, env);
  expect(junk.stderr).toMatch(/could not download \S+ from the service: .* cannot be used \(not_audio\)/);
  expect([audioFiles(next).length, await service.charges()]).toEqual([2, 3]);
  let dropped = 0;
  relay.treat = (passing) => {
    if (passing.path !== '/audio/retrieve' || dropped > 0) return passOn(passing);
    dropped += 1;
    passing.response.destroy();
  };
  const again = await run([...args, '--retry-failed'], next, env);
  expect(again.code, again.stderr).toBe(0);
  expect(again.stderr).toContain('downloaded 1 missing file from the service again, at no cost');
  expect([dropped, audioFiles(next).length, await service.charges()]).toEqual([1, 3, 3]);
});

it('names the command that downloads what another machine stored, wherever a file is missing', async () => {
  const [service, place] = [await startService(), await startPlace('git')];
  afterTests(() => void place.stop());
  const [one, other] = [place.machine(), place.machine()];
  for (const cwd of [one, other]) writeManifest(cwd, 2);
  const address = place.address();
  const flags = [...service.flags, '--state', address];
  const env: Env = { ...service.env, ...place.environment };
  const on = (cwd: string, ...args: string[]) =>
    run([args[0]!, 'album.yaml', ...args.slice(1), ...flags], cwd, env);
  expect((await on(one, 'run', '--yes')).code).toBe(0);
  const next = `venice-batch collect album.yaml ${service.flags.join(' ')} --state '${address}'`;
  for (const words of [['status'], ['verify'], ['plan'], ['run', '--frozen'], ['release', '--to', 'x']]) {
    const { stdout, stderr } = await on(other, ...words);
    expect(stdout + stderr, words[0]).toContain(next);
    expect(stdout + stderr, words[0]).not.toContain('--out-dir');
  }
  const alone = await on(other, 'status', '--allow-single-copy');
  expect(alone.stdout).not.toContain('collect');
  const collected = await on(other, 'collect');
  expect(collected.stderr).toContain('downloaded 2 missing files');
  expect([audioFiles(other).length, await service.charges()]).toEqual([2, 2]);
});

it('says that a key is needed to download what the service may still have', async () => {
  const [service, place] = [await startService(), await startPlace('git')];
  afterTests(() => void place.stop());
  const [one, other] = [place.machine(), place.machine()];
  for (const cwd of [one, other]) writeManifest(cwd, 1);
  const flags = [...service.flags, '--state', place.address()];
  const env: Env = { ...service.env, ...place.environment };
  expect((await run(['run', 'album.yaml', '--yes', ...flags], one, env)).code).toBe(0);
  const { stderr, code } = await run(['collect', 'album.yaml', ...flags], other, place.environment);
  expect([code, audioFiles(other)]).toEqual([100, []]);
  expect(stderr).toContain('the service may still have 1 missing file, but VENICE_API_KEY is not set');
});

it('ends well on every machine of overlapping runs without an audio store: each downloads what the others made', async () => {
  const [service, place] = [await startService(), await startPlace('git')];
  afterTests(() => void place.stop());
  const machines = [place.machine(), place.machine(), place.machine()];
  for (const cwd of machines) writeManifest(cwd, 4);
  const args = words(service, '--state', place.address());
  const env: Env = { ...service.env, ...place.environment };
  const ended = await Promise.all(machines.map((cwd) => run(args, cwd, env)));
  for (const { code, stderr } of ended) expect(code, stderr).toBe(0);
  expect(machines.map((cwd) => audioFiles(cwd).length)).toEqual([4, 4, 4]);
  expect(await service.charges()).toBe(4);
});

it('does not suggest buying what is on another machine, and asks the service for it only once', async () => {
  const [service, place] = [await startService(), await startPlace('git')];
  afterTests(() => void place.stop());
  const relay = await startRelay(service.url);
  const [one, other] = [place.machine(), place.machine()];
  const args = ['run', 'album.yaml', '--yes', '--base-url', relay.url, '--state', place.address()];
  const env: Env = { ...service.env, ...place.environment };
  for (const [cwd, count] of [
    [one, 1],
    [other, 1],
    [one, 2],
  ] as const) {
    writeManifest(cwd, count);
    expect((await run(args, cwd, env)).code).toBe(0);
  }
  writeManifest(other, 2);
  let asked = 0;
  relay.treat = (passing) => {
    if (passing.path !== '/audio/retrieve') return passOn(passing);
    asked += 1;
    passing.answer({ status: 404, headers: {}, body: '{"error":"Request ID is invalid."}' });
  };
  const ended = await run([...args, '--json'], other, env);
  const { summary } = JSON.parse(ended.stdout) as { summary: { next_command: unknown } };
  expect([ended.code, summary.next_command, asked], ended.stdout).toEqual([100, null, 1]);
  const pulled = await run(['pull', ...args.slice(1, 2), ...args.slice(3)], other, env);
  expect(pulled.stderr).toContain('venice-batch collect album.yaml');
  expect(pulled.stderr).not.toContain('s3://');
});
