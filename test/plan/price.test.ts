import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cataloguePrice,
  declaredPrice,
  isSuspiciouslyLow,
  quoteQuery,
  spotSavings,
} from '../../src/plan/catalogue-price.js';
import type { Model, Pricing } from '../../src/venice/model.js';
import { makeModel, makeTake } from './builders.js';

const TIERS: Pricing = {
  kind: 'durations',
  tiers: [
    { minSeconds: 3, maxSeconds: 60, microUsd: 690_000 },
    { minSeconds: 61, maxSeconds: 120, microUsd: 1_380_000 },
    { minSeconds: 121, maxSeconds: 180, microUsd: 2_080_000 },
  ],
};
const SPOKEN: Pricing = { kind: 'per_thousand_characters', microUsd: 115_000 };

function modelWith(pricing: Pricing | undefined, changes: Partial<Model> = {}): Model {
  const { pricing: _, ...model } = makeModel(changes);
  return pricing === undefined ? model : { ...model, pricing };
}

describe('the request for a quote', () => {
  const ask = (model: Model, request = {}) => quoteQuery(makeTake({ request }).request, model);

  it('has model and duration as in the request', () => {
    const { key: _, ...query } = ask(modelWith(TIERS), { duration_seconds: 61 });
    expect(query).toEqual({ model: 'song', duration_seconds: 61 });
  });

  it('omits a duration that the request leaves to the model', () => {
    expect(ask(modelWith(TIERS, { default_duration: 60 }))).not.toHaveProperty('duration_seconds');
  });

  it('counts the characters of the prompt in UTF-16 units if they determine the price', () => {
    expect(ask(modelWith(SPOKEN), { prompt: 'ab🎹', lyrics_prompt: 'not spoken' }).character_count).toBe(4);
    expect(ask(modelWith(TIERS), { prompt: 'ab🎹' })).not.toHaveProperty('character_count');
  });

  it('has equal keys exactly for equal requests', () => {
    const request = fc.record(
      {
        model: fc.constantFrom('song', 'song,1', 'so'),
        prompt: fc.constantFrom('a', 'b', 'ab'),
        duration_seconds: fc.constantFrom(1, 11),
      },
      { requiredKeys: ['model', 'prompt'] },
    );
    fc.assert(
      fc.property(request, request, fc.boolean(), (one, two, spoken) => {
        const model = modelWith(spoken ? SPOKEN : TIERS);
        const { key: keyOne, ...queryOne } = quoteQuery(one, model);
        const { key: keyTwo, ...queryTwo } = quoteQuery(two, model);
        expect(keyOne === keyTwo).toBe(JSON.stringify(queryOne) === JSON.stringify(queryTwo));
      }),
    );
  });
});

describe('a quoted price', () => {
  it.each([
    [0, 690_000, true],
    [1, 690_000, true],
    [344_999, 690_000, true],
    [345_000, 690_000, false],
    [690_000, 690_000, false],
    [900_000, 690_000, false],
    [0, undefined, true],
    [1, undefined, true],
    [999, undefined, true],
    [1_000, undefined, false],
    [0, 0, true],
    [1, 1, false],
    [0, 1, true],
  ])('of %i where %s is declared is suspicious: %s', (quoted, declared, suspicious) => {
    expect(isSuspiciouslyLow(quoted, declared)).toBe(suspicious);
  });

  it('is compared with the lowest declared price of the model if its own is unknown', () => {
    expect(declaredPrice(modelWith(TIERS), { model: 'song', duration_seconds: 999 })).toBe(690_000);
    expect(declaredPrice(modelWith(SPOKEN), { model: 'song' })).toBe(115);
    expect(declaredPrice(modelWith(undefined), { model: 'song' })).toBeUndefined();
  });
});

describe('the catalogue price', () => {
  type Row = [
    name: string,
    model: Model,
    query: { duration_seconds?: number; character_count?: number },
    price: number | undefined,
  ];
  const perSecond: Pricing = { kind: 'per_second', microUsd: 2_875 };
  const rows: Row[] = [
    ['of a generation', modelWith({ kind: 'generation', microUsd: 40_000 }), { duration_seconds: 9 }, 40_000],
    ['by the second', modelWith(perSecond), { duration_seconds: 30 }, 86_250],
    ['by the second of the default length', modelWith(perSecond, { default_duration: 10 }), {}, 28_750],
    ['by the second of no known length', modelWith(perSecond), {}, undefined],
    ['by thousand characters, a fraction rounded up', modelWith(SPOKEN), { character_count: 1 }, 115],
    [
      'by thousand characters, a real fraction',
      modelWith({ kind: 'per_thousand_characters', microUsd: 115_001 }),
      { character_count: 1 },
      116,
    ],
    ['by thousand characters, not counted', modelWith(SPOKEN), {}, undefined],
    ['at the start of a tier', modelWith(TIERS), { duration_seconds: 61 }, 1_380_000],
    ['at the end of a tier', modelWith(TIERS), { duration_seconds: 60 }, 690_000],
    ['of the default length by tier', modelWith(TIERS, { default_duration: 150 }), {}, 2_080_000],
    ['beyond every tier', modelWith(TIERS), { duration_seconds: 181 }, undefined],
    ['below every tier', modelWith(TIERS), { duration_seconds: 2 }, undefined],
    ['that is not known', modelWith(undefined), { duration_seconds: 60 }, undefined],
  ];
  it.each(rows)('%s', (_, model, query, price) => {
    expect(cataloguePrice(model, { model: 'song', ...query })).toBe(price);
  });
});

describe('possible savings', () => {
  const spot = (
    duration_seconds: number | undefined,
    changes: Partial<Model> = {},
    pricing: Pricing = TIERS,
  ) =>
    spotSavings(
      makeTake({ request: duration_seconds === undefined ? {} : { duration_seconds } }).request,
      modelWith(pricing, changes),
    );

  it('are found just past the end of a tier', () => {
    expect(spot(61)).toEqual({ seconds: 61, billedSeconds: 120, insteadSeconds: 60, microUsd: 690_000 });
    expect(spot(130)).toEqual({ seconds: 130, billedSeconds: 180, insteadSeconds: 120, microUsd: 700_000 });
  });

  it.each([
    ['the whole tier is used', 60],
    ['the cut would be more than a tenth', 100],
    ['no length is requested', undefined],
    ['the length is in no tier', 1000],
  ])('do not exist if %s', (_, seconds) => {
    expect(spot(seconds)).toBeUndefined();
  });

  it('do not exist if everything paid for is generated', () => {
    const tiers = [
      { minSeconds: 3, maxSeconds: 540, microUsd: 690_000 },
      { minSeconds: 541, maxSeconds: 600, microUsd: 1_380_000 },
    ];
    expect(spot(590, {}, { kind: 'durations', tiers })?.insteadSeconds).toBe(540);
    expect(spot(600, {}, { kind: 'durations', tiers })).toBeUndefined();
  });

  it('do not exist if the price has no tiers', () => {
    expect(spot(61, {}, { kind: 'per_second', microUsd: 5 })).toBeUndefined();
  });

  it('name only durations that the model supports', () => {
    expect(spot(61, { duration_options: [30, 61, 120] })).toBeUndefined();
    expect(spot(61, { duration_options: [58, 61] })?.insteadSeconds).toBe(58);
    expect(spot(61, { min_duration: 61 })).toBeUndefined();
  });
});
