import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import * as library from '../../src/index.js';
import { run as runHere } from './in-process.js';
import { audioFiles, folder, runProcess as run, start, startService, writeManifest } from './program.js';
import type { Service } from './service.js';

// Each starts several runs.
vi.setConfig({ testTimeout: 120_000 });

/** A service, a folder mounted by all machines, and on request an empty machine with the manifest. */
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

it('downloads the files of a shared batch to a fresh checkout, and refuses to buy without its log', async () => {
  const { service, machine, state } = await stage(2);
  const [one, two] = [machine(), machine()];
  const first = await runHere(words(service, state), one, service.env);
  expect(first.code, first.stderr).toBe(0);
  const alone = await runHere(words(service, []), one, service.env);
  expect(alone.code).toBe(9);
  expect(alone.stderr).toContain('error[state-needed]');
  expect(alone.stderr).toMatch(/venice-batch run album\.yaml --yes .*--state file:\/\/\S+/);
  const pulled = await runHere(['pull', 'album.yaml', ...service.flags, ...state], two);
  expect(pulled.code, pulled.stderr).toBe(0);
  expect(audioFiles(two).sort()).toEqual(audioFiles(one).sort());
  const three = machine();
  const picked = await runHere(['pick', 'album.yaml', 'track-1#1', ...service.flags, ...state], three);
  expect(picked.code, picked.stderr).toBe(0);
  const reported = await runHere(
    ['report', 'album.yaml', '--out', 'report.html', ...service.flags, ...state],
    three,
  );
  expect(reported.stdout).toContain('2 tracks, 2 files');
  expect(audioFiles(three).sort()).toEqual(audioFiles(one).sort());
  // Read-only commands also download files that are missing here.
  for (const verb of [['run', '--frozen'], ['verify'], ['release', '--to', 'release', '--first']]) {
    const [name = '', ...flags] = verb;
    unlinkSync(path.join(two, audioFiles(two).find((file) => file.startsWith('out/'))!));
    const looked = await runHere([name, 'album.yaml', ...flags, ...service.flags, ...state], two);
    expect(looked.code, looked.stderr).toBe(0);
    expect(looked.stderr).toContain('downloaded 1 file stored by other machines');
  }
  const changed = path.join(two, audioFiles(two).find((file) => file.startsWith('out/'))!);
  writeFileSync(changed, 'edited');
  expect((await runHere(['pull', 'album.yaml', ...service.flags, ...state], two)).code).toBe(100);
  expect(readFileSync(changed, 'utf8')).toBe('edited');
  const verified = await runHere(['verify', 'album.yaml', ...service.flags, ...state], two);
  expect(verified.code).toBe(100);
  expect(verified.stdout).toMatch(
    /move the changed files away, and download the originals, at no cost: venice-batch pull album\.yaml /,
  );
  unlinkSync(changed);
  const fetched = await runHere(words(service, state), two, service.env);
  expect(fetched.code, fetched.stderr).toBe(0);
  expect(audioFiles(path.join(two, 'out')).sort()).toEqual(audioFiles(path.join(one, 'out')).sort());
  expect(await service.charges()).toBe(2);
});

it('suggests a command that works as typed where only the lockfile names the log', async () => {
  const { service, machine, state } = await stage(1);
  const one = machine();
  const detached = await runHere([...words(service, state), '--detach'], one, service.env);
  expect(detached.code, detached.stderr).toBe(11);
  const shown = await runHere(['status', 'album.yaml', ...service.flags], one);
  const next = /Next: venice-batch (collect .*)/.exec(shown.stdout)?.[1] ?? '';
  expect(next).toContain(state.join(' '));
  const collected = await runHere(next.split(' '), one, service.env);
  expect(collected.code, collected.stderr).toBe(0);
  const file = audioFiles(one).find((name) => name.startsWith('out/'))!;
  writeFileSync(path.join(one, file), 'edited');
  const verified = await runHere(['verify', 'album.yaml', ...service.flags], one);
  expect(verified.stdout).toMatch(new RegExp(`Next: .*: venice-batch run album\\.yaml .*${state.join(' ')}`));
  const plan = ['plan', 'album.yaml', '--force', '*', '--out', 'plan.json', ...service.flags];
  const saved = await runHere(plan, one, service.env);
  expect(saved.stderr).toMatch(new RegExp(`venice-batch run album\\.yaml --plan .*${state.join(' ')}`));
});

