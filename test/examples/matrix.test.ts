import { describe, expect, it, vi } from 'vitest';
import { TEN_MINUTES_LATER } from '../e2e/launch.js';
import { audioFiles } from '../e2e/program.js';
import { lose, play, stage } from './github.js';

// Each starts dozens of processes.
vi.setConfig({ testTimeout: 240_000 });

describe('the workflow with a matrix', () => {
  const FILE = 'github-actions-matrix.yml';

  it('shares one manifest and finishes the work of a lost runner', async () => {
    const { runner, setup, service } = await stage(20);
    await lose(runner(), FILE, 'make', setup, 3);
    const jobs = await Promise.all(
      [2, 3, 4].map(() => play(runner(), FILE, 'make', setup, TEN_MINUTES_LATER)),
    );
    expect(jobs.flatMap(({ failed }) => failed)).toEqual([]);
    const last = runner();
    expect((await play(last, FILE, 'finish', setup)).failed).toEqual([]);
    expect(audioFiles(last.clone)).toHaveLength(3);
    expect(await service.charges()).toBe(3);
  });
});
