import { mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { readLine } from '../../src/lockfile/line.js';
import { foldAttempts } from '../../src/lockfile/merge.js';
import { createRng } from '../sim/random.js';
import { audioFiles, folder, run, start, startService, writeManifest } from './program.js';
import type { Service } from './service.js';

/** A service, a folder that all machines mount, and an empty machine with the manifest each time one is asked for. */
async function stage(tracks: number) {
  const service = await startService();
  const root = folder();
  const share = path.join(root, 'share');
  mkdirSync(share);
  let count = 0;
  const machine = () => {
    count += 1;
    const cwd = path.join(root, `machine-${count}`);
    mkdirSync(cwd);
    writeManifest(cwd, tracks);
    return cwd;
  };
  return { service, machine, share, state: ['--state', `file://${share}`] };
}

const words = (service: Service, state: readonly string[]) => [
  'run',
  'album.yaml',
  '--yes',
  ...service.flags,
  ...state,
];

it('gives a fresh checkout its files, and refuses to buy by the lockfile alone', async () => {
  const { service, machine, state } = await stage(2);
  const [one, two] = [machine(), machine()];
  const first = await run(words(service, state), one, service.env);
  expect(first.code, first.stderr).toBe(0);
  const alone = await run(words(service, []), one, service.env);
  expect(alone.code).toBe(9);
  expect(alone.stderr).toContain('error[state-needed]');
  expect(alone.stderr).toMatch(/venice-batch run album\.yaml --state file:\/\/\S+/);
  const pulled = await run(['pull', 'album.yaml', ...service.flags, ...state], two);
  expect(pulled.code, pulled.stderr).toBe(0);
  expect(audioFiles(two).sort()).toEqual(audioFiles(one).sort());
  unlinkSync(path.join(two, audioFiles(two)[0]!));
  // It looks, and fetches nothing.
  expect((await run([...words(service, state), '--frozen'], two, service.env)).code).toBe(100);
  const fetched = await run(words(service, state), two, service.env);
  expect(fetched.code, fetched.stderr).toBe(0);
  expect(audioFiles(two).sort()).toEqual(audioFiles(one).sort());
  expect(await service.charges()).toBe(2);
});

it('brings an older lockfile into the log, and says so', async () => {
  const { service, machine, state } = await stage(2);
  const cwd = machine();
  await run(words(service, []), cwd, service.env);
  const joined = await run(words(service, state), cwd, service.env);
  expect(joined.code, joined.stderr).toBe(0);
  expect(joined.stderr).toContain('2 attempts of the lockfile were added to the shared log');
  const other = machine();
  expect((await run(words(service, state), other, service.env)).code).toBe(0);
  expect(await service.charges()).toBe(2);
});

it('lets jobs that run at the same time share the work', async () => {
  const { service, machine, state } = await stage(6);
  const jobs = await Promise.all(
    [machine(), machine(), machine()].map((cwd) => run(words(service, state), cwd, service.env)),
  );
  for (const { code, stderr } of jobs) expect(code, stderr).toBe(0);
  expect(await service.charges()).toBe(6);
});

const POINTS = Number(process.env.LOST_MACHINES ?? 4);

it(`loses nothing with ${POINTS} machines`, async () => {
  const { service, machine, share, state } = await stage(4);
  const rng = createRng(Number(process.env.SEED ?? 1), 'lost machines');
  for (let point = 0; point < POINTS; point += 1) {
    const cwd = machine();
    const started = start([...words(service, state), '--progress', 'plain'], cwd, service.env);
    const seen = rng.pick([/Check/, /Quote/, /Generate/, /\] queued|\] stored/]);
    await Promise.race([started.seen(seen).catch(() => {}), started.ended]);
    await new Promise((done) => setTimeout(done, rng.below(400)));
    started.kill();
    await started.ended;
    rmSync(cwd, { recursive: true, force: true });
  }
  // The last machine collects at once what the lost ones bought, and buys the rest.
  const cwd = machine();
  const collected = await run(['collect', 'album.yaml', ...service.flags, ...state], cwd, service.env);
  expect([0, 8, 11, 100], collected.stderr).toContain(collected.code);
  const last = await run(words(service, state), cwd, service.env);
  const attempts = [...foldAttempts(recordsIn(share)).values()];
  const open = attempts.filter(({ state: word }) => word === 'intent' || word === 'in_doubt');
  const known = new Set(attempts.map(({ queue_id }) => queue_id));
  const jobs = queuedLines(service);
  expect(new Set(jobs.map(({ prompt }) => prompt)).size, last.stderr).toBe(jobs.length);
  const unknown = jobs.filter(({ id }) => !known.has(id));
  // A charge that the log does not know by its id may only be that of an intent whose machine was lost before the answer.
  expect(unknown.length).toBeLessThanOrEqual(open.length);
  expect(audioFiles(cwd)).toHaveLength(4 - open.length);
  expect(last.code, last.stderr).toBe(open.length === 0 ? 0 : 11);
}, 300_000);

/** Everything in the entries of a log. */
function recordsIn(share: string): readonly Attempt[] {
  return readdirSync(path.join(share, 'log')).flatMap((name) =>
    readFileSync(path.join(share, 'log', name), 'utf8')
      .split('\n')
      .map(readLine)
      .flatMap((line) => (line.kind === 'attempt' ? [line.attempt] : [])),
  );
}

function queuedLines({ ledger }: Service): readonly { id: string; prompt: string }[] {
  return readFileSync(path.join(ledger, 'ledger.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { type: string; id: string; prompt: string })
    .filter(({ type }) => type === 'queued');
}
