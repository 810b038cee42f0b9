import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { createTransport } from '../../src/node/transport.js';

/**
 * A service in a thread of its own, so that it continues while this one is blocked. `reported[0]` counts its responses.
 */
const SERVICE = `
  const { createServer } = require('node:http');
  const { parentPort, workerData } = require('node:worker_threads');
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      if (workerData.bodyWaits) Atomics.wait(workerData.reported, 1, 0);
      response.end('{"queue_id":"q"}', () => {
        Atomics.add(workerData.reported, 0, 1);
        Atomics.notify(workerData.reported, 0);
      });
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

const DEADLINE_MS = 300;
const open: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function service(bodyWaits = false) {
  const reported = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(SERVICE, { eval: true, workerData: { reported, bodyWaits } });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const { transport, close } = createTransport({
    baseUrl: `http://127.0.0.1:${port}`,
    environment: {},
    idleTimeoutMs: DEADLINE_MS,
  });
  open.push({ close }, { close: () => worker.terminate() });
  return { reported, transport };
}

/** Blocks this process until the service has answered and every deadline has passed, as if stopped by SIGSTOP. */
function pauseProcess(reported: Int32Array): void {
  Atomics.wait(reported, 0, 0);
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
    const { reported, transport } = await service();
    const asked = transport(REQUEST);
    setTimeout(() => pauseProcess(reported), 50);
    const answer = await asked;
    expect(answer).toMatchObject({ kind: 'answer', status: 200 });
    if (answer.kind !== 'answer') return;
    const pieces: Uint8Array[] = [];
    for await (const piece of answer.body) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe('{"queue_id":"q"}');
  });

  it('reads a body that arrived meanwhile', async () => {
    const { reported, transport } = await service(true);
    const answer = await transport(REQUEST);
    if (answer.kind !== 'answer') throw new Error(answer.code);
    setTimeout(() => {
      Atomics.store(reported, 1, 1);
      Atomics.notify(reported, 1);
      pauseProcess(reported);
    }, 0);
    const pieces: Uint8Array[] = [];
    for await (const piece of answer.body) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe('{"queue_id":"q"}');
  });
});
