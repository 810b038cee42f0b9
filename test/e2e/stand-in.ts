import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterTests } from './program.js';

/** A service that is not the sandbox: one model, and a fixed answer to every download. */
export interface StandIn {
  readonly url: string;
  /** Method and path of each request. */
  readonly seen: string[];
  /** Headers of each request, in the same order. */
  readonly headers: IncomingHttpHeaders[];
  /** One for each download in turn; the last also for all later ones. */
  readonly audio: readonly Audio[];
  /** Responses that replace its own, by path. */
  readonly answers: Record<string, unknown>;
}

interface Audio {
  readonly type: string;
  readonly body: Uint8Array;
}

export interface StandInModel {
  readonly id: string;
  readonly formats: readonly string[];
}

/** Serves until the tests end. Jobs are ready at once. */
export async function startStandIn(model: StandInModel, ...audio: readonly Audio[]): Promise<StandIn> {
  const standIn: { -readonly [K in keyof StandIn]: StandIn[K] } = {
    url: '',
    seen: [],
    headers: [],
    audio,
    answers: {},
  };
  let downloads = 0;
  const answers = (path: string): unknown => {
    switch (path) {
      case '/models':
        return { object: 'list', type: 'music', data: [listing(model)] };
      case '/audio/quote':
        return { quote: 0.01 };
      case '/audio/queue':
        return { model: model.id, queue_id: `job-${standIn.seen.length}`, status: 'QUEUED' };
      case '/audio/complete':
        return { success: true };
      case '/api_keys/rate_limits':
        return { data: { accessPermitted: true, balances: { USD: 10, DIEM: 0 }, rateLimits: [] } };
      default:
        return undefined;
    }
  };
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const path = new URL(request.url ?? '', 'http://stand-in').pathname;
      standIn.seen.push(`${request.method} ${path}`);
      standIn.headers.push(request.headers);
      if (path === '/audio/retrieve') {
        const { type, body } = audio[Math.min(downloads++, audio.length - 1)]!;
        response.writeHead(200, { 'content-type': type, 'content-length': body.byteLength }).end(body);
        return;
      }
      const answer = standIn.answers[path] ?? answers(path);
      const head = { 'content-type': 'application/json' };
      if (answer === undefined) response.writeHead(401, head).end('{"error":"Admin API key required"}');
      else response.writeHead(200, head).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTests(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  standIn.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return standIn;
}

function listing({ id, formats }: StandInModel): object {
  return {
    id,
    type: 'music',
    object: 'model',
    model_spec: {
      name: id,
      pricing: { per_second: { usd: 0.001, diem: 0.001 } },
      min_duration: 1,
      max_duration: 600,
      supported_formats: formats,
      default_format: formats[0],
      prompt_character_limit: 4096,
      traits: [],
    },
  };
}
