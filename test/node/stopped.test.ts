import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { createTransport } from '../../src/node/transport.js';

/**
 * A service in a thread of its own, so that it continues while this one is blocked. It reports each request, and holds
 * back its response, or only the body, until `shared[1]` is set. `shared[0]` counts its responses.
 */
const SERVICE = `
  const { createServer } = require('node:http');
  const { parentPort, workerData } = require('node:worker_threads');
  const { shared, holdsBack } = workerData;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      parentPort.postMessage('request');
      if (holdsBack === 'response') Atomics.wait(shared, 1, 0);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      if (holdsBack === 'body') Atomics.wait(shared, 1, 0);
      response.end('{"queue_id":"q"}', () => {
        Atomics.add(shared, 0, 1);
        Atomics.notify(shared, 0);
      });
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

const DEADLINE_MS = 1_000;
const open: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function service(holdsBack: 'response' | 'body') {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(SERVICE, { eval: true, workerData: { shared, holdsBack } });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const received = new Promise<void>((resolve) => worker.once('message', () => resolve()));
  const { transport, close } = createTransport({
    baseUrl: `http://127.0.0.1:${port}`,
    environment: {},
    idleTimeoutMs: DEADLINE_MS,
  });
  open.push({ close }, { close: () => worker.terminate() });
  return { shared, received, transport };
}

/** Blocks this process until the service has responded and every deadline has passed, as if stopped by SIGSTOP. */
function pauseProcess(shared: Int32Array): void {
  Atomics.store(shared, 1, 1);
  Atomics.notify(shared, 1);
  if (Atomics.wait(shared, 0, 0, 30_000) === 'timed-out') throw new Error('no response was sent');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * DEADLINE_MS);
}

const REQUEST = {
  method: 'POST',
  path: '/audio/queue',
  body: '{}',
  freshConnection: true,
  deadlineMs: DEADLINE_MS,
} as const;

describe('a process that was stopped while a response arrived', () => {
  it('reads the response before it reports a timeout', async () => {
    const { shared, received, transport } = await service('response');
    const asked = transport(REQUEST);
    await received;
    pauseProcess(shared);
    const answer = await asked;
    expect(answer).toMatchObject({ kind: 'answer', status: 200 });
    if (answer.kind !== 'answer') return;
    expect(await textOf(answer.body)).toBe('{"queue_id":"q"}');
  });

  it('reads a body that arrived meanwhile', async () => {
    const { shared, transport } = await service('body');
    const answer = await transport(REQUEST);
    if (answer.kind !== 'answer') throw new Error(answer.code);
    pauseProcess(shared);
    expect(await textOf(answer.body)).toBe('{"queue_id":"q"}');
  });
});

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
