/**
 * Money is counted in integer micro-dollars (1 USD = 1,000,000), so that sums of thousands of prices are exact and
 * budgets are compared without floating-point errors.
 */

/** Micro-dollars in one US dollar. */
export const MICRO_USD_PER_USD = 1_000_000;

/**
 * Converts a price from the API (USD, a JSON number) to micro-dollars. A fraction of a micro-dollar rounds up, so that
 * a total is never lower than the charge. Differences below a millionth of a micro-dollar are floating-point noise
 * (`0.11500000000000002`), not a price.
 *
 * @param usd a finite number of US dollars, at least 0 and at most 1,000,000
 * @returns integer micro-dollars, or `undefined` if `usd` is not such a number
 */
export function microUsdFromUsd(usd: unknown): number | undefined {
  if (typeof usd !== 'number' || !Number.isFinite(usd) || usd < 0 || usd > 1_000_000) return undefined;
  return Math.ceil(Number((usd * MICRO_USD_PER_USD).toFixed(6)));
}

/** Dollars for display: at least two decimals, more only if the price has them (`$0.69`, `$0.0023`, `$1,234.50`). */
export function formatUsd(microUsd: number): string {
  const sign = microUsd < 0 ? '-' : '';
  const absolute = Math.abs(Math.round(microUsd));
  const dollars = Math.floor(absolute / MICRO_USD_PER_USD).toLocaleString('en-US');
  const decimals = String(absolute % MICRO_USD_PER_USD)
    .padStart(6, '0')
    .replace(/0{1,4}$/, '');
  return `${sign}$${dollars}.${decimals}`;
}

/** The lower of two limits, as far as they are set. */
export function lowest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}

/**
 * What became of the price of one take. `refunded`: the service or the user said so. `refunded (as documented)`: the
 * service said that the job failed, and its documentation says that failed jobs are refunded.
 */
export type Money = 'not charged' | 'charged' | 'refunded' | 'refunded (as documented)' | 'unknown';

export function isRefunded(money: Money | undefined): boolean {
  return money === 'refunded' || money === 'refunded (as documented)';
}

/** What a purchase may be charged to, in the order in which the service tries them. */
export const CURRENCIES = ['DIEM', 'EARNED_CREDITS', 'BUNDLED_CREDITS', 'USD'] as const;

export type Currency = (typeof CURRENCIES)[number];
