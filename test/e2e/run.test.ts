import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseFile } from 'music-metadata';
import { beforeAll, describe, expect, it } from 'vitest';
import { run as runHere } from './in-process.js';
import {
  afterTests,
  audioFiles,
  folder,
  lockLines,
  runProcess as run,
  start,
  writeManifest,
} from './program.js';
import { launchService, type Service } from './service.js';

describe('run, against a service in another process', () => {
  let service: Service;
  beforeAll(async () => {
    service = await launchService(folder(), 40);
    afterTests(service.stop);
  });

  it('generates every track once and requests nothing the second time', async () => {
    const cwd = folder();
    const before = await service.charges();
    const args = ['run', writeManifest(cwd), '--yes', ...service.flags];
    const first = await run(args, cwd, service.env);
    expect(first, first.stderr).toMatchObject({ code: 0 });
    const files = audioFiles(cwd);
    expect(files).toHaveLength(4);
    for (const file of files)
      expect((await parseFile(path.join(cwd, file))).format.duration).toBeGreaterThan(0);
    expect((await service.charges()) - before).toBe(4);
    expect(lockLines(cwd).map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done']);

    const second = await run([...args, '--debug'], cwd, service.env);
    expect(second.code).toBe(0);
    expect(second.stderr).not.toContain('/audio/');
    expect((await service.charges()) - before).toBe(4);
  });

  it.each(['submitting', 'queued', 'downloading', 'stored'])(
    'finishes after SIGKILL at the first "%s" without paying twice',
    async (state) => {
      const cwd = folder();
      const before = await service.charges();
      const args = ['run', writeManifest(cwd), '--yes', ...service.flags];
      const killed = start([...args, '--events', 'ndjson'], cwd, service.env);
      await killed.seen(new RegExp(`"state":"${state}"`));
      killed.child.kill('SIGKILL');
      expect((await killed.ended).signal).toBe('SIGKILL');

      const resumed = await run(args, cwd, service.env);
      const inDoubt = lockLines(cwd).filter((line) => line.state === 'in_doubt').length;
      const charged = (await service.charges()) - before;
      // A submit in flight may or may not have been charged: the user is asked, and nothing is bought again.
      expect(resumed.code, resumed.stderr).toBe(inDoubt > 0 ? 8 : 0);
      expect(audioFiles(cwd)).toHaveLength(4 - inDoubt);
      expect(charged).toBeLessThanOrEqual(4);
      expect(charged).toBeGreaterThanOrEqual(4 - inDoubt);
    },
  );

  it('refuses a second run at the same time, which spends nothing', async () => {
    const cwd = folder();
    const before = await service.charges();
    const args = ['run', writeManifest(cwd, 6), '--yes', ...service.flags];
    const first = start([...args, '--events', 'ndjson'], cwd, service.env);
    await first.seen(/"state":"queued"/);
    const second = await run(args, cwd, service.env);
    expect(second.code).toBe(7);
    expect(second.stderr).toMatch(/another run has held the lock for \d+ s \(pid \d+ on /);
    expect((await first.ended).code).toBe(0);
    expect((await service.charges()) - before).toBe(6);
  });

  it('ends cleanly at Ctrl-C, says how to continue, and continues', async () => {
    const cwd = folder();
    const before = await service.charges();
    const args = ['run', writeManifest(cwd, 6), '--yes', '--concurrency', '2', ...service.flags];
    const stopped = start([...args, '--progress', 'plain'], cwd, service.env);
    await stopped.seen(/queued track-0/);
    stopped.child.kill('SIGINT');
    const end = await stopped.ended;
    expect(end.code).toBe(130);
    expect(end.stdout).toContain(`venice-batch run album.yaml --base-url ${service.url}`);
    const resumed = await run(args, cwd, service.env);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(audioFiles(cwd)).toHaveLength(6);
    expect((await service.charges()) - before).toBe(6);
  });

  it('buys nothing over the budget', async () => {
    const cwd = folder();
    const before = await service.charges();
    const end = await run(
      ['run', writeManifest(cwd), '--yes', '--budget', '0.01', ...service.flags],
      cwd,
      service.env,
    );
    expect(end.code).toBe(5);
    expect(end.stderr).toContain('error[over-budget]');
    const next = end.stdout.split('\nNext\n  venice-batch ')[1]?.trim() ?? '';
    expect(next).toMatch(/^run album\.yaml --yes --budget \d+\.\d\d --base-url /);
    expect(end.stderr).toContain(`to ${/--budget (\S+)/.exec(next)?.[1]}, or buy less`);
    expect(await service.charges()).toBe(before);
  });

  it('buys nothing without approval if there is no terminal', async () => {
    const cwd = folder();
    const before = await service.charges();
    const end = await run(['run', writeManifest(cwd), ...service.flags], cwd, service.env);
    expect(end.code).toBe(2);
    // The manifest has a budget.
    expect(end.stderr).toContain('to approve this total: venice-batch run album.yaml --yes --base-url');
    expect(await service.charges()).toBe(before);
  });

  it('needs a budget for --yes', async () => {
    const cwd = folder();
    writeManifest(cwd);
    const manifest = path.join(cwd, 'album.yaml');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('budget: 20\n', ''));
    const end = await run(['run', 'album.yaml', '--yes', ...service.flags], cwd, service.env);
    expect(end.code).toBe(2);
    expect(end.stderr).toContain('requires a budget');
    // The suggested command works.
    const [, advised = ''] = /venice-batch (run album\.yaml --yes --budget .*)/.exec(end.stderr) ?? [];
    expect((await run(advised.split(' '), cwd, service.env)).code).toBe(0);
  });

  it('needs a key, and says where it goes', async () => {
    const cwd = folder();
    const end = await run(['run', writeManifest(cwd), '--yes', ...service.flags], cwd);
    expect(end.code).toBe(4);
    expect(end.stderr).toContain('VENICE_API_KEY');
  });

  it('buys only a changed track, shows the field and the price, and keeps the earlier file', async () => {
    const cwd = folder();
    const args = ['run', writeManifest(cwd), '--yes', ...service.flags];
    await run(args, cwd, service.env);
    const before = await service.charges();
    const manifest = path.join(cwd, 'album.yaml');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('piece number 1', 'piece, now louder'));
    const end = await run(args, cwd, service.env);
    expect(end.code, end.stderr).toBe(0);
    expect(end.stderr).toMatch(/track-1.*prompt/);
    expect((await service.charges()) - before).toBe(1);
    expect(audioFiles(cwd)).toHaveLength(5);
  });
});

