import { expect, it } from 'vitest';
import { MUTANTS } from './mutants.js';
import { play } from './play.js';

const SEEDS_MAX = 20_000;

it.each(MUTANTS.map(({ name }) => name))(
  'notices a program with this step switched off: %s',
  async (mutant) => {
    const { failed } = await play({ from: 1, count: SEEDS_MAX, workers: 2, mutant, untilFailure: true });
    expect(failed.length, `not caught in ${SEEDS_MAX} seeds`).toBeGreaterThan(0);
  },
  120_000,
);
