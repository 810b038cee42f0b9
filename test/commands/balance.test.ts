import { describe, expect, it } from 'vitest';
import { fetchBalance } from '../../src/app/fetch-balance.js';
import type { Account, Balance, CallFailure, CallResult, VeniceClient } from '../../src/venice/client.js';

const KEY: Account = { kind: 'api_key', id: 'VENICE_ADMIN_KEY_x' };
const INFERENCE: Account = { kind: 'api_key', id: 'VENICE_INFERENCE_KEY_x' };
const WALLET: Account = { kind: 'wallet', id: '0x2c7536E3605D9C16a7a3D7b1898e529396a65c23' };

const OWN: Balance = { permitted: true, currencies: { DIEM: 0, BUNDLED_CREDITS: 0, USD: 100_000 } };
const WHOLE: Balance = {
  permitted: true,
  currencies: { DIEM: 0, EARNED_CREDITS: 100_000_000, BUNDLED_CREDITS: 0, USD: 5_000_000 },
};

function reported(value: Balance): CallResult<Balance> {
  return { ok: true, value, rate: {} };
}

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

/** Gets these responses in turn, the last one forever. Time passes only while waiting. */
async function ask(
  account: Account,
  own: readonly CallResult<Balance>[],
  whole: CallResult<Balance> = unreachable,
) {
  let nowMs = 0;
  let ownAsked = 0;
  let wholeAsked = 0;
  const clock = {
    nowMs: () => nowMs,
    sleep: async (delayMs: number) => {
      nowMs += delayMs;
    },
  };
  const client: Pick<VeniceClient, 'balance' | 'accountBalance'> = {
    balance: async () => own[Math.min(ownAsked++, own.length - 1)]!,
    accountBalance: async () => {
      wholeAsked += 1;
      return whole;
    },
  };
  const asked = await fetchBalance(client, clock, account);
  return {
    ...asked,
    codes: asked.diagnostics.map(({ code }) => code),
    waitedMs: nowMs,
    ownAsked,
    wholeAsked,
  };
}

describe('the balance', () => {
  it('of a key combines both routes and takes the lower amount where both list one', async () => {
    const { balance, codes } = await ask(KEY, [reported(OWN)], reported(WHOLE));
    expect(codes).toEqual([]);
    expect(balance).toEqual({
      permitted: true,
      currencies: { DIEM: 0, EARNED_CREDITS: 100_000_000, BUNDLED_CREDITS: 0, USD: 100_000 },
    });
  });

  it('of an INFERENCE key, or a wallet, is asked by one route alone', async () => {
    for (const account of [INFERENCE, WALLET])
      expect(await ask(account, [reported(OWN)])).toMatchObject({
        balance: OWN,
        codes: [],
        ownAsked: 1,
        wholeAsked: 0,
      });
  });

  it('respects what the key says about whether it may buy', async () => {
    const own = { ...OWN, permitted: false };
    expect((await ask(KEY, [reported(own)], reported(WHOLE))).balance?.permitted).toBe(false);
    const silent = { currencies: OWN.currencies };
    expect((await ask(KEY, [reported(silent)], reported(WHOLE))).balance?.permitted).toBe(true);
  });

  it('is known where one route answers', async () => {
    expect((await ask(KEY, [reported(OWN)], refused(401))).balance).toEqual(OWN);
    expect((await ask(KEY, [refused(404)], reported(WHOLE))).balance).toEqual(WHOLE);
  });

  it('is requested again after a temporary failure', async () => {
    const asked = await ask(INFERENCE, [refused(500), reported(OWN)]);
    expect(asked).toMatchObject({ balance: OWN, codes: [], ownAsked: 2 });
  });

  it.each([
    ['a request limit', refused(429)],
    ['a limit that lifts in a minute', { ...refused(429), rate: { retryAfterSeconds: 60 } }],
    ['a failing service', refused(503)],
    ['no connection', unreachable],
    ['no permission', refused(403)],
  ])('is not awaited for long: %s', async (_, failure) => {
    const asked = await ask(INFERENCE, [failure]);
    expect(asked).toMatchObject({ codes: ['balance-unknown'], keyRefused: false });
    expect(asked.waitedMs).toBeLessThanOrEqual(10_000);
  });
});

describe('a key', () => {
  it.each([
    ['is refused by the only route it may use', INFERENCE, unreachable, 'authentication'],
    ['is refused by both routes', KEY, refused(401), 'authentication'],
    ['may be valid if the other route does not answer', KEY, unreachable, 'balance-unknown'],
    ['may be valid if the other route needs other rights', KEY, refused(403), 'balance-unknown'],
  ])('%s', async (_, account, whole, code) => {
    const { codes, keyRefused, balance } = await ask(account, [refused(401)], whole);
    expect([codes, keyRefused, balance]).toEqual([[code], code === 'authentication', undefined]);
  });
});
