import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCeiling } from '../../src/run/spend-limit.js';

describe('the spend limit', () => {
  it('says which limit a price exceeds', () => {
    const approved = createCeiling({ approvedMicroUsd: 100, budgetMicroUsd: 1_000, spentBeforeMicroUsd: 0 });
    expect(approved.reserve(101)).toBe('over_approved');
    const budget = createCeiling({ approvedMicroUsd: 100, budgetMicroUsd: 1_000, spentBeforeMicroUsd: 950 });
    expect(budget.reserve(51)).toBe('over_budget');
    expect(budget.reserve(50)).toBe('reserved');
  });

  it('gets back what was certainly not charged', () => {
    const ceiling = createCeiling({ approvedMicroUsd: 100, spentBeforeMicroUsd: 0 });
    expect(ceiling.reserve(100)).toBe('reserved');
    expect(ceiling.reserve(1)).toBe('over_approved');
    ceiling.release(100);
    expect(ceiling.reserve(100)).toBe('reserved');
  });

  it('is never exceeded, whatever the order of reservations', () => {
    const steps = fc.array(fc.record({ price: fc.nat(500), back: fc.boolean() }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.nat(2_000), fc.nat(2_000), fc.nat(1_000), steps, (approved, budget, before, plan) => {
        const ceiling = createCeiling({
          approvedMicroUsd: approved,
          budgetMicroUsd: budget,
          spentBeforeMicroUsd: before,
        });
        for (const { price, back } of plan) {
          if (ceiling.reserve(price) === 'reserved' && back) ceiling.release(price);
          expect(ceiling.spentMicroUsd()).toBeLessThanOrEqual(approved);
          if (ceiling.spentMicroUsd() > 0)
            expect(before + ceiling.spentMicroUsd()).toBeLessThanOrEqual(budget);
        }
      }),
    );
  });
});