it('creates no folder under --frozen for audio that the store lacks', async () => {
  const { service, machine, share, state } = await stage(1);
  const cwd = machine();
  expect((await runHere(words(service, state), cwd, service.env)).code).toBe(0);
  rmSync(path.join(cwd, 'out'), { recursive: true });
  rmSync(path.join(share, 'audio'), { recursive: true });
  const before = readdirSync(cwd);
  const frozen = await runHere(['run', 'album.yaml', '--frozen', ...service.flags, ...state], cwd);
  expect(frozen.code, frozen.stderr).toBe(100);
  expect(readdirSync(cwd)).toEqual(before);
});

it('reports a file that the audio store lacks once, and only if a take needs it here', async () => {
  const { service, machine, share, state } = await stage(3);
  const [one, two] = [machine(), machine()];
  expect((await runHere(words(service, state), one, service.env)).code).toBe(0);
  rmSync(path.join(share, 'audio'), { recursive: true });
  const pull = ['pull', 'album.yaml', ...service.flags, ...state];
  // The last track was removed, and the second one is kept elsewhere.
  writeManifest(two, 2);
  const edit = (from: string, to: string) => {
    const file = path.join(two, 'album.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
  };
  edit('id: track-1,', 'id: track-1, audio: elsewhere,');
  const ran = await runHere(words(service, state), two, service.env);
  expect(ran.code, ran.stderr).toBe(100);
  expect(ran.stderr.match(/not in the audio store/g)).toHaveLength(1);
  expect(ran.stderr).toMatch(/could not download \S*track-0\S*: it is not in the audio store$/m);
  const lacking = await runHere(pull, two);
  expect(lacking.code).toBe(100);
  expect(lacking.stderr).toMatch(/track-0\.\w+ could not be downloaded: it is not in the audio store/);
  expect(lacking.stderr).toContain('2 files that no take needs here are not in the audio store');
  edit('id: track-0,', 'id: track-0, audio: elsewhere,');
  for (const args of [words(service, state), pull, ['verify', ...pull.slice(1)]]) {
    const ended = await runHere(args, two, service.env);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).not.toContain('could not');
  }
  expect(await service.charges()).toBe(3);
});

