import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { Take } from '../../src/manifest/take.js';
import { assemblePlan, distinctQuotes, draftPurchases } from '../../src/plan/assemble-plan.js';
import { type DecideInput, decide } from '../../src/plan/decide.js';
import type { Plan } from '../../src/plan/plan.js';
import { isPriced } from '../../src/plan/plan.js';
import { planJson } from '../../src/report/plan-json.js';
import { type PlanTextOptions, renderPlan } from '../../src/report/plan-text.js';
import { displayWidth } from '../../src/report/width.js';
import { catalogueOf, filesOf, makeAttempt, makeModel, makeTake, NOW_MS } from './builders.js';

const MODEL = makeModel({
  pricing: {
    kind: 'durations',
    tiers: [
      { minSeconds: 3, maxSeconds: 60, microUsd: 690_000 },
      { minSeconds: 61, maxSeconds: 120, microUsd: 1_380_000 },
    ],
  },
});

interface World {
  readonly takes: readonly Take[];
  readonly attempts?: readonly Attempt[];
  readonly situation?: Partial<DecideInput>;
  readonly price?: number;
  readonly budget?: number;
  readonly models?: readonly (typeof MODEL)[];
}

function planOf({
  takes,
  attempts = [],
  situation,
  price = 1_380_000,
  budget,
  models = [MODEL],
}: World): Plan {
  const decided = decide({
    takes,
    attempts,
    files: filesOf(attempts),
    occupied: () => undefined,
    selection: { retryFailed: false, force: [] },
    ...situation,
  });
  const drafted = draftPurchases(decided.rows, catalogueOf(...models), NOW_MS);
  const quotes = new Map(
    distinctQuotes(drafted.drafts).map(({ key }) => [key, { microUsd: price, quotedAtMs: NOW_MS }]),
  );
  return assemblePlan({ decided, drafted, quotes, attempts, budgetMicroUsd: budget });
}

const OPTIONS: PlanTextOptions = {
  endpoint: 'https://api.example.test/v1',
  sandbox: false,
  color: false,
  width: 100,
  verbose: false,
};

function screen(plan: Plan, options: Partial<PlanTextOptions> = {}): string {
  return renderPlan(plan, { ...OPTIONS, ...options });
}

/** The row of a take, with one space between columns. */
function row(plan: Plan, key: string, options: Partial<PlanTextOptions> = {}): string | undefined {
  const lines = screen(plan, options).split('\n');
  return lines.find((line) => line.slice(3).startsWith(`${key} `))?.replace(/ +/g, ' ');
}

const take = makeTake({ request: { duration_seconds: 61 } });
const HERE = makeTake({ track: 'here' });
const WANTED: World = { takes: [take] };
const past = (sketch: Parameters<typeof makeAttempt>[0]): World => ({
  takes: [take],
  attempts: [makeAttempt({ of: take, ...sketch })],
});

/** As after two quotes, one of which failed. */
const PRICED_IN_PART: Plan = (() => {
  const plan = planOf({ takes: [take, makeTake({ track: 'second' })], budget: 5_000_000 });
  return { ...plan, purchases: plan.purchases.filter((purchase) => purchase.take === take) };
})();

describe('a plan without prices', () => {
  it('is one line, as there is nothing to approve', () => {
    const plan = planOf({ ...WANTED, models: [], budget: 5_000_000 });
    expect(isPriced(plan)).toBe(false);
    expect(screen(plan)).toBe('No plan: nothing was priced\n');
  });

  it('is complete if some prices are known or nothing is to be bought', () => {
    for (const plan of [PRICED_IN_PART, planOf(past({})), planOf({ takes: [] })]) {
      expect(isPriced(plan)).toBe(true);
      expect(screen(plan)).toMatch(/^To buy/m);
    }
  });
});

