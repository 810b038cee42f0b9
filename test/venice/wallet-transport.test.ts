import { describe, expect, it } from 'vitest';
import type { Transport, TransportAnswer, TransportRequest } from '../../src/core/ports.js';
import { SIGN_IN_HEADER, WALLET_REQUESTS_MAX } from '../../src/venice/wallet-signature.js';
import { signedTransport } from '../../src/venice/wallet-transport.js';

const NOW_MS = Date.parse('2026-10-05T10:00:00.000Z');
const POST = { method: 'POST', deadlineMs: 1_000 } as const;

/** A service that always answers, with bodies that end when the test says so. */
function stage(headers: Record<string, string> = {}, status = 200) {
  const asked: TransportRequest[] = [];
  const endings: (() => void)[] = [];
  const inner: Transport = async (request) => {
    asked.push(request);
    const ended = new Promise<void>((resolve) => endings.push(resolve));
    const body = (async function* () {
      await ended;
      yield new Uint8Array(1);
    })();
    return {
      kind: 'answer',
      status,
      headers,
      body,
      framed: true,
      discard: () => {},
    } satisfies TransportAnswer;
  };
  let bytes = 0;
  const transport = signedTransport(inner, {
    wallet: { address: '0xA', sign: (text) => `signed:${text}` },
    baseUrl: 'https://api.venice.ai/api/v1',
    clock: { nowMs: () => NOW_MS, sleep: async () => {} },
    random: { bytes: (count) => new Uint8Array(count).fill(bytes++) },
  });
  return { transport, asked, endings };
}

function messageOf(request: TransportRequest): string {
  const header = request.headers?.[SIGN_IN_HEADER];
  if (header === undefined) throw new Error('not signed');
  return (JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as { message: string }).message;
}

async function read(answer: Awaited<ReturnType<Transport>>): Promise<void> {
  if (answer.kind !== 'answer') throw new Error('no answer');
  for await (const _ of answer.body);
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a request of a wallet', () => {
  it.each([
    ['/audio/queue', true],
    ['/audio/retrieve', true],
    ['/audio/complete', true],
    ['/x402/balance/0xA', true],
    ['/audio/quote', false],
    ['/models?type=music', false],
    ['/billing/balance', false],
    ['/api_keys/rate_limits', false],
  ])('to %s is signed: %s', async (path, signed) => {
    const { transport, asked } = stage();
    await transport({ ...POST, path });
    expect(asked[0]?.headers?.[SIGN_IN_HEADER] !== undefined).toBe(signed);
    if (signed) expect(messageOf(asked[0]!)).toContain(`\nURI: https://api.venice.ai/api/v1${path}\n`);
  });

  it('to another host is not signed', async () => {
    const { transport, asked } = stage();
    await transport({
      method: 'GET',
      path: '/audio/retrieve',
      elsewhere: 'https://cdn.example/a',
      deadlineMs: 1,
    });
    expect(asked[0]?.headers).toBeUndefined();
  });

  it('has a nonce of its own, even if it repeats another', async () => {
    const { transport, asked } = stage();
    for (let times = 0; times < 3; times++) await transport({ ...POST, path: '/audio/retrieve' });
    const nonces = asked.map((request) => /^Nonce: ([0-9a-f]{16})$/m.exec(messageOf(request))?.[1]);
    expect(new Set(nonces).size).toBe(3);
  });

  it("is dated by the service's clock if that differs", async () => {
    const { transport, asked } = stage({ date: 'Mon, 05 Oct 2026 09:58:00 GMT' });
    await transport({ ...POST, path: '/models?type=music' });
    await transport({ ...POST, path: '/audio/queue' });
    expect(messageOf(asked[1]!)).toContain('Issued At: 2026-10-05T09:58:00.000Z');
  });

  it("is signed and sent once more if it was refused because of this machine's clock", async () => {
    const { transport, asked } = stage({ date: 'Mon, 05 Oct 2026 09:58:00 GMT' }, 401);
    expect(await transport({ ...POST, path: '/audio/retrieve' })).toMatchObject({ status: 401 });
    expect(asked.map((request) => /^Issued At: (.*)$/m.exec(messageOf(request))?.[1])).toEqual([
      '2026-10-05T10:00:00.000Z',
      '2026-10-05T09:58:00.000Z',
    ]);
  });

  it('is not sent again if it was refused for another reason', async () => {
    const { transport, asked } = stage({ date: 'Mon, 05 Oct 2026 10:00:00 GMT' }, 401);
    await transport({ ...POST, path: '/audio/retrieve' });
    expect(asked).toHaveLength(1);
  });

  it('waits while five are in flight, until one of their bodies ends', async () => {
    const { transport, asked, endings } = stage();
    const answers = Array.from({ length: 7 }, () => transport({ ...POST, path: '/audio/retrieve' }));
    await settled();
    expect(asked).toHaveLength(WALLET_REQUESTS_MAX);
    endings[0]?.();
    await read(await answers[0]!);
    await settled();
    expect(asked).toHaveLength(WALLET_REQUESTS_MAX + 1);
    const second = await answers[1]!;
    if (second.kind === 'answer') second.discard();
    await settled();
    expect(asked).toHaveLength(WALLET_REQUESTS_MAX + 2);
  });
});
