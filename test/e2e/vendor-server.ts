import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { wav } from '../storage/audio-bytes.js';

/*
 * A stand-in for the service, written from its newest public description and independently of this program: 40 submits
 * and 120 retrieves per minute, plain error bodies without a code, failed jobs as HTTP errors on retrieve, 400 for an
 * unknown id, charged at the queue. The first word of the prompt decides what becomes of a job. A test may set lower
 * limits, which no response describes.
 */

interface Job {
  readonly model: string;
  readonly fate: string;
  readonly queuedMs: number;
  deleted: boolean;
}

interface Reply {
  readonly status: number;
  readonly body: object | Buffer;
}

const MINUTE_MS = 60_000;
const RUN_MS = 2_000;
const PRICE_USD = 0.25;
const error = (status: number, text: string): Reply => ({ status, body: { error: text } });
const UNKNOWN_ID = error(400, 'Request ID is invalid.');

const MODELS = [
  {
    id: 'stand-in',
    model_spec: { name: 'Stand-in', pricing: { generation: { usd: PRICE_USD, diem: PRICE_USD } } },
  },
  {
    id: 'retired',
    model_spec: { name: 'Retired', pricing: { generation: { usd: PRICE_USD, diem: PRICE_USD } } },
  },
  {
    id: 'closed',
    model_spec: { name: 'Closed', pricing: { generation: { usd: PRICE_USD, diem: PRICE_USD } } },
  },
  {
    id: 'voices',
    model_spec: { name: 'Voices', voice_changer: true, pricing: { per_second: { usd: 0.01, diem: 0.01 } } },
  },
].map((entry) => ({ ...entry, object: 'model', type: 'music', owned_by: 'venice.ai', created: 1 }));

export interface VendorServer {
  readonly url: string;
  /** Method and path of each request. */
  readonly requests: readonly string[];
  readonly charges: () => number;
  /** Number of 429s. */
  readonly refusals: () => number;
  close(): Promise<void>;
}

const DOCUMENTED: Readonly<Record<string, number>> = { '/audio/queue': 40, '/audio/retrieve': 120 };

/**
 * @param nowMs the service's clock
 * @param perMinute requests in any 60 s of it, by path
 */
export async function startVendorServer(
  nowMs: () => number = Date.now,
  perMinute: Readonly<Record<string, number>> = DOCUMENTED,
): Promise<VendorServer> {
  const jobs = new Map<string, Job>();
  const requests: string[] = [];
  const countedMs = new Map<string, number[]>();
  let refusals = 0;

  const isWithinLimit = (path: string): boolean => {
    const atMs = nowMs();
    const counted = (countedMs.get(path) ?? []).filter((ms) => ms > atMs - MINUTE_MS);
    const isWithin = counted.length < (perMinute[path] ?? Number.POSITIVE_INFINITY);
    countedMs.set(path, isWithin ? [...counted, atMs] : counted);
    return isWithin;
  };

  const queue = (body: Record<string, unknown>): Reply => {
    if (body.model === 'retired') return error(410, 'This model has been retired');
    if (body.model === 'closed') return error(403, 'This model is not available to your account');
    if (body.model !== 'stand-in') return error(400, 'This model is not available on this route');
    const id = randomUUID();
    const fate = String(body.prompt).split(' ')[0]!;
    jobs.set(id, { model: body.model, fate, queuedMs: nowMs(), deleted: false });
    return { status: 200, body: { model: body.model, queue_id: id, status: 'QUEUED' } };
  };

  const retrieve = (job: Job): Reply => {
    const sinceMs = nowMs() - job.queuedMs;
    if (sinceMs < RUN_MS) {
      const times = { average_execution_time: RUN_MS, execution_duration: sinceMs };
      return { status: 200, body: { status: 'PROCESSING', ...times } };
    }
    switch (job.fate) {
      case 'Refused':
        return error(400, 'The provider could not generate the audio');
      case 'Forbidden':
        return error(422, 'Your prompt violates the content policy of the model provider');
      case 'Unpaid':
        return error(402, 'Insufficient USD or Diem balance to complete request');
      case 'Unknown':
        return UNKNOWN_ID;
      case 'Broken':
        return error(500, 'Inference processing failed');
      case 'Unavailable':
        return error(503, 'The model is at capacity');
      default:
        return { status: 200, body: wav(1) };
    }
  };

  const complete = (job: Job): Reply => {
    if (job.fate === 'Forgotten') return UNKNOWN_ID;
    job.deleted = true;
    return { status: 200, body: { success: true } };
  };

  const reply = (method: string, path: string, body: Record<string, unknown>): Reply => {
    const route = `${method} ${path}`;
    requests.push(route);
    if (!isWithinLimit(path)) {
      refusals += 1;
      return error(429, 'Rate limit exceeded');
    }
    const job = jobs.get(String(body.queue_id));
    switch (route) {
      case 'GET /models':
        return { status: 200, body: { object: 'list', type: 'music', data: MODELS } };
      case 'POST /audio/quote':
        return { status: 200, body: { quote: PRICE_USD } };
      case 'POST /audio/queue':
        return queue(body);
      case 'POST /audio/retrieve':
        if (job === undefined) return UNKNOWN_ID;
        return job.deleted ? error(404, 'Media could not be found.') : retrieve(job);
      case 'POST /audio/complete':
        return job === undefined ? UNKNOWN_ID : complete(job);
      case 'GET /api_keys/rate_limits':
        return {
          status: 200,
          body: {
            data: {
              accessPermitted: true,
              balances: { USD: 10 },
              rateLimits: [{ apiModelId: 'stand-in', rateLimits: [] }],
            },
          },
        };
      default:
        return path.startsWith('/billing/') ? error(401, 'Admin API key required') : error(404, 'Not found');
    }
  };

  const server = createServer(async (request, response) => {
    const path = (request.url ?? '').replace(/^\/api\/v1/, '').split('?')[0]!;
    const { status, body } = reply(request.method ?? 'GET', path, await readJson(request));
    const isAudio = Buffer.isBuffer(body);
    response.writeHead(status, { 'content-type': isAudio ? 'audio/wav' : 'application/json' });
    response.end(isAudio ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`,
    requests,
    charges: () => jobs.size,
    refusals: () => refusals,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return pieces.length === 0 ? {} : (JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>);
}
