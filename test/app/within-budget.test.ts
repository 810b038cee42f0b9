import { expect, it } from 'vitest';
import { withinBudget } from '../../src/app/refusals.js';
import type { BatchSettings } from '../../src/app/world.js';
import type { Plan } from '../../src/plan/plan.js';
import type { SavedPlan } from '../../src/plan/saved-plan.js';

const plan = { totalMicroUsd: 6_204_000, spentBeforeMicroUsd: 0 } as Plan;

function next(settings: Partial<BatchSettings>): string | undefined {
  const all = {
    command: (verb: string, ...words: string[]) => [verb, ...words].join(' '),
    selection: { retryFailed: true, force: [] },
    ...settings,
  } as BatchSettings;
  return withinBudget(all, plan);
}

it.each<[string, Partial<BatchSettings>, string | undefined]>([
  [
    'raises a flag that is too low',
    { budgetMicroUsd: 1_000_000, isBudgetFlag: true, yes: true },
    'run --yes --budget 6.21 --retry-failed',
  ],
  [
    'leaves a flag that is high enough: the manifest has the lower one',
    { budgetMicroUsd: 9_000_000, isBudgetFlag: true },
    'run --retry-failed',
  ],
  ['leaves one in the environment', { budgetMicroUsd: 1_000_000 }, 'run --retry-failed'],
  ['leaves the manifest', {}, 'run --retry-failed'],
  ['does not change a saved plan', { savedPlan: {} as SavedPlan, savedPlanFile: 'plan.json' }, undefined],
])('the command after a total over the budget %s', (_, settings, expected) => {
  expect(next(settings)).toBe(expected);
});
