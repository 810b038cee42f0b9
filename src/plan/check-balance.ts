import type { Diagnostic } from '../core/diagnostic.js';
import { CURRENCIES, type Currency, formatUsd } from '../core/money.js';
import type { Balance } from '../venice/client.js';
import type { Plan, Purchase } from './plan.js';

/** Amounts that a plan would draw from each balance. */
export interface Funding {
  /** Integer micro-dollars by currency, for covered purchases. */
  readonly drawn: ReadonlyMap<Currency, number>;
  /** Purchases that no known balance covers. */
  readonly uncovered: readonly Purchase[];
}

/**
 * Charges a plan as the service does: each purchase to the first balance that covers its whole price. Purchases are
 * never split.
 */
export function fundingOf(purchases: readonly Purchase[], { currencies, topUp }: Balance): Funding {
  const left = new Map(CURRENCIES.map((currency) => [currency, currencies[currency] ?? 0]));
  const drawn = new Map<Currency, number>();
  const uncovered: Purchase[] = [];
  for (const purchase of purchases) {
    const { microUsd } = purchase.quote;
    const currency = CURRENCIES.find((name) => left.get(name)! >= microUsd);
    if (currency === undefined || (topUp !== undefined && isWalletTooLow(Object.fromEntries(left)))) {
      uncovered.push(purchase);
      continue;
    }
    left.set(currency, left.get(currency)! - microUsd);
    drawn.set(currency, (drawn.get(currency) ?? 0) + microUsd);
  }
  return { drawn, uncovered };
}

/** The sum of the known balances in integer micro-dollars; `undefined` if none is known. */
export function knownMicroUsd({ currencies }: Balance): number | undefined {
  const amounts = Object.values(currencies);
  return amounts.length === 0 ? undefined : amounts.reduce((sum, amount) => sum + amount, 0);
}

/** Balances that the service should list but did not: they may cover what the others do not. */
export function unlistedCurrencies({ currencies }: Balance): readonly Currency[] {
  return CURRENCIES.filter((name) => name !== 'EARNED_CREDITS' && currencies[name] === undefined);
}

/** A wallet with less than this cannot buy. */
const WALLET_MICRO_USD_MIN = 100_000;

/**
 * Whether the balance prevents a plan: `cannot-consume`, `over-balance`. A balance that the service did not list never
 * does, except earned credits, which only ADMIN keys can see.
 */
export function checkBalance(plan: Plan, balance: Balance): readonly Diagnostic[] {
  if (plan.purchases.length === 0) return [];
  if (balance.permitted === false || (balance.topUp !== undefined && isWalletTooLow(balance.currencies)))
    return [cannotConsume(balance)];
  if (unlistedCurrencies(balance).length > 0) return [];
  const { uncovered } = fundingOf(plan.purchases, balance);
  return uncovered.length === 0 ? [] : [overBalance(plan, balance, uncovered)];
}

function isWalletTooLow({ DIEM = 0, USD = 0 }: Balance['currencies']): boolean {
  return DIEM + USD < WALLET_MICRO_USD_MIN;
}

function cannotConsume(balance: Balance): Diagnostic {
  const isWallet = balance.topUp !== undefined;
  const isTooLow = isWallet && isWalletTooLow(balance.currencies);
  return {
    code: 'cannot-consume',
    severity: 'error',
    message: isTooLow
      ? `this wallet has ${formatUsd(knownMicroUsd(balance) ?? 0)}, but needs at least ${formatUsd(WALLET_MICRO_USD_MIN)} to buy anything`
      : `the service does not allow this ${isWallet ? 'wallet' : 'account'} to buy anything right now`,
    hint: topUpHint(balance) ?? 'top up the account, or check the spend limit of the API key',
  };
}

function overBalance(plan: Plan, balance: Balance, uncovered: readonly Purchase[]): Diagnostic {
  const shortMicroUsd = uncovered.reduce((sum, { quote }) => sum + quote.microUsd, 0);
  const takes = uncovered.length === 1 ? '1 take' : `${uncovered.length} takes`;
  const hidden =
    balance.currencies.EARNED_CREDITS === undefined
      ? '; earned credits are not known (only an ADMIN key can see them): if they cover the rest, add --ignore-balance'
      : '';
  return {
    code: 'over-balance',
    severity: 'error',
    message: `the balance (${currencyNames(balance)}) does not cover ${takes}, which ${uncovered.length === 1 ? 'costs' : 'cost'} ${formatUsd(shortMicroUsd)} of the ${formatUsd(plan.totalMicroUsd)} total`,
    hint: `${topUpHint(balance) ?? 'top up the account'}, or buy less with --only${hidden}`,
  };
}

/** What a top-up needs. It moves real money irreversibly, so the user makes it elsewhere. */
function topUpHint({ topUp }: Balance): string | undefined {
  if (topUp === undefined) return undefined;
  const { minimumMicroUsd, suggestedMicroUsd } = topUp;
  const amounts = [
    ...(minimumMicroUsd === undefined ? [] : [`at least ${formatUsd(minimumMicroUsd)}`]),
    ...(suggestedMicroUsd === undefined ? [] : [`${formatUsd(suggestedMicroUsd)} suggested`]),
  ];
  const how = amounts.length === 0 ? '' : ` (${amounts.join(', ')})`;
  return `top up the wallet with USDC on Base${how}`;
}

const NAMES: Readonly<Record<Currency, string>> = {
  DIEM: 'DIEM',
  EARNED_CREDITS: 'earned credits',
  BUNDLED_CREDITS: 'bundled credits',
  USD: 'USD',
};

export function currencyName(currency: Currency): string {
  return NAMES[currency];
}

/** Each known balance with its amount. Empty ones are omitted if another is not empty. */
export function currencyNames({ currencies }: Balance): string {
  const known = CURRENCIES.filter((currency) => currencies[currency] !== undefined);
  const shown = known.filter((currency) => currencies[currency] !== 0);
  return (shown.length > 0 ? shown : known)
    .map((currency) => `${formatUsd(currencies[currency]!)} ${currencyName(currency)}`)
    .join(', ');
}
