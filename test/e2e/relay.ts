import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterTests } from './program.js';

/** One request on its way to the service, and what can be done with it. */
export interface Passing {
  readonly method: string;
  /** With the query, without the base path. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly response: ServerResponse;
  /** Asks the service. */
  forward(): Promise<Answer>;
  /** Answers with what is given. */
  answer(answer: Answer): void;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

export type Treat = (passing: Passing) => Promise<void> | void;

export interface Relay {
  readonly url: string;
  /** What to do with each request from now on. Default: pass it on. */
  treat: Treat;
  /** Of all requests so far: `POST /audio/queue`. */
  readonly seen: string[];
}

export const passOn: Treat = async (passing) => passing.answer(await passing.forward());

const BASE = '/api/v1';

/**
 * Sits between the program and a service, and does with each request as the test says.
 *
 * @param key the key that it sends to the service instead of the one it got
 */
export async function startRelay(target: string, treat: Treat = passOn, key?: string): Promise<Relay> {
  const seen: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    const path = (request.url ?? '').replace(BASE, '');
    const { method = 'GET', headers } = request;
    seen.push(`${method} ${path.split('?')[0]}`);
    const passing: Passing = {
      method,
      path,
      headers,
      body,
      response,
      forward: () => {
        const authorization = key === undefined ? headers.authorization : `Bearer ${key}`;
        return forward(`${target}${path}`, method, authorization ?? '', body);
      },
      answer: ({ status, headers: reported, body: content }) => {
        response
          .writeHead(status, { 'content-length': Buffer.byteLength(content), ...reported })
          .end(content);
      },
    };
    try {
      await relay.treat(passing);
    } catch {
      // The service closed the connection, so the relay does too.
      response.destroy();
    }
  });
  server.on('connection', (socket) => socket.on('error', () => {}));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  afterTests(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const relay: Relay = { url: `http://127.0.0.1:${port}${BASE}`, treat, seen };
  return relay;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

async function forward(url: string, method: string, authorization: string, body: string): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) },
    ...(method === 'GET' ? {} : { body }),
  });
  return {
    status: answer.status,
    headers: { 'content-type': answer.headers.get('content-type') ?? '' },
    body: Buffer.from(await answer.arrayBuffer()),
  };
}
