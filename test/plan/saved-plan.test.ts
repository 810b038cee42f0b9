import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { Take } from '../../src/manifest/take.js';
import { assemblePlan, draftPurchases } from '../../src/plan/assemble-plan.js';
import { decide } from '../../src/plan/decide.js';
import type { Plan } from '../../src/plan/plan.js';
import {
  checkBasis,
  checkPurchases,
  type PlanBasis,
  savePlan,
  selectionOf,
} from '../../src/plan/saved-plan.js';
import { readSavedPlan, savedPlanText } from '../../src/plan/saved-plan-file.js';
import type { Selection } from '../../src/plan/selection.js';
import { catalogueOf, filesOf, makeAttempt, makeModel, makeTake, NOW_MS } from './builders.js';

const LINEAGE = '0123456789abcdef0123456789abcdef';
const ALL: Selection = { retryFailed: false, force: [] };
const opening = makeTake({ track: 'opening' });
const ending = makeTake({ track: 'ending', request: { prompt: 'a slow fade' } });
const TAKES = [opening, ending];

/** The plan for these takes, each at `price`. */
function planOf(
  takes: readonly Take[],
  attempts: readonly Attempt[] = [],
  { price = 100_000, selection = ALL, budgetMicroUsd }: PlanSketch = {},
): Plan {
  const files = filesOf(attempts);
  const decided = decide({ takes, attempts, files, occupied: () => undefined, selection });
  const drafted = draftPurchases(decided.rows, catalogueOf(makeModel()), NOW_MS);
  const quotes = new Map(
    drafted.drafts.map(({ query }) => [query.key, { microUsd: price, quotedAtMs: NOW_MS }]),
  );
  return assemblePlan({ decided, drafted, quotes, attempts, budgetMicroUsd });
}

interface PlanSketch {
  readonly price?: number;
  readonly selection?: Selection;
  readonly budgetMicroUsd?: number;
}

function basisOf(attempts: readonly Attempt[] = [], changes: Partial<PlanBasis> = {}): PlanBasis {
  return { endpoint: 'https://api.example/v1', lineage: LINEAGE, attempts, takes: TAKES, ...changes };
}

/** The result of applying a plan saved on `before` to `now`. */
function reasonFor(before: PlanBasis, now: PlanBasis): string | undefined {
  return checkBasis(savePlan(planOf(before.takes, before.attempts), ALL, before), now)?.code;
}

describe('the validity of a saved plan', () => {
  const edited = makeTake({ track: 'ending', request: { prompt: 'a fast fade' } });
  const renamed = makeTake({ track: 'ending', request: { prompt: 'a slow fade' }, stem: 'out/finale' });
  const elsewhere = makeAttempt({ name: 'x', of: makeTake({ track: 'gone' }) });
  const rejected = makeAttempt({
    name: 'r',
    of: opening,
    state: 'rejected',
    reason: { code: 'X', status: 402 },
  });
  const queued = makeAttempt({ name: 'q', of: opening, state: 'queued' });
  const table: readonly [string, PlanBasis, PlanBasis, string | undefined][] = [
    ['nothing changed', basisOf(), basisOf(), undefined],
    ['there was no lockfile, and is none', basisOf([], { lineage: undefined }), basisOf(), undefined],
    ['the tracks stand in another order', basisOf(), basisOf([], { takes: [ending, opening] }), undefined],
    [
      'what was in flight is collected',
      basisOf([queued]),
      basisOf([{ ...queued, rev: 9, state: 'done' }]),
      undefined,
    ],
    ['another endpoint', basisOf(), basisOf([], { endpoint: 'sandbox:' }), 'plan-other-endpoint'],
    ['another lockfile', basisOf(), basisOf([], { lineage: LINEAGE.replace('0', 'f') }), 'plan-stale'],
    ['the lockfile is gone', basisOf([queued]), basisOf([], { lineage: undefined }), 'plan-stale'],
    ['an attempt at something else', basisOf(), basisOf([elsewhere]), 'plan-stale'],
    ['a prompt was edited', basisOf(), basisOf([], { takes: [opening, edited] }), 'plan-stale'],
    ['a file goes elsewhere', basisOf(), basisOf([], { takes: [opening, renamed] }), 'plan-stale'],
    [
      'a track is new',
      basisOf(),
      basisOf([], { takes: [...TAKES, makeTake({ track: 'third' })] }),
      'plan-stale',
    ],
    ['a track is gone', basisOf(), basisOf([], { takes: [opening] }), 'plan-stale'],
    ['it was applied, in part', basisOf(), basisOf([queued]), 'plan-used'],
    ['all it submitted was refused', basisOf(), basisOf([rejected]), 'plan-used'],
    ['it bought again what failed before', basisOf([rejected]), basisOf([rejected, queued]), 'plan-used'],
    [
      'it was the first to write a lockfile',
      basisOf([], { lineage: undefined }),
      basisOf([queued]),
      'plan-used',
    ],
  ];
  it.each(table)('%s', (_, before, now, code) => {
    expect(reasonFor(before, now)).toBe(code);
  });

  it('ends with the first intent, whatever its outcome', () => {
    const state = fc.constantFrom<Attempt['state']>(
      'intent',
      'queued',
      'stored',
      'done',
      'rejected',
      'in_doubt',
      'failed',
      'lost',
      'unverified',
    );
    fc.assert(
      fc.property(
        fc.array(state, { maxLength: 4 }),
        state,
        fc.constantFrom(...TAKES),
        (earlier, later, of) => {
          const before = earlier.map((known, index) =>
            makeAttempt({ name: `before ${index}`, state: known, of: TAKES[index % 2]! }),
          );
          const saved = savePlan(planOf(TAKES, before), ALL, basisOf(before));
          const after = [makeAttempt({ name: 'after', state: later, of }), ...before];
          const reason = checkBasis(saved, basisOf(after))?.code;
          const planned = saved.purchases.some(({ track }) => track === of.track);
          expect(reason).toBe(planned ? 'plan-used' : 'plan-stale');
        },
      ),
    );
  });
});

