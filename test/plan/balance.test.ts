import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CURRENCIES, type Currency } from '../../src/core/money.js';
import { checkBalance, currencyNames, fundingOf } from '../../src/plan/check-balance.js';
import type { Plan } from '../../src/plan/plan.js';
import type { Balance } from '../../src/venice/client.js';
import { makeTake, NOW_MS } from './builders.js';

const EMPTY = { DIEM: 0, EARNED_CREDITS: 0, BUNDLED_CREDITS: 0, USD: 0 };
/** All that a key without the ADMIN role can see. */
const KEY_EMPTY = { DIEM: 0, BUNDLED_CREDITS: 0, USD: 0 };

function planFor(prices: readonly number[]): Plan {
  const purchases = prices.map((microUsd, index) => {
    const take = makeTake({ track: `t${index}` });
    const quote = { microUsd, quotedAtMs: NOW_MS, key: 'song', model: 'song' };
    return { take, why: { kind: 'new' } as const, request: take.request, quote };
  });
  const totalMicroUsd = prices.reduce((sum, price) => sum + price, 0);
  return {
    rows: [],
    purchases,
    orphans: [],
    unlistedCount: 0,
    moves: [],
    totalMicroUsd,
    spentBeforeMicroUsd: 0,
    diagnostics: [],
    boughtTwice: [],
  };
}

function codes(prices: readonly number[], balance: Balance): readonly string[] {
  return checkBalance(planFor(prices), balance).map(({ code }) => code);
}

describe('a plan that costs three times one dollar', () => {
  const three = [1_000_000, 1_000_000, 1_000_000];

  it.each<[string, Balance, string[]]>([
    ['is covered by US dollars', { currencies: { ...EMPTY, USD: 3_000_000 } }, []],
    ['is short by a micro-dollar', { currencies: { ...EMPTY, USD: 2_999_999 } }, ['over-balance']],
    [
      'is covered by earned credits',
      { currencies: { ...EMPTY, EARNED_CREDITS: 100_000_000, USD: 100_000 } },
      [],
    ],
    [
      'is covered by two balances together',
      { currencies: { ...EMPTY, DIEM: 1_000_000, USD: 2_000_000 } },
      [],
    ],
    [
      'is not covered if a price would have to be split',
      { currencies: { ...EMPTY, DIEM: 1_500_000, USD: 1_500_000 } },
      ['over-balance'],
    ],
    ['is not covered by an empty account', { permitted: true, currencies: KEY_EMPTY }, ['over-balance']],
    [
      'is not covered by a short account',
      { permitted: true, currencies: { ...KEY_EMPTY, USD: 100_000 } },
      ['over-balance'],
    ],
    ['is not permitted', { permitted: false, currencies: { ...EMPTY, USD: 9_000_000 } }, ['cannot-consume']],
    ['is allowed if no balance is known', { permitted: true, currencies: {} }, []],
    ['is allowed if one balance is unknown', { currencies: { DIEM: 0, USD: 0 } }, []],
  ])('%s', (_, balance, expected) => {
    expect(codes(three, balance)).toEqual(expected);
  });

  it('has an error that names the missing amount and the balances', () => {
    const [found] = checkBalance(planFor(three), {
      currencies: { ...KEY_EMPTY, DIEM: 1_000_000, USD: 500_000 },
    });
    expect(found?.message).toBe(
      'the balance ($1.00 DIEM, $0.50 USD) does not cover 2 takes, which cost $2.00 of the $3.00 total',
    );
    expect(found?.hint).toContain('--ignore-balance');
  });

  it('needs no flag if every balance is known', () => {
    const [found] = checkBalance(planFor(three), { currencies: EMPTY });
    expect(found?.hint).not.toContain('--ignore-balance');
  });
});

describe('a wallet', () => {
  const topUp = { minimumMicroUsd: 5_000_000, suggestedMicroUsd: 10_000_000 };

  it('below ten cents buys nothing, and the error names the minimum top-up', () => {
    const [found] = checkBalance(planFor([10_000]), {
      permitted: true,
      currencies: { ...EMPTY, USD: 99_999 },
      topUp,
    });
    expect(found?.code).toBe('cannot-consume');
    expect(found?.hint).toContain('at least $5.00, $10.00 suggested');
  });

  it('says only of too low a balance that it is too low', () => {
    const refusedWith = (USD: number) =>
      checkBalance(planFor([10_000]), { permitted: false, currencies: { ...EMPTY, USD }, topUp })[0];
    expect(refusedWith(50_000)?.message).toContain('has $0.05, but needs at least $0.10');
    expect(refusedWith(5_000_000)).toMatchObject({
      code: 'cannot-consume',
      message: 'the service does not allow this wallet to buy anything right now',
    });
  });

  it('with ten cents buys what that pays for', () => {
    expect(codes([100_000], { currencies: { ...EMPTY, USD: 100_000 }, topUp })).toEqual([]);
    expect(codes([100_001], { currencies: { ...EMPTY, USD: 100_000 }, topUp })).toEqual(['over-balance']);
  });
});

describe('a wallet that falls below ten cents', () => {
  it('buys nothing more', () => {
    const wallet = { currencies: { ...EMPTY, USD: 450_000 }, topUp: {} };
    expect(codes([50_000, 380_000], wallet)).toEqual([]);
    expect(codes([380_000, 50_000], wallet)).toEqual(['over-balance']);
  });
});

describe('a plan that buys nothing', () => {
  it('needs no balance', () => {
    expect(checkBalance(planFor([]), { permitted: false, currencies: EMPTY })).toEqual([]);
  });
});

describe('paying from several balances', () => {
  const amount = fc.integer({ min: 0, max: 5_000_000 });

  it('never goes below zero, splits no price, and leaves nothing unpaid that a balance could pay', () => {
    fc.assert(
      fc.property(
        fc.array(amount, { maxLength: 12 }),
        fc.record({ DIEM: amount, EARNED_CREDITS: amount, BUNDLED_CREDITS: amount, USD: amount }),
        (prices, currencies) => {
          const { drawn, uncovered } = fundingOf(planFor(prices).purchases, { currencies });
          for (const [currency, microUsd] of drawn)
            expect(microUsd).toBeLessThanOrEqual(currencies[currency]);
          const left = (currency: Currency) => currencies[currency] - (drawn.get(currency) ?? 0);
          for (const { quote } of uncovered)
            expect(Math.max(...CURRENCIES.map(left))).toBeLessThan(quote.microUsd);
          const total = prices.reduce((sum, price) => sum + price, 0);
          const paid = [...drawn.values()].reduce((sum, microUsd) => sum + microUsd, 0);
          const open = uncovered.reduce((sum, { quote }) => sum + quote.microUsd, 0);
          expect(paid + open).toBe(total);
        },
      ),
    );
  });

  it('uses the first balance that covers the whole price', () => {
    const currencies = {
      DIEM: 500_000,
      EARNED_CREDITS: 2_000_000,
      BUNDLED_CREDITS: 9_000_000,
      USD: 9_000_000,
    };
    const { drawn } = fundingOf(planFor([1_000_000, 400_000]).purchases, { currencies });
    expect([...drawn]).toEqual([
      ['EARNED_CREDITS', 1_000_000],
      ['DIEM', 400_000],
    ]);
  });
});

describe('the description of balances', () => {
  it('omits empty balances unless all are empty', () => {
    expect(currencyNames({ currencies: { ...EMPTY, USD: 2_500_000 } })).toBe('$2.50 USD');
    expect(currencyNames({ currencies: { DIEM: 0, USD: 0 } })).toBe('$0.00 DIEM, $0.00 USD');
  });
});
