import { expect, it } from 'vitest';
import { play } from '../play.js';

const POINTS = 60;

it('when a machine is lost at a random point, the next one finishes in an empty folder without charging twice or losing anything', async () => {
  const from = 1 + Math.floor(Math.random() * 2 ** 31);
  const { lines, failed, crashes } = await play({ family: 'losses', from, count: POINTS, workers: 2 });
  expect(failed, lines.join('\n')).toEqual([]);
  expect(crashes).toBe(POINTS);
}, 300_000);
