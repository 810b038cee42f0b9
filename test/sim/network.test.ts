import { expect, it } from 'vitest';
import type { TransportRequest } from '../../src/core/ports.js';
import { createTransport, type NetworkRates } from './network.js';
import { createProcess } from './process.js';
import { createRng } from './random.js';
import type { ServerAnswer } from './server.js';
import { createServer } from './server.js';
import { createTimeline } from './timeline.js';

const WHOLE_MS = 600_000;
const RATES: NetworkRates = {
  noConnection: 0,
  requestLost: 0,
  answerLost: 0,
  proxyAnswers: 0,
  proxySpoils: 0,
  garbled: 0,
  bodyCut: 0,
  bodyStalls: 0,
  slow: 0,
  lateHeaders: 0,
};

/** One request through a network: how it ended, when, and what the service answered. */
async function ask(rates: Partial<NetworkRates>, more: Partial<TransportRequest>, seed: number) {
  const timeline = createTimeline(0, 1_000);
  const rng = createRng(seed, 'network');
  const names = { machineId: '', pidNamespace: '', netNamespace: '' };
  const identity = { pid: 1, hostname: 'h', bootId: 'b', startTime: '1', ...names };
  const simProcess = createProcess({ timeline, rng, identity, crash: undefined, onCrash: () => {} });
  const server = createServer(rng, rng, {} as never, new Map(), { rng, today: 0 });
  const handled: ServerAnswer[] = [];
  const world = { timeline, rng, server, rates: { ...RATES, ...rates }, unframed: 0 };
  const transport = createTransport({
    world,
    process: simProcess,
    apiKey: 'k',
    onSend: () => {},
    onHandled: (_, answer) => handled.push(answer),
    onRead: () => {},
  });
  let ended: { code: string | undefined; atMs: number } | undefined;
  const request = { method: 'GET', path: '/models', deadlineMs: WHOLE_MS, ...more } as const;
  void transport(request).then((outcome) => {
    const code = outcome.kind === 'answer' ? undefined : outcome.code;
    ended = { code, atMs: timeline.nowMs() };
  });
  await timeline.runUntil(() => ended !== undefined);
  return { ...ended!, handled: handled.length };
}

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);

it('headers later than their deadline end the request at that moment, although the service did what was asked', async () => {
  for (const seed of SEEDS)
    expect(await ask({ lateHeaders: 1 }, { headersDeadlineMs: 60_000 }, seed)).toEqual({
      code: 'DEADLINE',
      atMs: 60_000,
      handled: 1,
    });
});

it('a lost request ends with late headers or a reset', async () => {
  const codes = new Set<string | undefined>();
  for (const seed of SEEDS) {
    const { code, atMs, handled } = await ask({ requestLost: 1 }, { headersDeadlineMs: 60_000 }, seed);
    codes.add(code);
    expect(handled).toBe(0);
    if (code === 'DEADLINE') expect(atMs).toBe(60_000);
  }
  expect(codes).toEqual(new Set(['DEADLINE', 'ECONNRESET']));
});

it('late headers without a deadline of their own are a response', async () => {
  for (const seed of SEEDS) {
    const { code, atMs } = await ask({ lateHeaders: 1 }, {}, seed);
    expect(code).toBeUndefined();
    expect(atMs).toBeLessThan(WHOLE_MS);
  }
});
