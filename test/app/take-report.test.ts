import { describe, expect, it } from 'vitest';
import { reportTake } from '../../src/app/take-report.js';
import { makeAttempt, makeTake, NOW_MS } from '../plan/builders.js';

const take = makeTake();

function refused(reason: { code: string; status?: number }) {
  const at = { intent: new Date(NOW_MS).toISOString(), rejected: new Date(NOW_MS + 1_000).toISOString() };
  return { take, decision: buy({ ...makeAttempt({ of: take, state: 'rejected' }), at, reason }) } as const;
}

function buy(earlier: ReturnType<typeof makeAttempt>) {
  return { kind: 'buy', why: { kind: 'retry', earlier } } as const;
}

describe('the report of a take that was refused for now', () => {
  it.each([
    ['by the balance', { code: 'INSUFFICIENT_BALANCE', status: 402 }],
    ['before it was sent', { code: 'not_sent' }],
  ])('says rejected, as lockfile and events do: %s', (_, reason) => {
    expect(reportTake(refused(reason), '/out', NOW_MS)).toMatchObject({
      state: 'rejected',
      code: reason.code,
      money: 'not charged',
    });
  });

  it('says not bought if an earlier run was refused', () => {
    expect(reportTake(refused({ code: 'http-402', status: 402 }), '/out', NOW_MS + 60_000)).toEqual({
      key: take.key,
      track: take.track,
      take: take.take,
      model: take.request.model,
      state: 'not_bought',
    });
  });

  it('says not bought if it is to be bought again after it was lost', () => {
    const lost = { ...makeAttempt({ of: take, state: 'lost' }), reason: { code: 'requeued' } };
    expect(reportTake({ take, decision: buy(lost) }, '/out')).toMatchObject({ state: 'not_bought' });
  });
});
