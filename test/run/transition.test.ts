import { expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { boughtTwice } from '../../src/lockfile/bought-twice.js';
import type { Purchase } from '../../src/plan/plan.js';
import { intentOf } from '../../src/run/transition.js';
import { makeAttempt, makeTake } from '../plan/builders.js';

const take = makeTake();
const earlier = makeAttempt({ of: take });

function replacing(kind: 'forced' | 'retry', before: Attempt, nowMs: number): Attempt {
  const purchase = { take, request: take.request, why: { kind, earlier: before } } as unknown as Purchase;
  return intentOf(purchase, { attempt: 'f'.repeat(32), key: 'k', quoteMicroUsd: 1, nowMs });
}

it.each(['forced', 'retry'] as const)(
  'an attempt that replaces another (%s) is the newer one, also by a clock that is an hour behind',
  (kind) => {
    const hourBefore = Date.parse(earlier.at.intent!) - 3_600_000;
    expect(replacing(kind, earlier, hourBefore).at.intent! > earlier.at.intent!).toBe(true);
    const hourAfter = Date.parse(earlier.at.intent!) + 3_600_000;
    expect(replacing(kind, earlier, hourAfter).at.intent).toBe(new Date(hourAfter).toISOString());
  },
);

it('a take made again after it was lost was not bought twice, even if the lost file is found', () => {
  const lost = { ...earlier, state: 'lost' as const };
  const again = { ...replacing('retry', lost, Date.now()), state: 'done' as const };
  expect(again.replaces).toBe(lost.attempt);
  expect(boughtTwice([{ ...lost, state: 'done' }, again])).toEqual([]);
});
