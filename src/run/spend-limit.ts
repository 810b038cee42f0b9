/**
 * The two limits that no fault may break: what was approved for this run, and the budget for the lockfile's lifetime.
 */
export interface Ceiling {
  /** Deducts the price from both, or returns the one that forbids it. Integer micro-dollars. */
  reserve(microUsd: number): 'reserved' | 'over_approved' | 'over_budget';
  /** Returns what was reserved for a submit that was certainly not charged. */
  release(microUsd: number): void;
  /** Reserved in this run and not returned: charged, reserved or in doubt. */
  spentMicroUsd(): number;
  readonly approvedMicroUsd: number;
}

export function createCeiling(limits: {
  approvedMicroUsd: number;
  budgetMicroUsd?: number | undefined;
  spentBeforeMicroUsd: number;
}): Ceiling {
  let spent = 0;
  return {
    reserve(microUsd) {
      if (spent + microUsd > limits.approvedMicroUsd) return 'over_approved';
      if (
        limits.budgetMicroUsd !== undefined &&
        limits.spentBeforeMicroUsd + spent + microUsd > limits.budgetMicroUsd
      )
        return 'over_budget';
      spent += microUsd;
      return 'reserved';
    },
    release(microUsd) {
      spent -= microUsd;
    },
    spentMicroUsd: () => spent,
    approvedMicroUsd: limits.approvedMicroUsd,
  };
}
