import { expect, it } from 'vitest';
import { play } from '../play.js';
import { FLEET_MUTANTS } from './fleet-mutants.js';

const SEEDS_MAX = 1_000;

/** Caught only in rare worlds: `npm run sim -- --mutants all` plays them too. */
const RARE: ReadonlySet<string> = new Set([
  'absent-was-not-written',
  'budget-of-the-beginning',
  'clean-up-before-the-log-knows',
  'damaged-audio-counts-as-stored',
  'deleted-newest-entries-are-not-seen',
  'entries-deleted-while-they-are-read-are-not-seen',
  'errors-500-of-the-store-are-refusals',
  'gaps-are-not-seen',
  'given-up-files-are-not-looked-for',
  'kept-files-are-not-uploaded',
  'no-last-look-at-the-log',
  'store-is-not-tested',
]);

const names = FLEET_MUTANTS.map(({ name }) => name);

it.each(names.filter((name) => !RARE.has(name)))(
  'the fleet simulation catches a program with this step switched off: %s',
  async (mutant) => {
    const { failed } = await play({ from: 1, count: SEEDS_MAX, workers: 2, mutant, untilFailure: true });
    expect(failed.length, `not caught in ${SEEDS_MAX} seeds`).toBeGreaterThan(0);
  },
  120_000,
);

it('every rare mutant exists', () => {
  expect([...RARE].filter((name) => !names.includes(name))).toEqual([]);
});
