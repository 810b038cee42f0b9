import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { PlanRow } from '../../src/plan/plan.js';
import { renamedWarnings } from '../../src/plan/renamed-warnings.js';
import { makeAttempt, makeTake } from './builders.js';

const NEW: PlanRow['decision'] = { kind: 'buy', why: { kind: 'new' } };
const take = makeTake({ track: 'overture' });
const former = makeAttempt();

it('a new track whose request was bought under an id that is gone may only have been renamed', () => {
  const two = [1, 2].map((number) => ({
    take: makeTake({ track: 'overture', take: number }),
    decision: NEW,
  }));
  expect(renamedWarnings(two, [former])).toMatchObject([
    { code: 'renamed', message: expect.stringMatching(/`overture` would be bought.* as `opening`/) },
  ]);
});

describe('a track that was bought and has another request now', () => {
  const other = makeTake({ track: 'overture', request: { prompt: 'Rain on a tin roof, no melody' } });
  const earlier = makeAttempt({ name: 'b', of: other });
  const changed = (before: Attempt): PlanRow['decision'] => ({
    kind: 'buy',
    why: { kind: 'changed', fields: ['prompt'], earlier: before },
  });

  it('may have swapped its id with another', () => {
    const swapped = [
      { take: { ...take, digest: former.digest }, decision: changed(earlier) },
      { take: makeTake({ request: { prompt: 'Rain on a tin roof, no melody' } }), decision: changed(former) },
    ];
    expect(renamedWarnings(swapped, [former, earlier])).toMatchObject([
      { message: expect.stringMatching(/`overture` would be.* as `opening`, which has another request now/) },
      { message: expect.stringMatching(/`opening` would be.* as `overture`, which has another request now/) },
    ]);
  });

  it('may have passed its id on', () => {
    const passed = [
      { take, decision: NEW },
      { take: makeTake({ request: { prompt: 'Rain on a tin roof, no melody' } }), decision: changed(former) },
    ];
    expect(renamedWarnings(passed, [former])).toMatchObject([
      { message: expect.stringContaining('`overture` would be bought') },
    ]);
  });

  it('is only changed if no other track has its former request', () => {
    const rows = [{ take: { ...take, digest: 'v1:0' }, decision: changed(earlier) }];
    expect(renamedWarnings(rows, [earlier])).toEqual([]);
  });
});

it.each(['queued', 'stored', 'unverified', 'in_doubt'] as const)(
  'a job of the former id may still be %s',
  (state) => {
    expect(renamedWarnings([{ take, decision: NEW }], [{ ...former, state }])).toMatchObject([
      { code: 'renamed' },
    ]);
  },
);

it.each([
  [
    'the earlier track is still in the manifest',
    [
      { take, decision: NEW },
      { take: makeTake(), decision: NEW },
    ],
    former,
  ],
  ['it came to nothing', [{ take, decision: NEW }], { ...former, state: 'failed' as const }],
  ['the request differs', [{ take, decision: NEW }], { ...former, digest: 'v1:0' }],
  [
    'it is not bought',
    [{ take, decision: { kind: 'done', attempt: former } satisfies PlanRow['decision'] }],
    former,
  ],
] as const)('no warning where %s', (_why, rows, attempt) => {
  expect(renamedWarnings(rows, [attempt])).toEqual([]);
});