it('does not stop every machine for a damaged line of one copy whose job is in the log', async () => {
  const { service, machine, share, state } = await stage(2);
  const [one, two] = [machine(), machine()];
  expect((await runHere(words(service, state), one, service.env)).code).toBe(0);
  const [from, lockfile] = [one, two].map((cwd) => path.join(cwd, 'album.lock.jsonl'));
  writeFileSync(lockfile!, readFileSync(from!, 'utf8').replace(/"attempt":"[^"]+"/, '"attempt":"\0\0"'));
  const before = readdirSync(path.join(share, 'log'));
  const repaired = await runHere(['lock', 'repair', 'album.yaml', ...service.flags], two);
  expect(repaired.code, repaired.stderr).toBe(0);
  expect(repaired.stdout).toContain('is in doubt');
  expect(repaired.stdout).toMatch(new RegExp(`^Next: venice-batch resolve .*--state file://${share} `, 'm'));
  const listed = await runHere(['resolve', 'album.yaml', ...service.flags, ...state], two, service.env);
  expect([listed.code, listed.stdout]).toEqual([0, 'Nothing is in doubt.\n']);
  const ran = await runHere(words(service, state), two, service.env);
  expect(ran.code, ran.stderr).toBe(0);
  expect(readdirSync(path.join(share, 'log'))).toEqual(before);
  expect(readFileSync(lockfile!, 'utf8')).not.toContain('in_doubt');
  writeManifest(one, 3);
  expect((await runHere(words(service, state), one, service.env)).code).toBe(0);
  expect(await service.charges()).toBe(3);
});

it('uses another log once the user has joined the lockfile with a copy of it, on every machine that used the old one', async () => {
  const { service, machine, share, state } = await stage(2);
  const [one, two] = [machine(), machine()];
  for (const cwd of [one, two]) expect((await runHere(words(service, state), cwd, service.env)).code).toBe(0);
  const moved = path.join(share, '../moved');
  renameSync(share, moved);
  const there = ['--state', `file://${moved}`];
  const refused = await runHere(words(service, there), one, service.env);
  expect([refused.code, refused.stderr]).toEqual([
    9,
    expect.stringContaining('venice-batch explain state-other'),
  ]);
  const made = [...service.flags, ...there, '--lockfile', 'moved.lock.jsonl'];
  expect((await runHere(['collect', 'album.yaml', ...made], one, service.env)).code).toBe(0);
  const merge = ['lock', 'merge', 'album.lock.jsonl', 'moved.lock.jsonl', ...there];
  expect((await runHere(merge, one)).code).toBe(0);
  for (const cwd of [one, two]) {
    writeFileSync(path.join(cwd, 'album.lock.jsonl'), readFileSync(path.join(one, 'album.lock.jsonl')));
    writeManifest(cwd, 3);
  }
  const third = await runHere(words(service, there), one, service.env);
  expect(third.code, third.stderr).toBe(0);
  // Its last run used the old address.
  const asked = await runHere(words(service, there), two, service.env);
  expect([asked.code, asked.stderr]).toEqual([9, expect.stringContaining('error[lockfile-two-logs]')]);
  const [, command = ''] = /venice-batch (lock merge [^;]*)/.exec(asked.stderr.replaceAll(/\s+/g, ' ')) ?? [];
  expect((await runHere(command.split(' '), two)).code).toBe(0);
  const again = await runHere(words(service, there), two, service.env);
  expect(again.code, again.stderr).toBe(0);
  expect(await service.charges()).toBe(3);
  const kept = readdirSync(path.join(two, '.venice-batch')).filter((name) => name.endsWith('.of-former-log'));
  expect(kept).toHaveLength(1);
});

it('buys nothing after the log was deleted', async () => {
  const { service, machine, share, state } = await stage(2);
  const cwd = machine();
  expect((await run(words(service, state), cwd, service.env)).code).toBe(0);
  rmSync(path.join(share, 'log'), { recursive: true });
  writeManifest(cwd, 3);
  const after = await run(words(service, state), cwd, service.env);
  expect(after.code, after.stderr).toBe(9);
  expect(after.stderr).toContain('error[state-altered]');
  expect(await service.charges()).toBe(2);
  const collected = await run(['collect', 'album.yaml', ...service.flags, ...state], cwd, service.env);
  expect(collected.stderr).toContain('entry 0 is missing');
  expect(collected.code, collected.stderr).toBe(0);
});

it('buys nothing after the newest entries were deleted, and writes nothing in their place', async () => {
  const { service, machine, share, state } = await stage(2);
  const cwd = machine();
  expect((await run(words(service, state), cwd, service.env)).code).toBe(0);
  const log = path.join(share, 'log');
  const [first = '', ...rest] = readdirSync(log).sort();
  const entries = new Map(rest.map((name) => [name, readFileSync(path.join(log, name))]));
  for (const name of rest) unlinkSync(path.join(log, name));
  // As in another clone: only the lockfile shows what is missing.
  rmSync(path.join(cwd, '.venice-batch', 'album.lock.jsonl.entries'));
  writeManifest(cwd, 3);
  for (const verb of ['status', 'plan']) {
    const looked = await run([verb, 'album.yaml', ...service.flags, ...state], cwd, service.env);
    expect(looked.stderr).toContain('no longer has 2 attempts');
  }
  const after = await run(words(service, state), cwd, service.env);
  expect(after.code, after.stderr).toBe(9);
  expect(after.stderr).toContain('error[state-altered]');
  expect(after.stderr).toContain('no longer has 2 attempts that the lockfile copied from it (track-');
  expect(readdirSync(log)).toEqual([first]);
  expect(await service.charges()).toBe(2);
  for (const [name, bytes] of entries) writeFileSync(path.join(log, name), bytes);
  const restored = await run(words(service, state), cwd, service.env);
  expect(restored.code, restored.stderr).toBe(0);
  expect(await service.charges()).toBe(3);
});

it('buys nothing if the log lacks an entry that this machine wrote itself', async () => {
  const { service, machine, share, state } = await stage(2);
  const cwd = machine();
  expect((await run(words(service, state), cwd, service.env)).code).toBe(0);
  const log = path.join(share, 'log');
  const names = readdirSync(log).filter((name) => name.endsWith('.jsonl'));
  const seen = path.join(cwd, '.venice-batch', 'album.lock.jsonl.entries');
  expect(JSON.parse(readFileSync(seen, 'utf8'))).toMatchObject({ entries: names.length });
  unlinkSync(path.join(log, names.sort().at(-1)!));
  writeManifest(cwd, 3);
  const after = await run(words(service, state), cwd, service.env);
  expect([after.code, after.stderr]).toEqual([
    9,
    expect.stringContaining('is missing, though it was written'),
  ]);
  expect(await service.charges()).toBe(2);
});

it.each([
  [
    'an entry is missing',
    'entry 1 is missing',
    (log: string) => unlinkSync(path.join(log, '00000001.jsonl')),
  ],
  [
    'an entry is damaged',
    'entry 1 is damaged',
    (log: string) => writeFileSync(path.join(log, '00000001.jsonl'), ''),
  ],
  [
    'something else is in the place of an entry',
    'did not write what is in log/00000001.jsonl',
    (log: string) => writeFileSync(path.join(log, '00000001.jsonl'), 'x'),
  ],
  [
    'a checkpoint is ahead of the entries',
    'is missing',
    (log: string) => writeFileSync(path.join(log, '00000099.jsonl.checkpoint'), 'x'),
  ],
])('says that %s, even if there is nothing to buy', async (_, said, harm) => {
  const { service, machine, share, state } = await stage(1);
  const cwd = machine();
  expect((await runHere(words(service, state), cwd, service.env)).code).toBe(0);
  harm(path.join(share, 'log'));
  for (const verb of ['run', 'collect', 'pull']) {
    const ended = await runHere(
      [verb, ...words(service, state).slice(1)].filter(isOf(verb)),
      cwd,
      service.env,
    );
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr.split(said), ended.stderr).toHaveLength(2);
  }
  writeManifest(cwd, 2);
  const refused = await runHere(words(service, state), cwd, service.env);
  expect(refused.code, refused.stderr).toBe(9);
  expect(await service.charges()).toBe(1);
});

