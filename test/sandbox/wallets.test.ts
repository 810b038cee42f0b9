import { describe, expect, it } from 'vitest';
import type { Transport } from '../../src/core/ports.js';
import { openWallet } from '../../src/node/wallet.js';
import { createSandboxTransport } from '../../src/sandbox/sandbox-transport.js';
import { createService } from '../../src/sandbox/service.js';
import { createClient } from '../../src/venice/create-client.js';
import { SIGN_IN_HEADER, signInHeader } from '../../src/venice/wallet-signature.js';
import { signedTransport } from '../../src/venice/wallet-transport.js';

const NOW_MS = Date.parse('2026-10-05T10:00:00.000Z');
const URL = 'https://api.venice.ai/api/v1';
const REQUEST = { model: 'elevenlabs-music', prompt: 'Slow piano over rain', duration_seconds: 60 };

function walletOf(digit: string) {
  const opened = openWallet(digit.repeat(64));
  if (!opened.ok) throw new Error(opened.message);
  return opened.wallet;
}

const WALLET = walletOf('1');
const OTHER = walletOf('2');

/** The simulated service, used by a wallet that holds this much. */
function stage(balanceUsd = 10, diemUsd = 0) {
  let nowMs = NOW_MS;
  let nonce = 0;
  const service = createService({
    random: () => 0.5,
    balanceUsd,
    currenciesUsd: { DIEM: diemUsd },
    speed: 1_000,
  });
  const clock = {
    nowMs: () => nowMs,
    sleep: async (delayMs: number) => {
      nowMs += delayMs;
    },
  };
  const direct = createSandboxTransport({ service, clock });
  const random = {
    bytes: (count: number) => {
      nonce += 1;
      return Buffer.from(nonce.toString(16).padStart(2 * count, '0'), 'hex');
    },
  };
  const transport = signedTransport(direct, { wallet: WALLET, baseUrl: URL, clock, random });
  const client = createClient(transport, String, { kind: 'wallet', id: WALLET.address });
  /** One request with headers of our own. */
  const send = async (
    path: string,
    changes: Partial<Parameters<typeof signInHeader>[1]> = {},
    signer = WALLET,
  ) => {
    nonce += 1;
    const signed = signInHeader(signer, {
      url: URL + path,
      nonce: nonce.toString(16).padStart(16, '0'),
      issuedAtMs: nowMs,
      ...changes,
    });
    return answerOf(direct, path, { [SIGN_IN_HEADER]: signed });
  };
  return { client, direct, send, clock };
}

async function answerOf(transport: Transport, path: string, headers: Record<string, string>) {
  const post = path.startsWith('/audio/');
  const answer = await transport({
    method: post ? 'POST' : 'GET',
    path,
    headers,
    deadlineMs: 60_000,
    ...(post ? { body: JSON.stringify({ model: REQUEST.model, queue_id: 'none' }) } : {}),
  });
  if (answer.kind !== 'answer') throw new Error(answer.message);
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  return {
    status: answer.status,
    body: JSON.parse(Buffer.concat(pieces).toString('utf8')) as { code?: string },
  };
}

