import { describe, expect, it } from 'vitest';
import { askBalance } from '../../src/commands/balance.js';
import type { CallFailure, CallResult, VeniceClient } from '../../src/venice/client.js';

const BALANCE = { canConsume: true, consumptionCurrency: 'USD', usdMicro: 5_000_000 };

const told = { ok: true, value: BALANCE, rate: {} } as const;
const limits = { ok: true, value: new Map(), rate: {} } as const;

function refused(status: number): CallFailure {
  return { ok: false, kind: 'refused', status, sent: true, code: 'no', message: 'no', rate: {} };
}

const unreachable: CallFailure = {
  ok: false,
  kind: 'no_answer',
  sent: false,
  code: 'ECONNREFUSED',
  message: 'no',
  rate: {},
};

/** Asks with answers in turn, the last of them for ever; time passes only by waiting. */
async function ask(answers: CallResult<typeof BALANCE>[], second: CallResult<ReadonlyMap<string, number>>) {
  let nowMs = 0;
  let balances = 0;
  let others = 0;
  const clock = {
    nowMs: () => nowMs,
    sleep: async (delayMs: number) => {
      nowMs += delayMs;
    },
  };
  const client = {
    balance: async () => answers[Math.min(balances++, answers.length - 1)],
    rateLimits: async () => {
      others += 1;
      return second;
    },
  } as unknown as VeniceClient;
  const asked = await askBalance(client, clock);
  return { ...asked, codes: asked.diagnostics.map(({ code }) => code), waitedMs: nowMs, balances, others };
}

describe('the balance', () => {
  it('is asked once where it is told', async () => {
    expect(await ask([told], limits)).toMatchObject({ balance: BALANCE, codes: [], balances: 1, others: 0 });
  });

  it('is asked again after a passing trouble', async () => {
    expect(await ask([refused(500), told], limits)).toMatchObject({
      balance: BALANCE,
      codes: [],
      balances: 2,
    });
  });

  it.each([
    ['a request limit', refused(429)],
    ['a limit that lifts in a minute', { ...refused(429), rate: { retryAfterSeconds: 60 } }],
    ['a service in trouble', refused(503)],
    ['nobody there', unreachable],
    ['no right to it', refused(403)],
  ])('is not waited for long: %s', async (_, failure) => {
    const asked = await ask([failure], limits);
    expect(asked).toMatchObject({ codes: ['balance-unknown'], keyRefused: false, others: 0 });
    expect(asked.waitedMs).toBeLessThanOrEqual(10_000);
  });
});

describe('a key that may not see the balance', () => {
  it.each([
    ['may do all else', limits, 'balance-unknown'],
    ['has no rights to its limits either', refused(403), 'balance-unknown'],
    ['cannot be tried elsewhere', unreachable, 'balance-unknown'],
    ['is refused everywhere', refused(401), 'authentication'],
  ])('%s', async (_, second, code) => {
    const { codes, keyRefused, balance } = await ask([refused(401)], second);
    expect([codes, keyRefused, balance]).toEqual([[code], code === 'authentication', undefined]);
  });
});
