import { describe, expect, it } from 'vitest';
import type { Clock, TransportAnswer } from '../../src/core/ports.js';
import { createSandboxTransport } from '../../src/sandbox/sandbox-transport.js';
import { createService, type ServiceOptions } from '../../src/sandbox/service.js';
import { chance, SONG, START_MS } from './play.js';

/** Time passes only by sleeping. */
function virtualClock(): Clock & { advance(ms: number): void } {
  let nowMs = START_MS;
  return {
    nowMs: () => nowMs,
    sleep: async (delayMs) => {
      nowMs += delayMs;
    },
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

function connected(options: Partial<ServiceOptions> = {}, apiKey: string | undefined = 'sandbox') {
  const clock = virtualClock();
  const service = createService({ random: chance(), limits: { kind: 'none' }, ...options });
  const transport = createSandboxTransport({ service, clock, ...(apiKey === '' ? {} : { apiKey }) });
  const post = (path: string, body: object, deadlineMs = 60_000) =>
    transport({ method: 'POST', path, body: JSON.stringify(body), deadlineMs });
  return { clock, service, transport, post };
}

async function answerOf(
  exchange: Promise<TransportAnswer | { kind: 'no_answer' }>,
): Promise<TransportAnswer> {
  const answer = await exchange;
  if (answer.kind !== 'answer') throw new Error('no answer');
  return answer;
}

async function read(answer: TransportAnswer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function ready(options: Partial<ServiceOptions> = {}) {
  const world = connected(options);
  const { queue_id } = JSON.parse(String(await read(await answerOf(world.post('/audio/queue', SONG)))));
  world.clock.advance(world.service.jobs.get(queue_id)!.runMs);
  const download = (deadlineMs?: number) =>
    answerOf(world.post('/audio/retrieve', { model: SONG.model, queue_id }, deadlineMs));
  return { ...world, download };
}

describe('the in-process transport', () => {
  it('returns the response with its length, and checks the key', async () => {
    const { transport } = connected();
    const answer = await answerOf(transport({ method: 'GET', path: '/billing/balance', deadlineMs: 1_000 }));
    expect(answer).toMatchObject({ status: 200, framed: true });
    expect((await read(answer)).byteLength).toBe(Number(answer.headers['content-length']));
    const without = connected({}, '');
    const refused = await without.transport({ method: 'GET', path: '/billing/balance', deadlineMs: 1_000 });
    expect(refused).toMatchObject({ status: 402 });
  });

  it('takes some time', async () => {
    const { transport, clock } = connected();
    await transport({ method: 'GET', path: '/models', deadlineMs: 1_000 });
    expect(clock.nowMs()).toBeGreaterThan(START_MS);
  });

  it('streams audio in pieces', async () => {
    const { download } = await ready();
    const answer = await download();
    expect(answer.headers['content-type']).toBe('audio/wav');
    let pieces = 0;
    let bytes = 0;
    for await (const chunk of answer.body) {
      pieces += 1;
      bytes += chunk.byteLength;
    }
    expect(pieces).toBeGreaterThan(2);
    expect(bytes).toBe(Number(answer.headers['content-length']));
  });

  it('renders no more audio once the body is discarded', async () => {
    let made = 0;
    const audio = () => ({
      bytes: 100,
      *chunks() {
        for (; made < 100; made++) yield new Uint8Array(1);
      },
    });
    const { download } = await ready({ audio });
    const answer = await download();
    const pieces = answer.body[Symbol.asyncIterator]();
    await pieces.next();
    answer.discard();
    await expect(pieces.next()).rejects.toThrow('discarded');
    expect(made).toBeLessThan(3);
  });

  it('loses a response that is cut off, while the job exists', async () => {
    const { post, service } = connected();
    const answer = await post('/audio/queue', { ...SONG, prompt: 'A song [sandbox:lost-answer]' });
    expect(answer).toMatchObject({ kind: 'no_answer', sent: true, code: 'ECONNRESET' });
    expect(service.jobs.size).toBe(1);
  });

  it('gives up at the deadline, although the request arrived', async () => {
    const { post, service } = connected();
    expect(await post('/audio/queue', SONG, 1)).toMatchObject({ kind: 'no_answer', sent: true });
    expect(service.jobs.size).toBe(1);
  });

  it('aborts a body that is late, and one that is cut', async () => {
    const late = await ready();
    const slow = await late.download(1_000);
    late.clock.advance(1_000);
    await expect(read(slow)).rejects.toMatchObject({ code: 'UND_ERR_BODY_TIMEOUT' });
    const cut = await ready({ faults: { brokenDownload: 1 } });
    await expect(read(await cut.download())).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