describe('a wallet', () => {
  it('buys, collects and cleans up, and finds the charge in its ledger', async () => {
    const { client, clock } = stage();
    expect(await client.balance()).toMatchObject({
      ok: true,
      value: { permitted: true, currencies: { USD: 10_000_000 } },
    });
    const queued = await client.queue(REQUEST);
    if (!queued.ok) throw new Error(queued.message);
    await clock.sleep(60_000);
    const { model, queueId } = queued.value;
    const done = await client.retrieve(model, queueId);
    if (!done.ok || done.value.kind !== 'audio') throw new Error('no audio');
    for await (const _ of done.value.answer.body);
    expect(await client.complete(model, queueId)).toMatchObject({ ok: true, value: true });
    const history = await client.usageHistory(NOW_MS, NOW_MS + 3_600_000, 100);
    expect(history).toMatchObject({
      ok: true,
      value: { cut: false, entries: [{ sku: model, requestId: queueId }] },
    });
    const left = await client.balance();
    const spent = history.ok ? history.value.entries[0]!.spentMicroUsd : 0;
    expect(left.ok && left.value.currencies.USD).toBe(10_000_000 - spent);
  });

  it('that is linked to an account spends DIEM first, which its ledger does not show', async () => {
    const { client, clock } = stage(10, 1);
    const before = await client.balance();
    expect(before.ok && before.value.currencies).toMatchObject({ DIEM: 1_000_000, USD: 10_000_000 });
    expect((await client.queue(REQUEST)).ok).toBe(true);
    await clock.sleep(60_000);
    const after = await client.balance();
    expect(after.ok && after.value.currencies).toMatchObject({ DIEM: 310_000, USD: 10_000_000 });
    const history = await client.usageHistory(NOW_MS, NOW_MS + 3_600_000, 100);
    expect(history.ok && history.value).toEqual({ entries: [], cut: false, withoutDiem: true });
  });

  it('below ten cents is refused with the minimum top-up', async () => {
    const refused = await stage(0.05).client.queue(REQUEST);
    expect(refused).toMatchObject({ ok: false, status: 402, code: 'PAYMENT_REQUIRED' });
    expect(refused.ok ? '' : refused.message).toContain('the wallet has $0.05, it needs at least $0.10');
  });

  it('with less than the price is refused in plain words', async () => {
    const refused = await stage(0.2).client.queue(REQUEST);
    expect(refused).toMatchObject({ ok: false, status: 402, code: 'http-402' });
  });

  it('has at most five requests in flight', async () => {
    const { client } = stage();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => client.complete('elevenlabs-music', 'none')),
    );
    expect(answers.map((answer) => answer.ok || answer.status)).not.toContain(429);
  });
});

describe('a signature', () => {
  it('is valid for its own request', async () => {
    expect((await stage().send('/audio/retrieve')).status).toBe(400);
  });

  it.each<[string, Parameters<ReturnType<typeof stage>['send']>[1], string]>([
    ['for another request', { url: `${URL}/audio/queue` }, 'URI_MISMATCH'],
    ['more than five minutes old', { issuedAtMs: NOW_MS - 301_000 }, 'EXPIRED'],
    ['from the future', { issuedAtMs: NOW_MS + 31_000 }, 'NOT_YET_VALID'],
    ['with a nonce of another format', { nonce: 'xyz' }, 'MALFORMED'],
  ])('is refused %s', async (_, changes, code) => {
    expect(await stage().send('/audio/retrieve', changes)).toEqual({
      status: 401,
      body: expect.objectContaining({ code: `X402_SIGN_IN_${code}` }),
    });
  });

  it('is refused if another key made it', async () => {
    const forger = { address: WALLET.address, sign: (text: string) => OTHER.sign(text) };
    expect((await stage().send('/audio/retrieve', {}, forger)).body.code).toBe(
      'X402_SIGN_IN_INVALID_SIGNATURE',
    );
  });

  it('is used up by one request, even if that failed', async () => {
    const { send } = stage();
    const again = { nonce: 'aaaaaaaaaaaaaaaa', issuedAtMs: NOW_MS - 301_000 };
    expect((await send('/audio/retrieve', again)).body.code).toBe('X402_SIGN_IN_EXPIRED');
    expect((await send('/audio/retrieve', { nonce: again.nonce })).body.code).toBe(
      'X402_SIGN_IN_NONCE_REUSED',
    );
  });

  it('is required for the data of a wallet', async () => {
    const { direct } = stage();
    expect(await answerOf(direct, `/x402/balance/${WALLET.address}`, {})).toMatchObject({
      status: 402,
      body: { x402Version: 2 },
    });
  });

  it("does not open another wallet's balance, nor billing or keys", async () => {
    const { send } = stage();
    expect((await send(`/x402/balance/${OTHER.address}`)).status).toBe(403);
    expect((await send(`/x402/balance/${WALLET.address}`)).status).toBe(200);
    expect((await send('/billing/balance')).status).toBe(402);
    expect((await send('/api_keys/rate_limits')).status).toBe(402);
  });
});
