import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type Env, TEN_MINUTES_LATER } from '../e2e/launch.js';
import { audioFiles, folder } from '../e2e/program.js';
import { lose, play, stage } from './github.js';
import { fileOnMain, pushFiles } from './machine.js';

// Each starts dozens of processes.
vi.setConfig({ testTimeout: 240_000 });

describe('the workflow for GitHub Actions', () => {
  const FILE = 'github-actions.yml';

  it('checks and prices a pull request without secrets, before and after the first run', async () => {
    const { runner, setup, service } = await stage();
    const nothing: Env = {};
    expect((await play(runner(), FILE, 'check', nothing)).failed).toEqual([]);
    expect((await play(runner(), FILE, 'make', setup)).failed).toEqual([]);
    const machine = runner();
    const summary = path.join(folder(), 'summary.md');
    const checked = await play(machine, FILE, 'check', nothing, { GITHUB_STEP_SUMMARY: summary });
    expect(checked.failed).toEqual([]);
    // The lockfile in git records what was bought.
    expect(readFileSync(summary, 'utf8')).toMatch(/=\s+one\s+done|one.*missing/);
    expect(await service.charges()).toBe(3);
  });

  it('continues after a lost runner without buying twice or missing files', async () => {
    const { runner, setup, service, server } = await stage(4);
    await lose(runner(), FILE, 'make', setup, 3);
    const next = runner();
    const { failed } = await play(next, FILE, 'make', setup, TEN_MINUTES_LATER);
    expect(failed).toEqual([]);
    expect(audioFiles(next.clone)).toHaveLength(3);
    expect(await service.charges()).toBe(3);
    expect(fileOnMain(server, 'album.lock.jsonl')).toContain('"state":"done"');
    expect(fileOnMain(server, '.gitattributes')).toContain('*.lock.jsonl merge=union');
  });

  it('pushes the lockfile even if something else was pushed meanwhile', async () => {
    const { runner, setup, service, server } = await stage();
    const [one, two] = [runner(), runner()];
    expect((await play(one, FILE, 'make', setup)).failed).toEqual([]);
    pushFiles(server, { 'README.md': 'An album\n' });
    // It was cloned before all that.
    expect((await play(two, FILE, 'make', setup)).failed).toEqual([]);
    const third = runner();
    const { failed, ended } = await play(third, FILE, 'make', setup);
    expect(failed).toEqual([]);
    expect(ended.map(({ stderr }) => stderr).join('')).not.toContain('lock repair');
    expect(existsSync(path.join(third.clone, 'README.md'))).toBe(true);
    expect(await service.charges()).toBe(3);
  });
});
