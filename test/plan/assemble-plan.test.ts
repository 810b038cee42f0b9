import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attempt, spentMicroUsd } from '../../src/lockfile/attempt.js';
import type { Take } from '../../src/manifest/take.js';
import { assemblePlan, checkBudget, distinctQuotes, draftPurchases } from '../../src/plan/assemble-plan.js';
import { decide } from '../../src/plan/decide.js';
import type { Plan } from '../../src/plan/plan.js';
import type { Model } from '../../src/venice/model.js';
import { catalogueOf, filesOf, makeAttempt, makeModel, makeTake, NOW_MS } from './builders.js';

interface World {
  readonly takes: readonly Take[];
  readonly models?: readonly Model[];
  readonly attempts?: readonly Attempt[];
  readonly budget?: number;
  /** Micro-dollars by query key; the default for keys that are missing; `null`: no response. */
  readonly price?: (key: string) => number | null;
}

function planOf({
  takes,
  models = [makeModel()],
  attempts = [],
  budget,
  price = () => 500_000,
}: World): Plan {
  const decided = decide({
    takes,
    attempts,
    files: filesOf(attempts),
    occupied: () => undefined,
    selection: { retryFailed: false, force: [] },
  });
  const drafted = draftPurchases(decided.rows, catalogueOf(...models), NOW_MS);
  const quotes = new Map(
    distinctQuotes(drafted.drafts).flatMap(({ key }) => {
      const microUsd = price(key);
      return microUsd === null ? [] : [[key, { microUsd, quotedAtMs: NOW_MS }] as const];
    }),
  );
  return assemblePlan({ decided, drafted, quotes, attempts, budgetMicroUsd: budget });
}

const tracks = (count: number, request: Take['request'] | object = {}) =>
  Array.from({ length: count }, (_, index) =>
    makeTake({ track: `t${index}`, request: { prompt: `p${index}`, ...request } }),
  );

describe('quotes', () => {
  it('are requested once for identical requests', () => {
    const takes = [...tracks(50, { duration_seconds: 60 }), ...tracks(50, { duration_seconds: 30 })];
    const decided = decide({
      takes,
      attempts: [],
      files: new Map(),
      occupied: () => undefined,
      selection: { retryFailed: false, force: [] },
    });
    const { drafts } = draftPurchases(decided.rows, catalogueOf(makeModel()), NOW_MS);
    expect(drafts).toHaveLength(100);
    expect(distinctQuotes(drafts).map(({ duration_seconds }) => duration_seconds)).toEqual([60, 30]);
  });

  it('are in the plan beside the catalogue price', () => {
    const plan = planOf({ takes: tracks(1) });
    expect(plan.purchases[0]?.quote).toMatchObject({
      microUsd: 500_000,
      catalogueMicroUsd: 100_000,
      quotedAtMs: NOW_MS,
    });
  });

  it('that are missing are an error and prevent the purchase', () => {
    const takes = [...tracks(2, { duration_seconds: 60 }), makeTake({ track: 'other' })];
    const plan = planOf({ takes, price: (key) => (key.includes('60') ? null : 70_000) });
    expect(plan.purchases.map(({ take }) => take.key)).toEqual(['other']);
    expect(plan.diagnostics).toMatchObject([{ code: 'no-quote', severity: 'error' }]);
    expect(plan.diagnostics[0]?.message).toContain('t0 and t1');
  });

  it('may be missing if the request is wrong', () => {
    const takes = [makeTake({ track: 'wrong', request: { loop: true } }), makeTake({ track: 'right' })];
    const plan = planOf({ takes, models: [makeModel({ supports_loop: false })], price: () => null });
    expect(plan.diagnostics.map(({ code }) => code)).toEqual(['loop-unsupported']);
  });
});

