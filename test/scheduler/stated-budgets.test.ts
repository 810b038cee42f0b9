import { expect, it } from 'vitest';
import { createStatedBudgets } from '../../src/scheduler/stated-budgets.js';

const DOCUMENTED = {
  quote: Number.POSITIVE_INFINITY,
  queue: 40,
  retrieve: 120,
  complete: Number.POSITIVE_INFINITY,
};

it('a pause that a 429 asks for lasts, also once it turns out that each route has its own budget', () => {
  const budgets = createStatedBudgets(DOCUMENTED);
  const rate = { limit: 50, remaining: 0, resetUnixSeconds: 30 };
  budgets.answered('queue', budgets.sent('queue', 0), { status: 200, rate }, 100);
  budgets.answered('queue', budgets.sent('queue', 200), { status: 429, rate: {} }, 1_000);
  const untilMs = budgets.of('queue').pausedUntilMs();
  expect(untilMs).toBeGreaterThanOrEqual(61_000);
  const other = { limit: 120, remaining: 119, resetUnixSeconds: 30 };
  budgets.answered('retrieve', budgets.sent('retrieve', 2_000), { status: 200, rate: other }, 2_100);
  expect(budgets.isShared()).toBe(false);
  expect(budgets.of('queue').pausedUntilMs()).toBe(untilMs);
  expect(budgets.of('queue').available(untilMs - 1)).toBe(0);
  expect(budgets.of('retrieve').pausedUntilMs()).toBeLessThan(untilMs);
});
