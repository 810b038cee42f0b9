import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

export interface RawRequest {
  readonly line: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A TCP server on loopback that answers with the script's exact bytes. */
export async function rawServer(script: (socket: Socket, connection: number) => void) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.on('close', () => sockets.delete(socket));
    script(socket, ++connections);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    get connections() {
      return connections;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Calls back for each whole request that arrives on the connection. */
export function onRequest(socket: Socket, answer: (request: RawRequest, count: number) => void): void {
  let text = '';
  let count = 0;
  socket.on('data', (piece) => {
    text += piece.toString('latin1');
    for (let request = takeRequest(text); request !== undefined; request = takeRequest(text)) {
      text = text.slice(request.length);
      answer(request.request, ++count);
    }
  });
}

function takeRequest(text: string): { request: RawRequest; length: number } | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((header) => {
      const colon = header.indexOf(':');
      return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
    }),
  );
  const length = end + 4 + Number(headers['content-length'] ?? 0);
  if (text.length < length) return undefined;
  return { request: { line, headers, body: text.slice(end + 4, length) }, length };
}

/** A whole response with its length declared. */
export function answerText(status: number, headers: Record<string, string>, body: string): string {
  const lines = Object.entries({ 'content-length': String(Buffer.byteLength(body)), ...headers });
  return `HTTP/1.1 ${status} X\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}
