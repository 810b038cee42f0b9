import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { acquireRunLock } from '../../src/lockfile/run-lock.js';
import { createClock } from '../../src/node/clock.js';
import { systemFiles } from '../../src/node/files.js';
import { createProcesses } from '../../src/node/processes.js';
import { systemRandom } from '../../src/node/random.js';
import { servedJobs } from '../kill/judge.js';
import { run } from './in-process.js';
import type { Ended } from './launch.js';
import { afterTests, folder, lockLines, runProcess } from './program.js';
import { passOn, startRelay } from './relay.js';
import { writePrompts } from './scene.js';
import { openService } from './service.js';

// Each starts several runs.
vi.setConfig({ testTimeout: 120_000 });

const PROMPTS = { door: 'A door falls shut [sandbox:lost-answer]' };

/** Machines that share the log in one folder, and what they run for the album. */
async function stage(prompts: Readonly<Record<string, string>>) {
  const service = await openService(folder(), 1_000);
  afterTests(service.stop);
  const relay = await startRelay(service.url);
  const root = folder();
  const share = path.join(root, 'share');
  mkdirSync(share);
  const machine = (name: string) => {
    const cwd = path.join(root, name);
    mkdirSync(cwd);
    writePrompts(cwd, prompts);
    const words = (verb: string, more: readonly string[]) => [
      verb,
      'album.yaml',
      ...more,
      '--state',
      `file://${share}`,
      '--base-url',
      relay.url,
    ];
    return {
      cwd,
      run: (verb: string, ...more: string[]): Promise<Ended> => run(words(verb, more), cwd, service.env),
      /** In a process of its own, while another command is at work. */
      apart: (verb: string, ...more: string[]): Promise<Ended> =>
        runProcess(words(verb, more), cwd, service.env),
      record: () => lockLines(cwd).at(-1) as Record<string, unknown>,
    };
  };
  return { relay, share, machine, ledger: service.ledger };
}

/** The response to a submit of machine A was lost, and B knows of that. A can find the job then. */
async function inDoubt() {
  const { relay, share, machine, ledger } = await stage(PROMPTS);
  const [a, b] = [machine('a'), machine('b')];
  expect((await a.run('run', '--yes')).code).toBe(8);
  expect((await b.run('collect')).code).toBe(8);
  const attempt = String(b.record().attempt);
  const [job] = servedJobs(ledger, 'door');
  const find = () => a.run('resolve', attempt, '--queue-id', job!.id);
  return { relay, share, machine, a, b, attempt, job: job!.id, find };
}

describe('an attempt whose job another machine has found', () => {
  it.each(['--requeue', '--charged', '--refunded'])(
    'is not given up by `resolve %s`, which was decided on while it was in doubt',
    async (word) => {
      const { machine, b, attempt, find } = await inDoubt();
      expect((await find()).code).toBe(0);
      const refused = await b.run('resolve', attempt, word);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('changed-meanwhile')]);
      expect(refused.stderr).toContain('the job of door was found meanwhile');
      expect(refused.stderr).toMatch(/collect it: venice-batch collect album\.yaml .*--state/);
      expect(refused.stderr).toContain(`resolve album.yaml ${attempt} ${word}`);
      expect(b.record()).toMatchObject({ state: 'queued' });
      const c = machine('c');
      expect((await c.run('pull')).code).toBe(0);
      expect(c.record()).toMatchObject({ state: 'queued' });
    },
  );

  it('is given up by the command that the message names, once this machine knows of the job', async () => {
    const { b, attempt, find } = await inDoubt();
    expect((await find()).code).toBe(0);
    expect((await b.run('resolve', 'door#1', '--requeue')).stderr).toContain('was found meanwhile');
    expect((await b.run('resolve', attempt, '--requeue')).code).toBe(0);
    expect(b.record()).toMatchObject({ state: 'lost', reason: { code: 'requeued' } });
  });

  it('is not given up by a machine that had no record of it', async () => {
    const { machine, attempt, find } = await inDoubt();
    const c = machine('c');
    expect((await c.run('resolve')).stdout).toContain(attempt.slice(0, 8));
    expect((await find()).code).toBe(0);
    const refused = await c.run('resolve', attempt, '--requeue');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('was found meanwhile')]);
  });

  it('is no longer shown as in doubt', async () => {
    const { b, find } = await inDoubt();
    expect((await b.run('resolve')).code).toBe(8);
    expect((await find()).code).toBe(0);
    const shown = await b.run('resolve');
    expect([shown.code, shown.stdout]).toEqual([0, 'Nothing is in doubt.\n']);
  });

  it('is shown as this machine knows it if the log cannot be reached, with a warning', async () => {
    const { share, b, attempt, find } = await inDoubt();
    expect((await find()).code).toBe(0);
    renameSync(share, `${share}.gone`);
    const shown = await b.run('resolve');
    expect([shown.code, shown.stdout]).toEqual([8, expect.stringContaining(attempt.slice(0, 8))]);
    expect(shown.stderr).toContain("showing what this machine's lockfile has");
  });
});

