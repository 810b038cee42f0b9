import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

export interface ServedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  body(bytesMax: number): Promise<string | undefined>;
}

export interface ServedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
}

export interface PageServerOptions {
  /** 0: any free port. */
  readonly port: number;
  /** Added to every response. */
  readonly headers: Readonly<Record<string, string>>;
  /** Answers all requests, admitted or not. Rejects only because of a bug. */
  answer(request: ServedRequest & { readonly target: string }, port: number): Promise<ServedAnswer>;
  /** Called with errors that occur while answering. */
  failed(error: unknown): void;
}

export interface PageServer {
  readonly port: number;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** A server for one page, on loopback only. Rejects with the system's error if it cannot listen. */
export async function openPageServer(options: PageServerOptions): Promise<PageServer> {
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    serve(request, response, port, options).catch((error: unknown) => {
      response.destroy();
      // A browser that has received enough closes the connection.
      if ((error as { code?: string }).code !== 'ERR_STREAM_PREMATURE_CLOSE') options.failed(error);
    });
  });
  server.listen(options.port, HOST);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  options: PageServerOptions,
): Promise<void> {
  const { method = 'GET', url: target = '/', headers } = request;
  const asked = { method, target, path: target, headers, body: bodyOf(request) };
  const answer = await options.answer(asked, port);
  // Discard the unread part of the request.
  request.resume();
  response.writeHead(answer.status, { ...options.headers, ...answer.headers });
  const { body } = answer;
  if (method === 'HEAD') response.end();
  else if (typeof body === 'string' || body instanceof Uint8Array) response.end(body);
  else await pipeline(body, response);
}

function bodyOf(request: IncomingMessage): ServedRequest['body'] {
  return async (bytesMax) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of request) {
      bytes += (piece as Buffer).byteLength;
      if (bytes > bytesMax) return undefined;
      pieces.push(piece as Buffer);
    }
    return Buffer.concat(pieces).toString('utf8');
  };
}
