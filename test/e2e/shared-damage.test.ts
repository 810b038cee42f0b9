import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { parseLock, serialiseLock } from '../../src/lockfile/lock-text.js';
import { run } from './in-process.js';
import { audioFiles, folder, lockLines, startService, writeManifest } from './program.js';
import type { Service } from './service.js';

// Each starts several runs.
vi.setConfig({ testTimeout: 120_000 });

/** A service, a folder with the log, and empty machines with the manifest. */
async function stage({ service, prompt }: { service?: Service; prompt?: string } = {}) {
  service ??= await startService();
  const share = path.join(folder(), 'share');
  mkdirSync(share);
  const flags = [...service.flags, '--state', `file://${share}`];
  const machine = () => {
    const cwd = folder();
    const file = path.join(cwd, writeManifest(cwd, 1));
    if (prompt !== undefined) writeFileSync(file, readFileSync(file, 'utf8').replace('piano', prompt));
    const lockfile = path.join(cwd, 'album.lock.jsonl');
    return {
      cwd,
      lockfile,
      run: ([verb = '', ...words]: readonly string[]) =>
        run([verb, 'album.yaml', ...words, ...flags], cwd, service.env),
      damage: (from: string, to: string) => {
        const text = readFileSync(lockfile, 'utf8');
        expect(text).toContain(from);
        writeFileSync(lockfile, text.replace(from, to));
      },
    };
  };
  return { service, share, flags, machine };
}

it('buys nothing for a damaged line whose attempt was said elsewhere not to be charged, until it is settled', async () => {
  const { service, flags, machine } = await stage({ prompt: '[sandbox:lost-answer]' });
  const [one, two] = [machine(), machine()];
  expect((await one.run(['run', '--yes'])).code).toBe(8);
  const attempt = String(lockLines(one.cwd)[0]?.attempt);
  const said = await two.run(['resolve', attempt, '--not-charged']);
  expect(said.code, said.stderr).toBe(0);
  one.damage('"state":"in_doubt"', '"state":"\0"');
  // As in another clone.
  rmSync(path.join(one.cwd, '.venice-batch'), { recursive: true });
  expect((await run(['lock', 'repair', 'album.yaml', ...flags], one.cwd)).code).toBe(0);
  const seen = await one.run(['resolve', '--json']);
  const shown = JSON.parse(seen.stdout) as { in_doubt: { attempt: { attempt: string } }[] };
  expect(shown.in_doubt, seen.stdout).toHaveLength(1);
  for (const { run } of [one, two]) {
    const refused = await run(['run', '--yes']);
    expect(refused.code, refused.stderr).toBe(8);
  }
  expect(await service.charges()).toBe(1);
  const own = String(shown.in_doubt[0]?.attempt.attempt);
  expect(own).not.toBe(attempt);
  const settled = await two.run(['resolve', own, '--charged']);
  expect(settled.code, settled.stdout + settled.stderr).toBe(0);
  expect((await one.run(['resolve'])).stdout).toBe('Nothing is in doubt.\n');
});

it('suggests the log that the user named, if git merged copies of two', async () => {
  const old = await stage();
  const kept = await stage(old);
  const [one, two] = [old.machine(), kept.machine()];
  for (const { run } of [one, two]) expect((await run(['run', '--yes'])).code).toBe(0);
  writeFileSync(two.lockfile, readFileSync(one.lockfile, 'utf8') + readFileSync(two.lockfile, 'utf8'));
  const repair = ['lock', 'repair', 'album.yaml', ...old.service.flags];
  const logsIn = async (words: readonly string[]) => {
    const { code, stderr } = await run([...repair, ...words], two.cwd);
    expect([code, stderr]).toEqual([9, expect.stringContaining('error[lockfile-two-logs]')]);
    return [...stderr.matchAll(/lock merge [^;]* --state (\S+?)(?=;|\s)/g)].map(([, log]) => log);
  };
  const [first, second] = [old, kept].map(({ share }) => `file://${share}`);
  expect(await logsIn([])).toEqual([first, second]);
  expect(await logsIn(['--state', second!])).toEqual([second]);
  writeManifest(two.cwd, 1, `state: ${second}\n`);
  expect(await logsIn([])).toEqual([second]);
});

it('makes the copy of a log again whose header is lost, with what only the file has', async () => {
  const { service, flags, machine, share } = await stage();
  const one = machine();
  // Its records do not show that they are in the log, because they are older.
  const alone = await run(['run', 'album.yaml', '--yes', ...service.flags], one.cwd, service.env);
  expect(alone.code, alone.stderr).toBe(0);
  expect((await one.run(['run', '--yes'])).code).toBe(0);
  const two = machine();
  writeManifest(two.cwd, 2);
  expect((await two.run(['run', '--yes'])).code).toBe(0);
  const { header, attempts } = parseLock(readFileSync(one.lockfile, 'utf8'));
  const [bought] = attempts.values();
  const only: Attempt = { ...bought!, attempt: 'f'.repeat(32), queue_id: 'only-here' };
  const text = serialiseLock(header!, [bought!, only]);
  const privateFolder = path.join(one.cwd, '.venice-batch');
  for (const name of readdirSync(privateFolder))
    if (name.endsWith('.copy')) rmSync(path.join(privateFolder, name));
  writeFileSync(
    one.lockfile,
    text.replace(/^.*/, (header) => '\0'.repeat(header.length)),
  );
  const repair = (words: readonly string[]) =>
    run(['lock', 'repair', 'album.yaml', ...words], one.cwd, service.env);
  const unnamed = await repair(service.flags);
  expect([unnamed.code, unnamed.stderr]).toEqual([9, expect.stringContaining('name it with --state')]);
  const named = await repair(flags);
  expect([named.code, named.stderr]).toEqual([9, expect.stringContaining(`shared log file://${share},`)]);
  const steps = /has: (mv .*); then: (venice-batch collect .*); then: (\(head .*); then: (venice-batch .*)$/m;
  const [, ...commands] = steps.exec(named.stderr) ?? [];
  expect(commands).toHaveLength(4);
  for (const command of commands) {
    const [program = '', ...words] = command.split(' ');
    if (program === 'venice-batch') expect((await run(words, one.cwd, service.env)).code, command).toBe(0);
    else execFileSync('sh', ['-c', command]);
  }
  expect(lockLines(one.cwd).map((line) => line.attempt)).toContain(only.attempt);
  writeManifest(one.cwd, 2);
  const after = await one.run(['run', '--yes']);
  expect(after.code, after.stderr).toBe(0);
  expect(await service.charges()).toBe(2);
});

it('collects on a new machine although something is in the place of the next entry, and keeps the remote copies', async () => {
  const { service, share, machine } = await stage();
  expect((await machine().run(['run', '--yes', '--detach'])).code).toBe(11);
  const log = path.join(share, 'log');
  const names = readdirSync(log);
  const inTheWay = path.join(log, `${String(names.length).padStart(8, '0')}.jsonl`);
  mkdirSync(inTheWay);
  const fresh = machine();
  const collected = await fresh.run(['collect']);
  expect(collected.stderr).toContain('is a folder: venice-batch did not write it');
  expect(collected.code, collected.stderr).toBe(11);
  expect(audioFiles(fresh.cwd)).toHaveLength(1);
  expect(readdirSync(log)).toEqual([...names, path.basename(inTheWay)]);
  rmSync(inTheWay, { recursive: true });
  expect((await fresh.run(['collect'])).code).toBe(0);
  expect(readdirSync(log).length).toBeGreaterThan(names.length);
  expect(await service.charges()).toBe(1);
});
