import { expect, it } from 'vitest';
import { MUTANTS } from './mutants.js';
import { play } from './play.js';

const SEEDS_MAX = 20_000;

/** Caught only in rare worlds, after hundreds or thousands of seeds: `npm run sim -- --mutants all` plays them too. */
const RARE: ReadonlySet<string> = new Set([
  'accepted-is-not-compared',
  'adopted-without-a-check',
  'any-price-is-accepted',
  'contested-file-goes-by-size',
  'copy-is-not-read',
  'doubt-is-forgotten',
  'end-mark-is-not-required',
  'errors-500-are-refusals',
  'failed-is-refunded-on-any-day',
  'unstated-refund-is-refunded',
  'files-are-replaced',
  'forced-over-doubt',
  'guard-taken-by-age',
  'hours-asleep-count',
  'intent-not-awaited',
  'journals-are-not-read',
  'length-is-not-compared',
  'lockfile-is-not-looked-at',
  'lost-answers-stop-one-run',
  'missing-lines-are-forgotten',
  'moves-are-not-journaled',
  'name-not-claimed',
  'old-name-goes-first',
  'open-intent-was-not-sent',
  'orphans-are-left',
  'other-boot-is-dead',
  'pages-are-refusals',
  'pauses-do-not-hold-back',
  'plain-words-are-refusals',
  'price-ages-while-stopped',
  'price-that-fell-is-reserved',
  'size-alone-before-clean-up',
  'submits-after-stop',
  'torn-end-is-appended-to',
  'unmarked-end-is-trusted',
  'unverified-is-left',
]);

it.each(MUTANTS.map(({ name }) => name).filter((name) => !RARE.has(name)))(
  'the simulation catches a program with this step switched off: %s',
  async (mutant) => {
    const { failed } = await play({ from: 1, count: SEEDS_MAX, workers: 2, mutant, untilFailure: true });
    expect(failed.length, `not caught in ${SEEDS_MAX} seeds`).toBeGreaterThan(0);
  },
  120_000,
);

it('every rare mutant exists', () => {
  const names = MUTANTS.map(({ name }) => name);
  expect([...RARE].filter((name) => !names.includes(name))).toEqual([]);
});