it('warns that what is shown as in doubt may still be settled by a run at work', async () => {
  const { a } = await inDoubt();
  const lockPath = path.join(a.cwd, 'album.lock.jsonl');
  const processes = await createProcesses();
  const lock = await acquireRunLock(systemFiles, processes, createClock(), systemRandom, lockPath);
  if (!lock.ok) throw new Error('locked');
  const shown = await a.run('resolve');
  await lock.release();
  expect(shown.code).toBe(8);
  expect(shown.stderr).toMatch(/a run \(pid \d+ on .*\) is at work and may still record/);
  expect((await a.run('resolve')).stderr).toBe('');
});

describe('a decision that the shared log does not take', () => {
  it('is not reported as recorded: the message says what the log has instead', async () => {
    const { relay, a, b, attempt, job } = await inDoubt();
    // B has read the log, and asks the service about the job. Meanwhile A adopts the job and collects it.
    relay.treat = async (passing) => {
      relay.treat = passOn;
      const answer = await passing.forward();
      expect((await a.apart('resolve', attempt, '--queue-id', job)).code).toBe(0);
      expect((await a.apart('collect')).code).toBe(0);
      passing.answer(answer);
    };
    const late = await b.run('resolve', attempt, '--queue-id', job);
    expect([late.code, late.stdout]).toEqual([2, '']);
    expect(late.stderr).toMatch(/changed-meanwhile.*another machine recorded meanwhile that door is done/s);
    expect(b.record()).toMatchObject({ state: 'done' });
  });
});

describe('a take that another machine has made again', () => {
  it('is picked by its number only where its new file is known', async () => {
    const { machine } = await stage({ rain: 'Rain on a tin roof' });
    const [a, b] = [machine('a'), machine('b')];
    expect((await a.run('run', '--yes')).code).toBe(0);
    expect((await b.run('pull')).code).toBe(0);
    const first = fileOf(b.record());
    expect((await a.run('run', '--yes', '--force', 'rain')).code).toBe(0);
    const second = fileOf(lockLines(a.cwd).find(({ replaces }) => replaces !== undefined)!);
    const refused = await b.run('pick', 'rain', '1');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('changed-meanwhile')]);
    for (const hash of [first, second])
      expect(refused.stderr).toContain(`pick album.yaml rain ${hash.slice(0, 12)} `);
    expect((await b.run('pick', 'rain', first.slice(0, 12))).code).toBe(0);
    expect((await b.run('pull')).code).toBe(0);
    const picked = await b.run('pick', 'rain', '1', '--json');
    expect(JSON.parse(picked.stdout)).toMatchObject({ pick: { sha256: second } });
  });

  function fileOf({ file }: Record<string, unknown>): string {
    return (file as { sha256: string }).sha256;
  }
});
