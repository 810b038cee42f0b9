import { Agent, buildConnector, Client, type Dispatcher, errors } from 'undici';
import { usageError } from '../core/errors.js';
import type { Transport, TransportNoAnswer, TransportRequest } from '../core/ports.js';
import { createRedactor } from '../core/redact.js';
import { parseBaseUrl } from './base-url.js';
import { exchange } from './http-exchange.js';
import { type Environment, type ProxyAddress, proxyFor } from './proxy.js';
import { tunnelThrough } from './tunnel.js';
import { programVersion } from './version.js';

export interface TransportOptions {
  /** Accepted by `parseBaseUrl`. */
  readonly baseUrl: string;
  /** Accepted by `checkApiKey`. Sent only to the base URL's origin. */
  readonly apiKey?: string;
  /** For `HTTPS_PROXY` and `NO_PROXY`. Default: the process's. */
  readonly environment?: Environment;
  /** Until a connection is established, including TLS. Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Between bytes of a body. Default 60 s. */
  readonly idleTimeoutMs?: number;
}

/** Speech brings its subtitles in a header: no response of the API comes near this; more is an attack or a broken proxy. */
const HEADER_BYTES_MAX = 256 * 1024;
const CONNECTIONS_MAX = 64;
const KEEP_ALIVE_MS = 15_000;
const IDLE_MS = 60_000;

/**
 * HTTP to the API with undici. Follows no redirects, resends nothing (and keeps undici from it), and requests
 * `identity` encoding. Throws a `BatchError` at once for an invalid base URL or proxy; the transport itself never
 * throws.
 */
export function createTransport(options: TransportOptions): {
  readonly transport: Transport;
  /** Closes every connection at once. */
  close(): Promise<void>;
} {
  const base = baseOf(options.baseUrl);
  const environment = options.environment ?? process.env;
  const home: Target = { origin: base.origin, proxy: proxyFor(base, environment) };
  const dispatchers = createDispatchers(home, options);
  const clean = createRedactor([options.apiKey ?? '', home.proxy?.token ?? '']);
  const asDispatched = dispatchedBy(base, options);
  return {
    transport: async (request) => {
      const dispatched = asDispatched(request);
      if (dispatched === undefined) return NOT_ALLOWED;
      const target = dispatched.origin === home.origin ? home : elsewhere(dispatched.origin, environment);
      if (target === undefined) return NOT_ALLOWED;
      const own = request.freshConnection === true || request.elsewhere !== undefined;
      const { dispatcher, release } = own ? dispatchers.own(target) : dispatchers.kept();
      const { deadlineMs, headersDeadlineMs } = request;
      return exchange(dispatcher, dispatched, {
        deadlineMs,
        headersDeadlineMs,
        idleDeadlineMs: options.idleTimeoutMs ?? IDLE_MS,
        release,
        clean,
      });
    },
    close: dispatchers.close,
  };
}

const NOT_ALLOWED: TransportNoAnswer = {
  kind: 'no_answer',
  sent: false,
  code: 'NOT_ALLOWED',
  message: 'not an https address, or reached through an invalid proxy',
};

function baseOf(text: string): URL {
  const parsed = parseBaseUrl(text);
  if (parsed.ok) return new URL(parsed.url);
  throw usageError(parsed.message, parsed.hint, 'base-url-invalid');
}

type Dispatched = Dispatcher.RequestOptions & { readonly origin: string };

/** The options for undici; `undefined` for an address that must not be contacted. */
function dispatchedBy(
  base: URL,
  { apiKey }: TransportOptions,
): (request: TransportRequest) => Dispatched | undefined {
  const open = {
    accept: '*/*',
    'accept-encoding': 'identity',
    'user-agent': `venice-batch/${programVersion()}`,
  };
  const keyed = apiKey === undefined ? open : { ...open, authorization: `Bearer ${apiKey}` };
  const prefix = base.pathname === '/' ? '' : base.pathname;
  const typed = { ...keyed, 'content-type': 'application/json' };
  // The exchange has its own deadlines, which do not mistake a stopped process for a silent service.
  const timeouts = { headersTimeout: 0, bodyTimeout: 0 };
  return ({ method, path, elsewhere, body, headers: more }) => {
    if (elsewhere === undefined) {
      const own = body === undefined ? keyed : typed;
      const headers = more === undefined ? own : { ...own, ...more };
      return { origin: base.origin, path: prefix + path, method, headers, body: body ?? null, ...timeouts };
    }
    const url = URL.canParse(elsewhere) ? new URL(elsewhere) : undefined;
    // Plain http is only for a simulator on this machine.
    if (url === undefined || (url.protocol !== 'https:' && url.origin !== base.origin)) return undefined;
    return { origin: url.origin, path: url.pathname + url.search, method: 'GET', headers: open, ...timeouts };
  };
}

interface Target {
  readonly origin: string;
  readonly proxy: ProxyAddress | undefined;
}

function elsewhere(origin: string, environment: Environment): Target | undefined {
  try {
    return { origin, proxy: proxyFor(new URL(origin), environment) };
  } catch {
    return undefined;
  }
}

/** Created once: undici would create one, with its stack, for each connection that is released. */
const RELEASED = new errors.ClientDestroyedError();

interface Lent {
  readonly dispatcher: Dispatcher;
  readonly release: () => void;
}

/**
 * One pool of kept-alive connections, and a separate connection for each request that asks for one: the server may
 * close a kept connection at any moment, and a request lost that way looks like one that was received. (Costs 0.2 ms of
 * CPU on loopback; TLS sessions are resumed.)
 */
function createDispatchers(home: Target, options: TransportOptions) {
  const connect = { timeout: options.connectTimeoutMs ?? 10_000, autoSelectFamilyAttemptTimeout: 1_000 };
  const connector = buildConnector(connect);
  const limits = {
    maxHeaderSize: HEADER_BYTES_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connections: CONNECTIONS_MAX,
  };
  const connectorTo = ({ proxy }: Target) =>
    proxy === undefined ? connector : tunnelThrough(proxy, connector, connect.timeout);
  const pool = new Agent({ ...limits, connect: connectorTo(home) });
  const single = (target: Target) =>
    new Client(target.origin, {
      maxHeaderSize: HEADER_BYTES_MAX,
      pipelining: 0,
      connect: connectorTo(target),
    });
  const singles = new Set<Dispatcher>();
  let closed = false;
  const kept = (): Lent => ({ dispatcher: pool, release: () => {} });
  return {
    kept,
    own: (target: Target): Lent => {
      if (closed) return kept();
      const dispatcher = single(target);
      singles.add(dispatcher);
      const release = () => {
        singles.delete(dispatcher);
        void dispatcher.destroy(RELEASED);
      };
      return { dispatcher, release };
    },
    /** Also makes every later request fail unsent. */
    close: async (): Promise<void> => {
      closed = true;
      await Promise.all([pool, ...singles].map((dispatcher) => dispatcher.destroy()));
    },
  };
}
