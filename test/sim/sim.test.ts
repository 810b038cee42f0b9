import { expect, it } from 'vitest';
import { play } from './play.js';
import { REGRESSIONS } from './regressions.js';

const FRESH_SEEDS = 400;
const WORKERS = 2;
const TIME_OUT_MS = 300_000;

it(
  'the promise holds in hundreds of new worlds',
  async () => {
    const from = 1 + Math.floor(Math.random() * 2 ** 31);
    const { lines, failed } = await play({ from, count: FRESH_SEEDS, workers: WORKERS });
    expect(failed, lines.join('\n')).toEqual([]);
  },
  TIME_OUT_MS,
);

it(
  'the promise holds in the worlds that once broke it',
  async () => {
    const { lines, failed } = await play({ seeds: REGRESSIONS, workers: WORKERS });
    expect(failed, lines.join('\n')).toEqual([]);
  },
  TIME_OUT_MS,
);
