import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/ports.js';
import { openSandboxServer } from '../../src/sandbox/server.js';
import { chance, SONG } from './play.js';

/** A clock that tests advance by hand. */
let nowMs = 0;
const clock: Clock = { nowMs: () => nowMs, sleep: async () => {} };

let close = async () => {};
afterEach(() => close());

async function open(options: { limited?: boolean } = {}) {
  nowMs = Date.UTC(2027, 0, 15);
  const uniform = chance();
  const random = { bytes: (count: number) => Uint8Array.from({ length: count }, () => uniform() * 256) };
  const server = await openSandboxServer({
    port: 0,
    speed: 1,
    clock,
    random,
    limited: options.limited ?? true,
  });
  close = server.close;
  const headers = { authorization: 'Bearer sandbox', 'content-type': 'application/json' };
  const post = (path: string, body: object) =>
    fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { url: server.url, post };
}

describe('the sandbox server', () => {
  it('serves a job from submit to clean-up, on loopback', async () => {
    const { url, post } = await open();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/v1$/);
    const listed = await (await fetch(`${url}/models?type=music`)).json();
    expect(listed).toMatchObject({ data: { length: 19 } });
    const submitted = await post('/audio/queue', SONG);
    expect(submitted.headers.get('x-ratelimit-remaining-requests')).toBeNull();
    const { queue_id } = (await submitted.json()) as { queue_id: string };
    const job = { model: SONG.model, queue_id };
    nowMs += 3_600_000;
    const media = await post('/audio/retrieve', job);
    expect(media.headers.get('content-type')).toBe('audio/wav');
    const bytes = await media.arrayBuffer();
    expect(bytes.byteLength).toBe(Number(media.headers.get('content-length')));
    expect(await (await post('/audio/complete', job)).json()).toHaveProperty('success');
  });

  it('answers 404 outside its base path, and 413 or a reset to an endless body', async () => {
    const { url, post } = await open();
    expect((await fetch(new URL('/audio/queue', url))).status).toBe(404);
    expect((await fetch(`${url}-beta/models`)).status).toBe(404);
    expect((await post('/audio/queue', { ...SONG, prompt: 'x'.repeat(2 ** 20) })).status).toBe(413);
    await expect(post('/audio/queue', { ...SONG, prompt: 'x'.repeat(2 ** 25) })).rejects.toThrow();
    expect((await fetch(`${url}/models`)).status).toBe(200);
  });

  it('resets the connection of a response that is to be lost', async () => {
    const { url, post } = await open();
    await expect(post('/audio/queue', { ...SONG, prompt: 'A song [sandbox:lost-answer]' })).rejects.toThrow();
    const headers = { authorization: 'Bearer sandbox' };
    const balance = await (await fetch(`${url}/billing/balance`, { headers })).json();
    expect(balance).toMatchObject({ balances: { usd: 9_999.31 } });
  });

  it('survives clients that disconnect midway', async () => {
    const { url, post } = await open();
    const { queue_id } = (await (await post('/audio/queue', { ...SONG, duration_seconds: 600 })).json()) as {
      queue_id: string;
    };
    nowMs += 3_600_000;
    const media = await post('/audio/retrieve', { model: SONG.model, queue_id });
    await media.body!.cancel();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /api/v1/audio/queue HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    await once(socket, 'connect');
    socket.destroy();
    expect((await fetch(`${url}/models`)).status).toBe(200);
  });

  it('never closes an idle connection, because a client may be about to reuse it', async () => {
    const { url } = await open();
    const { headers } = await fetch(`${url}/models`);
    expect([headers.get('connection'), headers.get('keep-alive')]).toEqual(['keep-alive', null]);
  });

  it('has no limit unless one is asked for', async () => {
    const { post } = await open({ limited: false });
    for (let i = 0; i < 130; i++) {
      expect((await post('/audio/retrieve', { model: SONG.model, queue_id: 'none' })).status).toBe(400);
    }
  });

  it('rejects if it cannot listen, and ends open connections when closed', async () => {
    const { url } = await open();
    const port = Number(new URL(url).port);
    const options = { port, speed: 1, clock, random: { bytes: () => new Uint8Array(6) }, limited: true };
    await expect(openSandboxServer(options)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await Promise.all([close(), closed]);
    close = async () => {};
    await expect(fetch(`${url}/models`)).rejects.toThrow();
  });
});