describe('the purchases of a saved plan', () => {
  const saved = savePlan(planOf(TAKES), ALL, basisOf());

  it('are the current ones at the same price or a lower one', () => {
    expect(checkPurchases(saved, planOf(TAKES))).toBeUndefined();
    expect(checkPurchases(saved, planOf(TAKES, [], { price: 99_999 }))).toBeUndefined();
  });

  it('cost not a micro-dollar more', () => {
    expect(checkPurchases(saved, planOf(TAKES, [], { price: 100_001 }))?.code).toBe('price-rose');
  });

  it('cannot balance a higher price of one with a lower price of another', () => {
    const plan = planOf(TAKES);
    const [first, second] = plan.purchases;
    const moved: Plan = {
      ...plan,
      purchases: [
        { ...first!, quote: { ...first!.quote, microUsd: 50_000 } },
        { ...second!, quote: { ...second!.quote, microUsd: 150_000 } },
      ],
    };
    expect(checkPurchases(saved, moved)?.code).toBe('price-rose');
  });

  it('are exactly the planned ones', () => {
    expect(checkPurchases(saved, planOf([opening]))?.code).toBe('plan-stale');
    expect(checkPurchases(saved, planOf([...TAKES, makeTake({ track: 'third' })]))?.code).toBe('plan-stale');
    const other = makeTake({ track: 'ending', request: { prompt: 'something else' } });
    expect(checkPurchases(saved, planOf([opening, other]))?.code).toBe('plan-stale');
  });

  it('keep the selection that they were planned with', () => {
    const selection: Selection = { only: ['open*'], except: ['x'], force: ['ending'], retryFailed: true };
    expect(selectionOf(savePlan(planOf(TAKES), selection, basisOf()))).toEqual({ ...selection, saved: true });
  });
});

describe('the file of a saved plan', () => {
  const saved = savePlan(planOf(TAKES, [], { budgetMicroUsd: 5_000_000 }), ALL, basisOf());
  const changed = (changes: object) => readSavedPlan(JSON.stringify({ ...saved, ...changes }));
  const [first] = saved.purchases;

  it('is read back unchanged', () => {
    expect(readSavedPlan(savedPlanText(saved))).toEqual({ ok: true, saved });
    expect(saved.budget_micro_usd).toBe(5_000_000);
    expect(saved.total_micro_usd).toBe(200_000);
  });

  it('of a newer version says so, whatever else is in it', () => {
    expect(changed({ version: 2, surprise: true })).toMatchObject({ ok: false, code: 'plan-newer-version' });
  });

  it.each([
    ['another JSON', { format: 'venice-batch-lock' }],
    ['version 0', { version: 0 }],
    ['an unknown field', { surprise: true }],
    ['no takes', { manifest_sha256: undefined }],
    ['an incomplete digest', { attempts_sha256: 'abc' }],
    ['a lineage of the wrong type', { lineage: 7 }],
    ['a total that is not the sum', { total_micro_usd: 1 }],
    ['a negative price', { purchases: [{ ...first, price_micro_usd: -1 }], total_micro_usd: -1 }],
    [
      'a fraction of a micro-dollar',
      { purchases: [{ ...first, price_micro_usd: 0.5 }], total_micro_usd: 0.5 },
    ],
    ['one take twice', { purchases: [first, first] }],
    ['a purchase without a digest', { purchases: [{ ...first, digest: '' }], total_micro_usd: 100_000 }],
    ['patterns that are not strings', { only: [1] }],
    ['patterns that take too long to match', { except: Array.from({ length: 101 }, (_, n) => `*${n}`) }],
    ['a flag that is a string', { retry_failed: 'no' }],
  ])('with %s is not valid', (_, changes) => {
    expect(changed(changes)).toMatchObject({ ok: false, code: 'plan-not-a-plan' });
  });

  it('never causes an exception, and only valid plans are accepted', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(readSavedPlan(text)).toMatchObject({ ok: false, code: 'plan-not-a-plan' });
      }),
    );
    fc.assert(
      fc.property(fc.nat({ max: savedPlanText(saved).length - 3 }), (length) => {
        expect(readSavedPlan(savedPlanText(saved).slice(0, length)).ok).toBe(false);
      }),
    );
  });
});