describe('the row of a take', () => {
  it.each<[string, World, string]>([
    ['new', WANTED, '+ opening new $1.38 song'],
    ['changed', past({ request: { prompt: 'x', loop: true } }), '~ opening prompt, loop changed $1.38 song'],
    ['done', past({}), '= opening done song'],
    ['done, to be moved', past({ path: 'old/opening.wav' }), '= opening done song'],
    ['in flight', past({ state: 'queued' }), '> opening in flight song'],
    ['stored', past({ state: 'stored' }), '> opening remote copy still to delete song'],
    ['in doubt', past({ state: 'intent' }), '? opening in doubt: see `resolve` song'],
    [
      'failed',
      past({ state: 'failed', reason: { code: 'OOPS' } }),
      '! opening failed (OOPS): --retry-failed song',
    ],
    [
      'refused',
      past({ state: 'rejected', reason: { code: 'x', status: 422 } }),
      '! opening rejected (422): change it song',
    ],
    [
      'missing',
      {
        takes: [take, HERE],
        attempts: [makeAttempt({ of: take }), makeAttempt({ of: HERE, name: 'b' })],
        situation: { files: new Map([['out/here.wav', 'present']]) },
      },
      '! opening its file is missing: --retry-failed song',
    ],
    [
      'missing with all others',
      { ...past({}), situation: { files: new Map() } },
      '! opening its file is missing song',
    ],
    [
      'occupied',
      { ...WANTED, situation: { occupied: () => 'out/opening.mp3' } },
      '! opening a file is in the way song',
    ],
    [
      'left out',
      { ...WANTED, situation: { selection: { except: ['*'], retryFailed: false, force: [] } } },
      '- opening left out (new) song',
    ],
    [
      'refused for now',
      past({ state: 'rejected', reason: { code: 'x', status: 402 } }),
      '+ opening again: rejected (402) $1.38 song',
    ],
    [
      'forced',
      { ...past({}), situation: { selection: { force: ['opening'], retryFailed: false } } },
      '+ opening again: --force $1.38 song',
    ],
    [
      'an orphan',
      { takes: [], attempts: [makeAttempt({ state: 'queued' })] },
      '> opening in flight, for an earlier request or track song',
    ],
  ])('%s', (_, world, expected) => {
    expect(row(planOf(world), 'opening')).toBe(expected);
  });

  it.each<[string, string, string, World]>([
    ['where its file moves to', 'moves to ', 'out/opening.wav', past({ path: 'old/opening.wav' })],
    [
      'what is in the way',
      '',
      'out/opening.mp3',
      { ...WANTED, situation: { occupied: () => 'out/opening.mp3' } },
    ],
  ])('has a complete, quoted path below it: %s', (_, verb, file, world) => {
    const folder = `a folder with ${'a long name '.repeat(10)}`;
    const lines = screen(planOf(world), { width: 60, placeOf: (path) => `${folder}/${path}` }).split('\n');
    const at = lines.findIndex((line) => line.includes(' opening '));
    expect(lines[at + 1]).toBe(`     ${verb}'${folder}/${file}'`);
  });

  it('says that its price is unknown if none was quoted', () => {
    expect(row(PRICED_IN_PART, 'second')).toBe('+ second new unknown song');
  });
});

