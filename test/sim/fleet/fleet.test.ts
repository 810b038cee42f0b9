import { expect, it } from 'vitest';
import { play } from '../play.js';
import { FLEET_REGRESSIONS } from './fleet-regressions.js';

const FRESH_SEEDS = 60;

it('the promise holds in new worlds of several machines', async () => {
  const from = 1 + Math.floor(Math.random() * 2 ** 31);
  const { lines, failed } = await play({ family: 'machines', from, count: FRESH_SEEDS, workers: 2 });
  expect(failed, lines.join('\n')).toEqual([]);
}, 300_000);

it('the promise holds in the worlds of several machines that once broke it', async () => {
  const { lines, failed } = await play({ family: 'machines', seeds: FLEET_REGRESSIONS, workers: 2 });
  expect(failed, lines.join('\n')).toEqual([]);
}, 300_000);
