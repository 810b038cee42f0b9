import { Readable } from 'node:stream';
import { Agent, buildConnector } from 'undici';
import type { Web, WebRequest } from '../core/ports.js';
import { exchange } from './http-exchange.js';
import { type Environment, proxyFor } from './proxy.js';
import { tunnelThrough } from './tunnel.js';
import { programVersion } from './version.js';

const CONNECT_MS = 10_000;
const IDLE_MS = 60_000;
/**
 * After the last piece of a body that is sent. It may still be in the system's buffers, for minutes on a slow line, and a
 * gateway may pass all of it on before it responds.
 */
const SENT_MS = 600_000;
const KEEP_ALIVE_MS = 15_000;
const CONNECTIONS_MAX = 32;

/** HTTP to any server, with undici. Has no key; respects `HTTPS_PROXY` and `NO_PROXY`. */
export function createWeb(environment: Environment, clean: (text: string) => string): Web {
  const connector = buildConnector({ timeout: CONNECT_MS, autoSelectFamilyAttemptTimeout: 1_000 });
  const agents = new Map<string, Agent>();
  const userAgent = `venice-batch/${programVersion()}`;
  const agentTo = (url: URL): Agent => {
    const known = agents.get(url.origin);
    if (known !== undefined) return known;
    const proxy = url.protocol === 'https:' ? proxyFor(url, environment) : undefined;
    const connect = proxy === undefined ? connector : tunnelThrough(proxy, connector, CONNECT_MS);
    const agent = new Agent({ connect, connections: CONNECTIONS_MAX, keepAliveTimeout: KEEP_ALIVE_MS });
    agents.set(url.origin, agent);
    return agent;
  };
  return {
    request: (request) => {
      const url = new URL(request.url);
      // The exchange has its own deadlines.
      const timeouts = { headersTimeout: 0, bodyTimeout: 0 };
      const { method, deadlineMs } = request;
      let moved = () => {};
      const sent = {
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: {
          'accept-encoding': 'identity',
          'user-agent': userAgent,
          ...request.headers,
        },
        body: bodyOf(request, () => moved()),
        ...timeouts,
      };
      return exchange(agentTo(url), sent, {
        deadlineMs,
        headersDeadlineMs: isStreamed(request) ? SENT_MS : IDLE_MS,
        sends: (restart) => {
          moved = restart;
        },
        idleDeadlineMs: IDLE_MS,
        release: () => {},
        clean,
      });
    },
    close: async () => {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
    },
  };
}

function isStreamed({ body }: WebRequest): boolean {
  return body !== undefined && !(body instanceof Uint8Array);
}

/** @param moved called when the connection has taken a piece of a stream */
function bodyOf({ body }: WebRequest, moved: () => void): Uint8Array | Readable | null {
  if (body === undefined) return null;
  return body instanceof Uint8Array ? body : Readable.from(noting(body, moved), { objectMode: false });
}

async function* noting(pieces: AsyncIterable<Uint8Array>, moved: () => void): AsyncIterable<Uint8Array> {
  for await (const piece of pieces) {
    yield piece;
    moved();
  }
}
