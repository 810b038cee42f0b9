import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from './in-process.js';
import { audioFiles, folder, lockLines, start, startService, writeManifest } from './program.js';
import type { Service } from './service.js';

describe('a saved plan', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });

  /** A folder with a manifest and its saved plan, and how to apply it. */
  async function planned(edit: (text: string) => string = (text) => text) {
    const cwd = folder();
    const manifest = path.join(cwd, writeManifest(cwd));
    const rewrite = (change: (text: string) => string) =>
      writeFileSync(manifest, change(readFileSync(manifest, 'utf8')));
    rewrite(edit);
    const saved = await run(['plan', 'album.yaml', '--out', 'plan.json', ...service.flags], cwd, service.env);
    expect(saved, saved.stderr).toMatchObject({ code: 0 });
    const before = await service.charges();
    const args = ['run', 'album.yaml', '--plan', 'plan.json', ...service.flags];
    return {
      cwd,
      rewrite,
      begin: () => start([...args, '--events', 'ndjson'], cwd, service.env),
      apply: (...more: string[]) => run([...args, ...more], cwd, service.env),
      charges: async () => (await service.charges()) - before,
    };
  }

  const attempts = (cwd: string) => new Set(lockLines(cwd).map(({ attempt }) => attempt));

  it('is an approval that works once', async () => {
    const plan = await planned();
    expect(await plan.apply()).toMatchObject({ code: 0 });
    expect(await plan.charges()).toBe(4);
    expect(audioFiles(plan.cwd)).toHaveLength(4);
    const again = await plan.apply();
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('error[plan-used]');
    expect(again.stdout).toMatch(/^✖ nothing bought: (\d) of \1 already done/m);
    expect(again.stdout).toMatch(/^ {2}venice-batch plan album\.yaml --out plan\.json /m);
    expect(await plan.charges()).toBe(4);
  });

  it('shows at once the command that applies it if it has no budget', async () => {
    const cwd = folder();
    const manifest = path.join(cwd, writeManifest(cwd));
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('budget: 20\n', ''));
    const args = ['plan', 'album.yaml', '--only', 'track-0', '--out', 'plan.json', ...service.flags];
    const { stderr } = await run(args, cwd, service.env);
    expect(stderr).toContain('warning[budget-needed]');
    const [, command = ''] = /: venice-batch (run .*)/.exec(stderr) ?? [];
    expect(command).toContain('--budget');
    expect(await run(command.trim().split(' '), cwd, service.env)).toMatchObject({ code: 0 });
    expect(audioFiles(cwd)).toHaveLength(1);
  });

  it('buys nothing more after an interruption, but what is in flight is collected', async () => {
    const plan = await planned();
    const begun = plan.begin();
    await begun.seen(/"state":"queued"/);
    begun.child.kill('SIGKILL');
    await begun.ended;
    const submitted = attempts(plan.cwd);
    const again = await plan.apply();
    expect(again.stderr).toContain('error[plan-used]');
    expect(attempts(plan.cwd)).toEqual(submitted);
    expect(await plan.charges()).toBeLessThanOrEqual(submitted.size);
    const states = lockLines(plan.cwd).map(({ state }) => state);
    expect(states).toContain('done');
    expect(again.code).toBe(states.includes('in_doubt') ? 8 : 2);
    expect(audioFiles(plan.cwd)).toHaveLength(states.filter((state) => state === 'done').length);
  });

  it('is used up even if the service refused everything', async () => {
    const plan = await planned((text) => text.replaceAll('A short', '[sandbox:policy] A short'));
    expect((await plan.apply()).code).toBe(100);
    expect(lockLines(plan.cwd).every(({ state }) => state === 'rejected')).toBe(true);
    const again = await plan.apply();
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('error[plan-used]');
    expect(await plan.charges()).toBe(0);
  });

  it('is out of date after a prompt was edited', async () => {
    const plan = await planned();
    plan.rewrite((text) => text.replace('number 2', 'number two'));
    const stale = await plan.apply();
    expect(stale.code).toBe(2);
    expect(stale.stderr).toMatch(/error\[plan-stale\].*track-2/);
    expect(await plan.charges()).toBe(0);
  });

  it('does not replace a budget and cannot be narrowed to other tracks', async () => {
    const plan = await planned((text) => text.replace('budget: 20\n', ''));
    const unlimited = await plan.apply();
    expect(unlimited.code).toBe(2);
    expect(unlimited.stderr).toContain('requires a budget');
    expect((await plan.apply('--budget', '0.01')).code).toBe(5);
    expect((await plan.apply('--only', 'track-1')).stderr).toContain('--only cannot be combined');
    expect(await plan.charges()).toBe(0);
    expect((await plan.apply('--budget', '20')).code).toBe(0);
    expect(await plan.charges()).toBe(4);
  });

  it('must be a valid plan', async () => {
    const plan = await planned();
    writeFileSync(path.join(plan.cwd, 'plan.json'), '{"format":"venice-batch-plan","version":2}');
    const newer = await plan.apply();
    expect(newer).toMatchObject({ code: 2, stderr: expect.stringContaining('error[plan-newer-version]') });
    writeFileSync(path.join(plan.cwd, 'plan.json'), '{}');
    const none = await plan.apply();
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('error[plan-not-a-plan]') });
    expect(await plan.charges()).toBe(0);
  });
});
