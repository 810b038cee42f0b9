import { expect, it } from 'vitest';
import { play } from '../play.js';

const FRESH_SEEDS = 60;

it('keeps the promise in worlds of several machines that nobody has seen before', async () => {
  const from = 1 + Math.floor(Math.random() * 2 ** 31);
  const { lines, failed } = await play({ family: 'machines', from, count: FRESH_SEEDS, workers: 2 });
  expect(failed, lines.join('\n')).toEqual([]);
}, 300_000);
