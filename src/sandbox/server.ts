import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock, Random } from '../core/ports.js';
import type { DescriptionName } from './api-versions.js';
import { openService } from './ledger-file.js';
import { BODY_BYTES_MAX } from './router.js';
import type { Service } from './service.js';
import type { ServiceAnswer } from './service-response.js';

export interface SandboxServerOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly speed: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether the service's request limits apply. */
  readonly limited: boolean;
  /** Absent: nothing survives the server. */
  readonly directory?: string;
  /** Default: today's. */
  readonly as?: DescriptionName | undefined;
}

const BASE_PATH = '/api/v1';
const HOST = '127.0.0.1';

/** The simulated service over HTTP, only on loopback. Rejects with the system's error if it cannot listen. */
export async function openSandboxServer(
  options: SandboxServerOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  const service = openService({ ...options, ...(options.limited ? {} : { limits: { kind: 'none' } }) });
  return listen(service, options.clock, options.port);
}

/** Serves any service. */
export async function listen(
  service: Service,
  clock: Clock,
  port: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    serve(service, clock, request, response).catch(() => response.destroy());
  });
  // Closing an idle connection just as a client reuses it would lose that request, and only simulated faults may.
  server.keepAliveTimeout = 0;
  server.listen(port, HOST);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `http://${HOST}:${address.port}${BASE_PATH}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(
  service: Service,
  clock: Clock,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  const url = request.url ?? '/';
  const answer = service.handle(
    {
      method: request.method ?? 'GET',
      path: url.startsWith(`${BASE_PATH}/`) ? url.slice(BASE_PATH.length) : '',
      headers: flat(request),
      body,
    },
    clock.nowMs(),
  );
  response.once('close', () => answer.over?.());
  if (answer.cut === true) {
    request.socket.destroy();
    return;
  }
  // In the service's time, which may differ from the system's: resets are also given in it.
  response.setHeader('date', new Date(clock.nowMs()).toUTCString());
  await send(response, answer);
}

function flat(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}

/** Reads beyond the limit without keeping it, so that the response arrives. What is kept is enough to refuse it. */
async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    if (bytes <= BODY_BYTES_MAX) pieces.push(piece as Buffer);
    bytes += (piece as Buffer).byteLength;
    if (bytes > 16 * BODY_BYTES_MAX) throw new Error('the request body has no end');
  }
  return Buffer.concat(pieces).toString('utf8');
}

async function send(response: ServerResponse, answer: ServiceAnswer): Promise<void> {
  const text = typeof answer.body === 'string' ? Buffer.from(answer.body) : undefined;
  const bytes = text?.byteLength ?? (answer.body as { bytes: number }).bytes;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': bytes });
  if (typeof answer.body === 'string') {
    response.end(text);
    return;
  }
  let left = bytes;
  for (const chunk of answer.body.chunks()) {
    left -= chunk.byteLength;
    if (!response.write(chunk)) await drained(response);
    if (response.destroyed) return;
  }
  if (left === 0) response.end();
  else response.destroy();
}

/** When more can be written, or the client is gone. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
    if (response.destroyed) done();
  });
}