const isOf = (verb: string) => (word: string) => verb === 'run' || word !== '--yes';

it('buys nothing after entries were deleted that hold no attempt of their own', async () => {
  const { service, machine, share, state } = await stage(1);
  const cwd = machine();
  for (const again of [1, 2])
    expect((await runHere(words(service, state), cwd, service.env)).code, `run ${again}`).toBe(0);
  const log = path.join(share, 'log');
  const before = readdirSync(log).sort();
  const newest = path.join(log, before.pop()!);
  const bytes = readFileSync(newest);
  unlinkSync(newest);
  writeManifest(cwd, 2);
  const planned = await runHere(['plan', 'album.yaml', ...service.flags, ...state], cwd, service.env);
  expect(planned.stderr).toContain('is missing, though it was written');
  const refused = await runHere(words(service, state), cwd, service.env);
  expect(refused.code, refused.stderr).toBe(9);
  expect(refused.stderr).toContain('error[state-altered]');
  expect([readdirSync(log).sort(), await service.charges()]).toEqual([before, 1]);
  writeFileSync(newest, bytes);
  const restored = await runHere(words(service, state), cwd, service.env);
  expect(restored.code, restored.stderr).toBe(0);
  expect(await service.charges()).toBe(2);
});

it('is used by programs as by the command, wherever it is named', async () => {
  const { service, machine, share, state } = await stage(2);
  const one = machine();
  expect((await runHere(words(service, state), one, service.env)).code).toBe(0);
  const options = { baseUrl: service.url, apiKey: service.env.VENICE_API_KEY, budgetUsd: 5 };
  const inManifest = machine();
  writeManifest(inManifest, 2, `state: file://${share}\n`);
  const inEnvironment = machine();
  for (const cwd of [inManifest, inEnvironment]) {
    if (cwd === inEnvironment) vi.stubEnv('VENICE_BATCH_STATE', `file://${share}`);
    const manifest = path.join(cwd, 'album.yaml');
    const { takes } = await library.status({ ...options, manifest });
    expect(takes.map((take) => take.state)).toEqual(['done', 'done']);
    const report = await library.run({ ...options, manifest, approve: () => true });
    expect([report.exitCode, report.summary.done]).toEqual([0, 2]);
    unlinkSync(path.join(cwd, audioFiles(cwd)[0]!));
    expect((await library.verify({ ...options, manifest })).ok).toBe(true);
    vi.unstubAllEnvs();
  }
  expect(await service.charges()).toBe(2);
});