describe('run --sandbox', () => {
  it('needs neither key nor network, and keeps everything in one folder', async () => {
    const cwd = folder();
    const args = ['run', writeManifest(cwd, 3), '--sandbox', '--yes'];
    const first = await run(args, cwd);
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toContain('sandbox');
    expect(audioFiles(cwd).every((file) => file.startsWith('album.sandbox/'))).toBe(true);
    expect((await run(args, cwd)).stdout).toContain('3 of 3 done');
  });

  it('follows the description of the service that a flag names', async () => {
    const list = async (...flags: readonly string[]) => {
      const { stdout } = await runHere(['models', '--sandbox', '--json', ...flags], folder());
      return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
    };
    const newer = 'elevenlabs-music-v2';
    expect(await list()).toContain(newer);
    expect(await list('--sandbox-as', '2026-10')).toContain(newer);
    expect(await list('--sandbox-as', '2026-08')).not.toContain(newer);
    const wrong = await runHere(['models', '--sandbox', '--sandbox-as', '2026-09'], folder());
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('2026-10 or 2026-08')]);
  });

  it('resumes after SIGKILL: the simulated service remembers', async () => {
    const cwd = folder();
    const args = ['run', writeManifest(cwd, 3), '--sandbox', '--yes', '--sandbox-speed', '8'];
    const killed = start([...args, '--events', 'ndjson'], cwd);
    await killed.seen(/"state":"queued"[\s\S]*"state":"queued"/);
    killed.child.kill('SIGKILL');
    await killed.ended;
    const resumed = await run(args, cwd);
    const inDoubt = lockLines(cwd, 'album.sandbox/album.lock.jsonl').filter(
      ({ state }) => state === 'in_doubt',
    );
    expect(resumed.code, resumed.stderr).toBe(inDoubt.length > 0 ? 8 : 0);
    expect(audioFiles(cwd)).toHaveLength(3 - inDoubt.length);
  });
});