describe('the totals of a plan', () => {
  const attempts = [makeAttempt({ of: makeTake({ track: 'old' }), quote: 690_000 })];
  const plan = planOf({ ...WANTED, attempts, budget: 5_000_000 });
  const balance = (USD: number) => ({ currencies: { DIEM: 0, EARNED_CREDITS: 0, BUNDLED_CREDITS: 0, USD } });

  it('show the total, what was spent before, what is left of the budget, and the balance', () => {
    const text = screen(plan, { balance: balance(20_000_000) });
    expect(text).toMatch(/^To buy +1 take\nTotal +\$1\.38$/m);
    expect(text).toMatch(/^Spent before +\$0\.69$/m);
    expect(text).toMatch(/^Budget +\$5\.00\nLeft +\$2\.93$/m);
    expect(text).toMatch(/^Balance +\$20\.00$/m);
  });

  it('show what is short', () => {
    const text = screen(planOf({ ...WANTED, attempts, budget: 2_000_000 }), { balance: balance(1_000_000) });
    expect(text).toMatch(/^Budget +\$2\.00\nOver budget +\$0\.07$/m);
    expect(text).toMatch(/^Balance +\$1\.00\nNot covered +\$1\.38$/m);
  });

  it('name the balances that the service did not list, as they may cover the rest', () => {
    const text = screen(plan, { balance: { currencies: { DIEM: 0, USD: 0 } } });
    expect(text).toMatch(
      /^Not covered +\$\d+\.\d\d, unless covered by bundled credits, which the service did not list$/m,
    );
  });

  it('show what is not known', () => {
    const text = screen(planOf(WANTED));
    expect(text).toMatch(/^Budget +none$/m);
    expect(text).toMatch(/^Balance +unknown$/m);
  });

  it('say if there is nothing to buy', () => {
    const text = screen(planOf(past({})));
    expect(text).toMatch(/^To buy +nothing$/m);
    expect(text).not.toContain('Balance');
  });

  it('show the number of takes if not every price is known', () => {
    const text = screen(PRICED_IN_PART);
    expect(text).toMatch(/^To buy +2 takes\nTotal +unknown$/m);
    expect(text).toMatch(/^Budget +\$5\.00$/m);
    expect(text).not.toMatch(/^Left/m);
  });

  it('count what earlier manifests made, once per take', () => {
    const again = makeAttempt({ name: 'again', of: makeTake({ track: 'old' }) });
    expect(screen(planOf({ takes: [take], attempts: [...attempts, again] }))).toMatch(
      /^1 take is no longer in the manifest; its file is kept$/m,
    );
    expect(screen(planOf(past({})))).not.toContain('earlier manifests');
  });

  it('show what will be moved', () => {
    expect(screen(planOf(past({ path: 'old/opening.wav' })))).toMatch(/^To move +1 file, for free$/m);
  });

  it('are listed by model', () => {
    const effect = makeTake({ track: 'rain', request: { model: 'noise' } });
    const text = screen(planOf({ takes: [take, effect], models: [MODEL, makeModel({ id: 'noise' })] }));
    expect(text).toMatch(/^song +1 +\$1\.38/m);
    expect(text).toMatch(/^noise +1 +\$1\.38/m);
    expect(screen(planOf(past({})), { width: 40 })).toMatch(/^MODEL +DONE$/m);
  });
});

describe('hints in a plan', () => {
  it('show cheaper durations, once for identical requests', () => {
    const takes = [take, makeTake({ track: 'b', request: { duration_seconds: 61 } })];
    expect(screen(planOf({ takes: [take] }))).toContain(
      'opening: 61 s is billed as 120 s: 60 s would save $0.69',
    );
    expect(screen(planOf({ takes }))).toContain(
      'opening and 1 more: 61 s is billed as 120 s: 60 s would save $1.38',
    );
  });

  it('show quotes that differ from the catalogue', () => {
    expect(screen(planOf({ ...WANTED, price: 1_518_000 }))).toContain(
      'opening: $1.518 instead of $1.38 (+10%)',
    );
    expect(screen(planOf(WANTED))).not.toContain('catalogue');
  });
});