describe('checks against the models', () => {
  it('cover only what is to be bought', () => {
    const takes = tracks(2);
    const gone = planOf({
      takes,
      models: [],
      attempts: [makeAttempt({ of: takes[0]! }), makeAttempt({ name: 'b', of: takes[1]!, state: 'queued' })],
    });
    expect(gone.diagnostics).toEqual([]);
    expect(planOf({ takes, models: [] }).diagnostics.map(({ code }) => code)).toContain('unknown-model');
  });

  it('report all takes of a track once', () => {
    const takes = [1, 2, 3].map((take) => makeTake({ take, takes: 3, request: { loop: true } }));
    expect(planOf({ takes, models: [makeModel({ supports_loop: false })] }).diagnostics).toHaveLength(1);
  });
});

describe('the totals', () => {
  it('are exactly the sums of the purchases', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 10_000_000_000 }), { maxLength: 20 }), (prices) => {
        const takes = prices.map((_, index) =>
          makeTake({ track: `t${index}`, request: { duration_seconds: index + 1 } }),
        );
        const plan = planOf({ takes, price: (key) => prices[(JSON.parse(key) as number[])[1]! - 1]! });
        expect(plan.totalMicroUsd).toBe(prices.reduce((sum, price) => sum + price, 0));
        expect(plan.totalMicroUsd).toBe(plan.purchases.reduce((sum, { quote }) => sum + quote.microUsd, 0));
        expect(new Set(plan.purchases.map(({ take }) => take.key)).size).toBe(prices.length);
      }),
    );
  });

  it('count what is charged, reserved or in doubt as spent, but not what was refused or refunded', () => {
    const of = makeTake();
    const states = [
      'intent',
      'queued',
      'stored',
      'done',
      'in_doubt',
      'failed',
      'lost',
      'unverified',
    ] as const;
    const counted = states.map((state, index) =>
      makeAttempt({ name: `${index}`, of, state, quote: 10 ** index }),
    );
    const uncounted = [
      makeAttempt({ name: 'x', of, state: 'rejected', quote: 5 }),
      makeAttempt({ name: 'y', of, state: 'failed', refunded: true, quote: 5 }),
    ];
    expect(spentMicroUsd([...counted, ...uncounted])).toBe(11_111_111);
  });
});

describe('the budget', () => {
  const three = { takes: tracks(3), price: () => 1_000_000 };

  it.each([
    ['is not exceeded at the limit', 3_000_000, []],
    ['is exceeded by a micro-dollar', 2_999_999, ['over-budget']],
    ['is not exceeded if there is none', undefined, []],
  ])('%s', (_, budget, expected) => {
    const plan = planOf({ ...three, ...(budget === undefined ? {} : { budget }) });
    expect(checkBudget(plan).map(({ code }) => code)).toEqual(expected);
  });

  it('counts what was spent before', () => {
    const attempts = [makeAttempt({ of: makeTake({ track: 'old' }), quote: 1_500_000 })];
    const [diagnostic] = checkBudget(planOf({ ...three, attempts, budget: 4_000_000 }));
    expect(diagnostic?.message).toBe('$3.00, with $1.50 spent before, exceeds the budget of $4.00 by $0.50');
    expect(diagnostic?.hint).toContain('to 4.50,');
  });

  it('has an error that names the line of the manifest and the amount to write there', () => {
    const span = { file: 'album.yaml', line: 2, column: 9, endLine: 2, endColumn: 10 };
    const manifest = { budgetMicroUsd: 2_000_000, budgetSpan: span };
    const [byManifest] = checkBudget(planOf({ ...three, budget: 2_000_000 }), manifest);
    expect(byManifest).toMatchObject({ span, hint: expect.stringContaining('write `budget: 3.00`') });
    const [byCommand] = checkBudget(planOf({ ...three, budget: 1_000_000 }), manifest);
    expect(byCommand?.span).toBeUndefined();
    expect(byCommand?.hint).toBe(
      'raise --budget (VENICE_BATCH_BUDGET) to 3.00 and `budget` in the manifest as well, or buy less with --only',
    );
  });

  it('does not matter if nothing is bought', () => {
    const takes = tracks(1);
    const attempts = [makeAttempt({ of: takes[0]!, quote: 9_000_000 })];
    expect(checkBudget(planOf({ takes, attempts, budget: 1 }))).toEqual([]);
  });
});
