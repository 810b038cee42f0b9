import type { Transport, TransportRequest } from '../ports.js';
import { exchange, type GoodAnswer, readJson, unusable } from './answer.js';
import type { CallResult, Retrieved, UsageEntry, VeniceClient } from './client.js';
import { present } from './json.js';
import {
  audioType,
  type RetrievedJson,
  readBalance,
  readCompleted,
  readQueued,
  readQuote,
  readRateLimits,
  readRetrieved,
  readUsagePage,
} from './wire.js';
import { readCatalogue } from './wire-models.js';

const MIB = 1024 * 1024;
const JSON_BYTES_MAX = MIB;
const MODELS_BYTES_MAX = 8 * MIB;
/** A finished job may, rarely, come as base64 in the JSON. */
const INLINE_BYTES_MAX = 16 * MIB;

/** Of each whole exchange. The submit's is generous: giving up on it leaves a charge in doubt. */
const DEADLINE_MS = {
  models: 60_000,
  quote: 30_000,
  queue: 120_000,
  retrieve: 600_000,
  complete: 30_000,
  balance: 30_000,
  usage: 60_000,
  limits: 30_000,
} as const;

const USAGE_PAGES_MAX = 100;

/** The API, typed, over a transport. Never throws; see `VeniceClient`. */
export function createClient(transport: Transport): VeniceClient {
  const call = async <T>(
    request: TransportRequest,
    read: (body: unknown) => T | undefined,
    bytesMax = JSON_BYTES_MAX,
  ): Promise<CallResult<T>> => {
    const good = await exchange(transport, request);
    return good.ok ? readJson(good, bytesMax, read) : good;
  };
  return {
    models: () => call(get('/models?type=music', DEADLINE_MS.models), readCatalogue, MODELS_BYTES_MAX),
    quote: (query) => call(post('/audio/quote', query, DEADLINE_MS.quote), readQuote),
    queue: (request) =>
      call(post('/audio/queue', request, DEADLINE_MS.queue, { freshConnection: true }), (body) =>
        readQueued(body, request.model),
      ),
    retrieve: async (model, queueId) => {
      const body = { model, queue_id: queueId };
      const good = await exchange(transport, post('/audio/retrieve', body, DEADLINE_MS.retrieve));
      return good.ok ? retrieved(transport, good) : good;
    },
    complete: (model, queueId) =>
      call(post('/audio/complete', { model, queue_id: queueId }, DEADLINE_MS.complete), readCompleted),
    balance: () => call(get('/billing/balance', DEADLINE_MS.balance), readBalance),
    usageHistory: (startMs, endMs, entriesMax) =>
      walkUsage((path) => call(get(path, DEADLINE_MS.usage), readUsagePage), startMs, endMs, entriesMax),
    rateLimits: () => call(get('/api_keys/rate_limits', DEADLINE_MS.limits), readRateLimits),
  };
}

function get(path: string, deadlineMs: number): TransportRequest {
  return { method: 'GET', path, deadlineMs };
}

function post(
  path: string,
  body: object,
  deadlineMs: number,
  more?: Pick<TransportRequest, 'freshConnection'>,
): TransportRequest {
  return { method: 'POST', path, body: JSON.stringify(body), deadlineMs, ...more };
}

/** The content type alone tells a status report from the audio. */
async function retrieved(transport: Transport, good: GoodAnswer): Promise<CallResult<Retrieved>> {
  if (good.mediaType === '') return untyped(transport, good);
  const mediaType = audioType(good.mediaType);
  if (mediaType !== undefined) return { ok: true, value: asAudio(good, mediaType), rate: good.rate };
  const parsed = await readJson(good, INLINE_BYTES_MAX, readRetrieved);
  return parsed.ok ? fromJson(transport, good, parsed.value) : parsed;
}

