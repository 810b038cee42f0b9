/** Why a run stopped buying, or stopped altogether. Each has an exit code (`exit-code.ts`). */
export type Trouble =
  | 'authentication'
  | 'balance'
  | 'price_rose'
  | 'over_budget'
  | 'in_doubt_thrice'
  | 'unavailable'
  | 'storage'
  | 'lockfile'
  | 'lock_lost'
  | 'lockfile_displaced'
  | 'lockfile_grown'
  | 'fail_fast'
  | 'timeout'
  | 'detached'
  | 'interrupted';