describe('the screen of a plan', () => {
  it('says that it is the sandbox', () => {
    expect(screen(planOf(WANTED), { sandbox: true })).toMatch(/^Sandbox: /);
    expect(screen(planOf(WANTED))).not.toMatch(/sandbox/i);
  });

  const crowd = planOf({
    takes: [
      ...Array.from({ length: 30 }, (_, index) =>
        makeTake({ track: `${'long-name-'.repeat(5)}${index}`, request: { duration_seconds: 61 } }),
      ),
      take,
    ],
    attempts: [makeAttempt({ of: take, state: 'failed', reason: { code: 'A_VERY_LONG_CODE_'.repeat(4) } })],
    price: 7_654_321_123,
    budget: 123_456_789_000,
  });

  it.each([40, 41, 60, 79, 80, 100, 120])('fits %i columns', (width) => {
    for (const color of [false, true]) {
      const lines = stripVTControlCharacters(screen(crowd, { width, color })).split('\n');
      expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(width);
    }
  });

  it('uses at least 40 and at most 120 columns', () => {
    expect(screen(crowd, { width: 500 })).toBe(screen(crowd, { width: 120 }));
    expect(screen(crowd, { width: 3 })).toBe(screen(crowd, { width: 40 }));
  });

  it('uses colour only on request', () => {
    expect(stripVTControlCharacters(screen(crowd, { color: true }))).toBe(screen(crowd));
    expect(screen(crowd, { color: true })).not.toBe(screen(crowd));
  });

  it('shows foreign text without control characters', () => {
    const evil = '\u001b[31mred\u202e';
    const foreign = makeTake({ request: { model: evil } });
    const text = screen(planOf({ takes: [foreign], models: [makeModel({ id: evil })] }), {
      endpoint: `https://${evil}`,
    });
    expect(text).not.toMatch(/[\u001b\u202e]/);
    expect(text).toContain('\\u{1b}[31mred');
  });

  it('shows for 5,000 tracks the models and what needs attention first', () => {
    const takes = Array.from({ length: 5_000 }, (_, index) =>
      makeTake({ track: `t${index}`, request: { duration_seconds: 60 } }),
    );
    const attempts = [makeAttempt({ of: takes[4_000]!, state: 'in_doubt' })];
    const plan = planOf({ takes, attempts });
    const text = screen(plan);
    expect(text.split('\n').length).toBeLessThan(45);
    expect(text).toContain('… 4,980 more');
    expect(text.split('\n')[3]).toMatch(/^\? {2}t4000 /);
    expect(text).toMatch(/^To buy +4,999 takes\nTotal +\$6,898\.62$/m);
    expect(screen(plan, { verbose: true }).split('\n').length).toBeGreaterThan(5_000);
  });
});

describe('the JSON document of a plan', () => {
  const options = { endpoint: 'https://api.example.test/v1', sandbox: true };
  const document = (plan: Plan) => JSON.parse(planJson(plan, options));

  it('has the same keys in the same order for every decision', () => {
    const takes = [
      makeTake({ track: 'a', request: { duration_seconds: 61 } }),
      makeTake({ track: 'b' }),
      makeTake({ track: 'c' }),
      makeTake({ track: 'd' }),
    ];
    const attempts = [
      makeAttempt({ name: 'b', of: takes[1]! }),
      makeAttempt({ name: 'c', of: takes[2]!, state: 'failed' }),
      makeAttempt({ name: 'd', of: takes[3]!, request: { prompt: 'x' } }),
    ];
    const keys = document(planOf({ takes, attempts })).takes.map((row: object) => Object.keys(row));
    expect(keys).toHaveLength(4);
    for (const others of keys) expect(others).toEqual(keys[0]);
  });

  it('has what is to be bought, why, and for how much', () => {
    const plan = planOf({ ...past({ request: { prompt: 'x' } }), budget: 9_000_000 });
    expect(document(plan)).toMatchObject({
      schema: 1,
      ...options,
      total_micro_usd: 1_380_000,
      spent_before_micro_usd: 100_000,
      budget_micro_usd: 9_000_000,
      balance_micro_usd: null,
      takes: [
        {
          key: 'opening',
          action: 'buy',
          reason: 'changed',
          changed_fields: ['prompt'],
          price_micro_usd: 1_380_000,
          saving: { instead_seconds: 60, billed_seconds: 120, micro_usd: 690_000 },
          attempt: { state: 'done' },
        },
      ],
    });
  });

  it('has orphans and moves', () => {
    const orphan = makeAttempt({ name: 'z', of: makeTake({ track: 'removed' }), state: 'queued' });
    const moved = makeAttempt({ of: take, path: 'old/opening.wav' });
    const { orphans, moves } = document(planOf({ takes: [take], attempts: [orphan, moved] }));
    expect(orphans).toMatchObject([{ track: 'removed', state: 'queued', queue_id: 'queue-z' }]);
    expect(moves).toEqual([{ attempt: moved.attempt, from: 'old/opening.wav', to: 'out/opening.wav' }]);
  });

  it('contains no prompts and no lyrics', () => {
    const secret = makeTake({ request: { prompt: 'whispered words', lyrics_prompt: 'sung words' } });
    expect(planJson(planOf({ takes: [secret] }), options)).not.toContain('words');
  });
});