/** Without a content type the first byte tells a report from audio, which is then judged by its bytes. */
async function untyped(transport: Transport, good: GoodAnswer): Promise<CallResult<Retrieved>> {
  const { first, body } = await peek(good.answer.body);
  const mediaType = first === OPENING_BRACE ? 'application/json' : 'application/octet-stream';
  return retrieved(transport, { ...good, mediaType, answer: { ...good.answer, body } });
}

const OPENING_BRACE = 0x7b;

/** The first byte of a body, and the whole body as if it had not been looked at; a fault comes when it is read. */
async function peek(
  body: AsyncIterable<Uint8Array>,
): Promise<{ first: number | undefined; body: AsyncIterable<Uint8Array> }> {
  const rest = body[Symbol.asyncIterator]();
  const begun = rest.next();
  const first = await begun.then(
    (piece) => (piece.done === true ? undefined : piece.value[0]),
    () => undefined,
  );
  return { first, body: resumed(begun, rest) };
}

async function* resumed(
  begun: Promise<IteratorResult<Uint8Array>>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (let piece = await begun; piece.done !== true; piece = await rest.next()) yield piece.value;
}

function asAudio({ answer }: GoodAnswer, mediaType: string): Retrieved {
  const contentLength = lengthOf(answer.headers['content-length']);
  return { kind: 'audio', mediaType, answer, ...present({ contentLength }) };
}

async function fromJson(
  transport: Transport,
  good: GoodAnswer,
  json: RetrievedJson,
): Promise<CallResult<Retrieved>> {
  if (json.kind === 'elsewhere') return fetchElsewhere(transport, good, json.url);
  if (json.kind !== 'inline') return { ok: true, value: json, rate: good.rate };
  const { bytes, mediaType } = json;
  const answer = { body: once(bytes), framed: true, discard: () => {} };
  const value = { kind: 'audio', mediaType, contentLength: bytes.byteLength, answer } as const;
  return { ok: true, value, rate: good.rate };
}

/**
 * The audio from another host, which never gets the key. Whatever that host answers is no word of the API: its 404
 * does not mean that the job is gone, and its rate headers mean nothing.
 */
async function fetchElsewhere(
  transport: Transport,
  good: GoodAnswer,
  url: string,
): Promise<CallResult<Retrieved>> {
  const request = { ...get('', DEADLINE_MS.retrieve), elsewhere: url };
  const there = await exchange(transport, request);
  const mediaType = there.ok ? audioType(there.mediaType) : undefined;
  if (there.ok && mediaType !== undefined) {
    return { ok: true, value: asAudio(there, mediaType), rate: good.rate };
  }
  if (there.ok) there.answer.discard();
  const why = there.ok ? `it is ${there.mediaType}` : there.message;
  return unusable(good, 'url-result', `the audio lies at ${new URL(url).host}, but could not be had: ${why}`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function lengthOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

/** A continuation sends the cursor and nothing else: the window travels inside it. */
async function walkUsage(
  page: (path: string) => Promise<CallResult<{ entries: readonly UsageEntry[]; nextCursor?: string }>>,
  startMs: number,
  endMs: number,
  entriesMax: number,
): Promise<CallResult<readonly UsageEntry[]>> {
  const query = new URLSearchParams({
    startTimestamp: new Date(startMs).toISOString(),
    endTimestamp: new Date(endMs).toISOString(),
    pageSize: String(Math.min(1_000, Math.max(10, entriesMax))),
  });
  const entries: UsageEntry[] = [];
  let path = `/billing/usage-history?${query}`;
  for (let pages = 1; ; pages++) {
    const result = await page(path);
    if (!result.ok) return result;
    entries.push(...result.value.entries);
    const { nextCursor } = result.value;
    if (nextCursor === undefined || entries.length >= entriesMax || pages >= USAGE_PAGES_MAX) {
      return { ok: true, value: entries.slice(0, entriesMax), rate: result.rate };
    }
    path = `/billing/usage-history?cursor=${encodeURIComponent(nextCursor)}`;
  }
}
