import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createTransport } from '../../src/node/transport.js';
import { rawServer } from './raw-server.js';

/*
 * undici 7 throws where nobody can catch it if a connection ends while its response waits to be read (nodejs/undici#5360,
 * fixed in 8). An uncaught error fails the whole file here, as it would end a run.
 */

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** From what a connection buffers to more than it buffers: what makes it wait is in between. */
const SIZES = [40, 64, 65, 100, 128, 220, 8_000].map((kib) => kib * 1024);

/** The response of a server that ends the connection after it, once that end has arrived and nothing was read yet. */
async function lateReader(head: string, bytes: number, end: (socket: Socket) => void) {
  let ended = () => {};
  const arrived = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const server = await rawServer((socket) => {
    socket.on('close', ended);
    socket.once('data', () => {
      socket.write(head);
      socket.write(Buffer.alloc(bytes), () => end(socket));
    });
  });
  cleanUps.push(server.close);
  const { transport, close } = createTransport({
    baseUrl: `http://127.0.0.1:${server.port}`,
    environment: {},
  });
  cleanUps.push(close);
  const answer = await transport({ method: 'GET', path: '/', deadlineMs: 10_000 });
  if (answer.kind !== 'answer') throw new Error(answer.code);
  await Promise.race([arrived, turns(2_000)]);
  return answer;
}

/** This many turns of the event loop: enough for everything in flight. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((next) => setImmediate(next));
}

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<number | string> {
  let bytes = 0;
  try {
    for await (const piece of body) bytes += piece.byteLength;
  } catch (error) {
    return (error as { code: string }).code;
  }
  return bytes;
}

describe.each(SIZES)('a connection that ends before its response of %i bytes was read', (bytes) => {
  const close = 'HTTP/1.1 200 OK\r\nconnection: close\r\n';

  it.each([
    ['without its length', `${close}\r\n`],
    ['of HTTP 1.0', 'HTTP/1.0 200 OK\r\n\r\n'],
    ['with its length', `${close}content-length: ${bytes}\r\n\r\n`],
    ['of HTTP 1.0, with its length', `HTTP/1.0 200 OK\r\ncontent-length: ${bytes}\r\n\r\n`],
  ])('delivers all of it: %s', async (_, head) => {
    const answer = await lateReader(head, bytes, (socket) => socket.end());
    expect(await bytesOf(answer.body)).toBe(bytes);
  });

  it('reports a fault if the response is shorter than declared', async () => {
    const head = `${close}content-length: ${bytes + 1}\r\n\r\n`;
    const answer = await lateReader(head, bytes, (socket) => socket.end());
    expect(await bytesOf(answer.body)).toMatch(/^UND_ERR/);
  });

  it('delivers what arrived, or a fault, after a reset', async () => {
    const answer = await lateReader(`${close}\r\n`, bytes, (socket) => socket.resetAndDestroy());
    const came = await bytesOf(answer.body);
    if (typeof came === 'number') expect(came).toBeLessThanOrEqual(bytes);
    else expect(came).toMatch(/^(UND_ERR|ECONN)/);
  });

  it('needs no further attention', async () => {
    const answer = await lateReader(`${close}\r\n`, bytes, (socket) => socket.end());
    answer.discard();
    await turns(10);
    expect(await bytesOf(answer.body)).not.toBe(bytes + 1);
  });
});