it('warns of an address that another manifest uses, and buys nothing there unattended, but not of one that grew or lost tracks', async () => {
  const { service, machine, state } = await stage(2);
  const one = machine();
  expect((await runHere(words(service, state), one, service.env)).code).toBe(0);
  const other = machine();
  const file = path.join(other, 'album.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('track-', 'jingle-'));
  const looks = [['status'], ['plan'], ['run', '--frozen'], ['run', '--only', 'none-*'], ['pull']];
  for (const [verb = '', ...flags] of looks) {
    const args = [verb, 'album.yaml', ...flags, ...service.flags, ...state];
    const { stderr } = await runHere(args, other, service.env);
    expect(stderr.split('no track of the shared log (track-0, track-1) is in this manifest')).toHaveLength(2);
    rmSync(path.join(other, 'album.lock.jsonl'), { force: true });
    rmSync(path.join(other, '.venice-batch'), { force: true, recursive: true });
  }
  // Nobody would see the warning before money is spent. The next run must still be able to tell.
  for (const _ of [1, 2]) {
    const unattended = await runHere(words(service, state), other, service.env);
    expect(unattended.code).toBe(9);
    expect(unattended.stderr).toContain('error[state-other-manifest]');
    expect(unattended.stderr).toContain(`such as ${state[1]}/${path.basename(other)}-album, or`);
  }
  expect(await service.charges()).toBe(2);
  for (const tracks of [1, 3]) {
    const fresh = machine();
    writeManifest(fresh, tracks);
    const planned = await runHere(['plan', 'album.yaml', ...service.flags, ...state], fresh, service.env);
    expect(planned.stderr).not.toContain('is in this manifest');
  }
  // Its lockfile proves that all tracks were renamed.
  writeFileSync(path.join(one, 'album.yaml'), readFileSync(file));
  const renamed = await runHere(['plan', 'album.yaml', ...service.flags, ...state], one, service.env);
  expect(renamed.stderr).not.toContain('seems to belong to another manifest');
});

it('ends as unavailable if the folder of the log is unmounted during a run, and continues later', async () => {
  const { service, machine, share, state } = await stage(2);
  const cwd = machine();
  const args = [...words(service, state), '--events', 'ndjson', '--concurrency', '1'];
  const first = start(args, cwd, service.env);
  await first.seen(/"state":"queued"/);
  renameSync(share, `${share}-away`);
  const ended = await first.ended;
  expect(ended.code, ended.stderr).toBe(12);
  expect(ended.stderr + ended.stdout).not.toContain('with credentials');
  renameSync(`${share}-away`, share);
  const next = await runHere(words(service, state), cwd, service.env);
  expect(next.code, next.stderr).toBe(0);
  expect(await service.charges()).toBe(2);
});

it('says in plain words that the log lacked records which the lockfile has', async () => {
  const { service, machine, share, state } = await stage(1);
  const cwd = machine();
  const detached = await runHere([...words(service, state), '--detach'], cwd, service.env);
  expect(detached.code, detached.stderr).toBe(11);
  // The log cannot be reached while the audio is collected.
  renameSync(share, `${share}-away`);
  const collect = ['collect', 'album.yaml', ...service.flags, ...state];
  await runHere(collect, cwd, service.env);
  renameSync(`${share}-away`, share);
  const next = await runHere(collect, cwd, service.env);
  expect(next.code, next.stderr).toBe(0);
  expect(next.stderr).toContain('added records of 1 attempt to the shared log: only the lockfile had them');
});

it('imports an older lockfile into the log and says so', async () => {
  const { service, machine, state } = await stage(2);
  const cwd = machine();
  await run(words(service, []), cwd, service.env);
  const joined = await run(words(service, state), cwd, service.env);
  expect(joined.code, joined.stderr).toBe(0);
  expect(joined.stderr).toContain('added 2 attempts from the lockfile to the shared log');
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
