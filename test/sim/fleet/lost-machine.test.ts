import { expect, it } from 'vitest';
import { play } from '../play.js';

const POINTS = 60;

it('a machine is lost for good at a random point, and the next one finishes on an empty folder: nothing is charged twice or lost', async () => {
  const from = 1 + Math.floor(Math.random() * 2 ** 31);
  const { lines, failed, crashes } = await play({ family: 'losses', from, count: POINTS, workers: 2 });
  expect(failed, lines.join('\n')).toEqual([]);
  expect(crashes).toBe(POINTS);
}, 300_000);
