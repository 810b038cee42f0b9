import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type {
  Transport,
  TransportAnswer,
  TransportNoAnswer,
  TransportRequest,
} from '../../src/core/ports.js';
import { createRedactor } from '../../src/core/redact.js';
import type { CallResult } from '../../src/venice/client.js';
import { createClient } from '../../src/venice/create-client.js';
import { classifySubmit } from '../../src/venice/submit-outcome.js';

const REQUEST = { model: 'm', prompt: 'p' } as const;
const QUEUED = '{"model":"m","queue_id":"q-1","status":"QUEUED"}';
const JSON_TYPE = 'application/json; charset=utf-8';

interface Canned {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  readonly pieces?: () => AsyncIterable<Uint8Array>;
}

/** A client whose requests get these responses in turn. Reports what was requested and what was discarded. */
function clientWith(...answers: (Canned | TransportNoAnswer)[]) {
  const asked: TransportRequest[] = [];
  let discarded = 0;
  let readBytes = 0;
  const transport: Transport = async (request) => {
    const next = answers[Math.min(asked.push(request), answers.length) - 1];
    if (next === undefined) throw new Error('no answer prepared');
    if ('kind' in next) return next;
    const body = next.pieces?.() ?? inOnePiece(next.body ?? '');
    return {
      kind: 'answer',
      status: next.status ?? 200,
      headers: { ...(next.type === '' ? {} : { 'content-type': next.type ?? JSON_TYPE }), ...next.headers },
      body: counted(body),
      framed: true,
      discard: () => {
        discarded += 1;
      },
    } satisfies TransportAnswer;
  };
  async function* counted(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      readBytes += piece.byteLength;
      yield piece;
    }
  }
  return {
    client: createClient(transport, createRedactor([KEY])),
    asked,
    get discarded() {
      return discarded;
    },
    get readBytes() {
      return readBytes;
    },
  };
}

async function* inOnePiece(body: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield typeof body === 'string' ? new TextEncoder().encode(body) : body;
}

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield new Uint8Array(65_536).fill(0x20);
}

const KEY = 'sk-secret-0123456789abcdef';

const codeOf = (result: CallResult<unknown>) => (result.ok ? 'ok' : result.code);

describe('a service that echoes the key', () => {
  it('does not get it into the model name', async () => {
    const { client } = clientWith({ body: JSON.stringify({ queue_id: 'q1', model: KEY }) });
    expect(await client.queue({ model: 'm', prompt: 'p' })).toMatchObject({
      value: { queueId: 'q1', model: 'm' },
    });
  });

  it.each([KEY, `id-${KEY}`, Buffer.from(KEY).toString('base64')])(
    'has not returned a usable id: %s',
    async (id) => {
      const { client } = clientWith({ body: JSON.stringify({ queue_id: id, model: 'm' }) });
      const result = await client.queue({ model: 'm', prompt: 'p' });
      expect(result).toMatchObject({ ok: false, kind: 'unusable' });
      expect(JSON.stringify(result)).not.toContain(id);
    },
  );

  it('has not returned a usable id either if the key is escaped', async () => {
    const escaped = KEY.replace('s', '\\u0073');
    const { client } = clientWith({ body: `{"queue_id":"${escaped}","model":"${escaped}"}` });
    expect(JSON.stringify(await client.queue({ model: 'm', prompt: 'p' }))).not.toContain(KEY.slice(0, 9));
  });

  it.each([1_980, 1_990, 1_999])('shows no part of it where a text is cut, %i characters in', async (at) => {
    const error = `${'x'.repeat(at)}${KEY}`;
    const { client } = clientWith({ status: 400, body: JSON.stringify({ error, code: KEY }) });
    const result = await client.queue({ model: 'm', prompt: 'p' });
    expect(JSON.stringify(result)).not.toContain(KEY.slice(0, 4));
  });

  it('is not quoted in full in a redirect', async () => {
    const location = `https://u:p@cdn.example/${KEY}?signature=s`;
    const { client } = clientWith({ status: 302, headers: { location } });
    const result = await client.models();
    expect(result).toMatchObject({ message: expect.stringContaining('redirect to https://cdn.example/') });
    expect(JSON.stringify(result)).not.toMatch(/signature|u:p|sk-secret/);
  });
});

describe('the requests of the client', () => {
  it('have the right path and body, one each', async () => {
    const { client, asked } = clientWith({ body: '{}' });
    await client.models();
    await client.quote({ model: 'm', duration_seconds: 60 });
    await client.queue({ ...REQUEST, loop: true });
    await client.retrieve('m', 'q');
    await client.complete('m', 'q');
    await client.balance();
    await client.accountBalance();
    await client.rateLimits();
    expect(asked.map(({ method, path, body }) => [method, path, body && JSON.parse(body)])).toEqual([
      ['GET', '/models?type=music', undefined],
      ['POST', '/audio/quote', { model: 'm', duration_seconds: 60 }],
      ['POST', '/audio/queue', { model: 'm', prompt: 'p', loop: true }],
      ['POST', '/audio/retrieve', { model: 'm', queue_id: 'q' }],
      ['POST', '/audio/complete', { model: 'm', queue_id: 'q' }],
      ['GET', '/api_keys/rate_limits', undefined],
      ['GET', '/billing/balance', undefined],
      ['GET', '/api_keys/rate_limits', undefined],
    ]);
    expect(asked.filter(({ freshConnection }) => freshConnection)).toHaveLength(1);
    expect(asked[2]?.freshConnection).toBe(true);
    expect(asked[3]?.headersDeadlineMs).toBe(60_000);
    expect(asked.every(({ deadlineMs }) => deadlineMs >= 30_000 && deadlineMs <= 600_000)).toBe(true);
  });
});

describe('a good response', () => {
  it('returns its value and the rate headers', async () => {
    const headers = { 'x-ratelimit-remaining-requests': '7' };
    const { client } = clientWith({ body: '{"quote":0.75}', headers });
    expect(await client.quote(REQUEST)).toEqual({ ok: true, value: 750_000, rate: { remaining: 7 } });
  });

  it('may come without a type, in many chunks, with a byte order mark', async () => {
    const text = new TextEncoder().encode('\ufeff{"success":false}');
    const { client } = clientWith({
      type: '',
      pieces: async function* () {
        for (const byte of text) yield Uint8Array.of(byte);
      },
    });
    expect(await client.complete('m', 'q')).toMatchObject({ ok: true, value: false });
  });

  it('to a submit is the id, with the model that the API names', async () => {
    const { client } = clientWith({ body: '{"model":"m2","queue_id":"q-1","status":"QUEUED"}' });
    expect(classifySubmit(await client.queue(REQUEST))).toEqual({
      kind: 'accepted',
      queued: { queueId: 'q-1', model: 'm2' },
    });
  });
});

it.each(['text/plain', 'text/html; charset=utf-8', 'application/octet-stream', 'text/json'])(
  'an accepted job stays accepted if its response has the type %s',
  async (type) => {
    const { client } = clientWith({ type, body: '{"model":"m","queue_id":"q-1"}' });
    expect(classifySubmit(await client.queue(REQUEST)).kind).toBe('accepted');
  },
);

describe('a submit answered by', () => {
  const error = '{"error":"no"}';
  it.each<[string, Canned | TransportNoAnswer, string, string]>([
    ['a refusal', { status: 400, body: error }, 'refused', 'http-400'],
    ['a refusal without a type', { status: 422, type: '', body: error }, 'refused', 'http-422'],
    [
      '503 in the API’s words',
      { status: 503, body: '{"error":"x","code":"MODEL_AT_CAPACITY"}' },
      'refused',
      'MODEL_AT_CAPACITY',
    ],
    ['503 in HTML', { status: 503, type: 'text/html', body: '<h1>503</h1>' }, 'in_doubt', 'html'],
    ['403 of a proxy', { status: 403, type: 'text/html', body: '<h1>Forbidden</h1>' }, 'in_doubt', 'html'],
    ['403 of a gateway', { status: 403, body: '{"message":"Forbidden"}' }, 'refused', 'http-403'],
    [
      '503 of a gateway',
      { status: 503, type: 'text/plain', body: 'upstream connect error or disconnect/reset before headers' },
      'in_doubt',
      'http-503',
    ],
    ['503 without a body', { status: 503, type: '', body: '' }, 'in_doubt', 'http-503'],
    [
      '503 about the model in plain words',
      { status: 503, type: 'text/plain', body: 'The model is at capacity' },
      'refused',
      'MODEL_AT_CAPACITY',
    ],
    [
      '402 in plain words',
      { status: 402, type: 'text/plain', body: 'Insufficient balance' },
      'refused',
      'http-402',
    ],
    ['413 without a body', { status: 413, type: '', body: '' }, 'refused', 'http-413'],
    [
      '400 that names a job in plain words',
      { status: 400, type: 'text/plain', body: 'already queued: queue_id=q-1' },
      'in_doubt',
      'not-json',
    ],
    [
      'a page by the name of text',
      { status: 400, type: 'text/plain', body: '<h1>no</h1>' },
      'in_doubt',
      'not-json',
    ],
    [
      '403 as another kind of JSON',
      { status: 403, type: 'application/problem+json', body: error },
      'refused',
      'http-403',
    ],
    ['400 as plain text', { status: 400, type: 'text/plain', body: error }, 'refused', 'http-400'],
    ['400 with plain words', { status: 400, type: 'text/plain', body: 'no' }, 'refused', 'http-400'],
    ['429 of a CDN', { status: 429, type: 'text/html', body: '<h1>Slow down</h1>' }, 'refused', 'html'],
    ['400 with half a body', { status: 400, body: '{"error":"n' }, 'in_doubt', 'not-json'],
    ['400 without an end', { status: 400, pieces: endless }, 'in_doubt', 'too-long'],
    [
      '400 in a compression that cannot be decoded',
      { status: 400, body: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), headers: { 'content-encoding': 'zstd' } },
      'in_doubt',
      'encoding',
    ],
    [
      '400 that is compressed',
      { status: 400, body: gzipSync(error), headers: { 'content-encoding': 'gzip' } },
      'refused',
      'http-400',
    ],
    [
      '400 that only claims to be compressed',
      { status: 400, body: error, headers: { 'content-encoding': 'br' } },
      'refused',
      'http-400',
    ],
    [
      '200 that is compressed and cut off',
      { body: gzipSync(QUEUED).subarray(0, -9), headers: { 'content-encoding': 'gzip' } },
      'in_doubt',
      'encoding',
    ],
    ['500', { status: 500, body: error }, 'in_doubt', 'http-500'],
    ['502', { status: 502, type: 'text/html', body: '' }, 'in_doubt', 'html'],
    ['504', { status: 504, body: error }, 'in_doubt', 'http-504'],
    ['a redirect', { status: 307, headers: { location: 'https://evil.example' } }, 'in_doubt', 'redirect'],
    ['304', { status: 304, type: '' }, 'in_doubt', 'redirect'],
    ['200 in HTML', { type: 'text/html', body: '<h1>queued</h1>' }, 'in_doubt', 'html'],
    ['400 in HTML', { status: 400, type: 'text/html', body: error }, 'in_doubt', 'html'],
    ['200 without JSON', { body: 'OK' }, 'in_doubt', 'not-json'],
    ['200 without an id', { body: '{"model":"m","status":"QUEUED"}' }, 'in_doubt', 'wrong-type'],
    ['200 with an id that cannot be shown', { body: '{"queue_id":"\\u001b[2J"}' }, 'in_doubt', 'wrong-type'],
    ['200 with an error', { body: error }, 'in_doubt', 'wrong-type'],
    ['200 that is not UTF-8', { body: Buffer.from([0x7b, 0xff, 0x7d]) }, 'in_doubt', 'not-json'],
    ['202', { status: 202, body: '{"queue_id":"q","model":"m"}' }, 'in_doubt', 'wrong-type'],
    [
      'nothing, unsent',
      { kind: 'no_answer', sent: false, code: 'ECONNREFUSED', message: '' },
      'not_sent',
      'ECONNREFUSED',
    ],
    [
      'nothing, sent',
      { kind: 'no_answer', sent: true, code: 'ECONNRESET', message: '' },
      'in_doubt',
      'ECONNRESET',
    ],
  ])('%s', async (_, answer, kind, code) => {
    const { client } = clientWith(answer);
    expect(classifySubmit(await client.queue(REQUEST))).toMatchObject({ kind, code });
  });

  it.each([
    ['202', { status: 202, body: '{"queue_id":"q-1"}' }, 'q-1'],
    ['500 in the API’s own format', { status: 500, body: '{"error":"late","queue_id":"q-1"}' }, 'q-1'],
    ['202 with a path for an id', { status: 202, body: '{"queue_id":"../x"}' }, '../x'],
    ['200 with an id in two lines', { body: '{"queue_id":"a\\nb","model":"m"}' }, 'a\nb'],
    ['200 with an endless id', { body: `{"queue_id":"${'q'.repeat(5000)}"}` }, 'q'.repeat(1001)],
    ['200 with an object for an id', { body: '{"queue_id":{}}' }, undefined],
    ['429 with an id', { status: 429, body: '{"error":"slow down","queue_id":"q-1"}' }, 'q-1'],
    ['503 with an id', { status: 503, body: '{"error":"busy","queue_id":"q-1"}' }, 'q-1'],
    ['402 with an id', { status: 402, body: '{"error":"no money","queue_id":"q-1"}' }, 'q-1'],
    ['202 with a number for an id', { status: 202, body: '{"queue_id":7}' }, '7'],
  ])('%s is in doubt, and its id is kept as evidence', async (_, answer, queueIdSeen) => {
    const { client } = clientWith(answer);
    const outcome = classifySubmit(await client.queue(REQUEST));
    expect([outcome.kind, 'queueIdSeen' in outcome ? outcome.queueIdSeen : undefined]).toEqual([
      'in_doubt',
      queueIdSeen,
    ]);
  });

  it.each<[encoding: string, body: Uint8Array, type?: string]>([
    ['gzip', gzipSync(QUEUED)],
    ['x-gzip', gzipSync(QUEUED)],
    ['GZip', gzipSync(QUEUED), 'text/html'],
    ['deflate', deflateSync(QUEUED)],
    ['deflate', deflateRawSync(QUEUED)],
    ['br', brotliCompressSync(QUEUED), ''],
    ['gzip, br', brotliCompressSync(gzipSync(QUEUED))],
    ['identity, gzip', gzipSync(QUEUED)],
    ['gzip', Buffer.from(QUEUED)],
  ])('200 encoded as %s, which was not asked for, is decoded', async (encoding, body, type) => {
    const { client } = clientWith({
      body,
      headers: { 'content-encoding': encoding },
      ...(type === undefined ? {} : { type }),
    });
    expect(classifySubmit(await client.queue(REQUEST))).toMatchObject({
      kind: 'accepted',
      queued: { queueId: 'q-1' },
    });
  });

  it.each<[encoding: string, compress: (bytes: Uint8Array) => Uint8Array]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['gzip, gzip', (bytes) => gzipSync(gzipSync(bytes))],
  ])('200 that expands without end is refused: %s', async (encoding, compress) => {
    const body = compress(Buffer.concat([Buffer.from(QUEUED), Buffer.alloc(4 * 1024 * 1024, ' ')]));
    const { client } = clientWith({ body, headers: { 'content-encoding': encoding } });
    expect(classifySubmit(await client.queue(REQUEST))).toMatchObject({ kind: 'in_doubt', code: 'too-long' });
  });

  it('200 whose body breaks off is in doubt', async () => {
    const { client } = clientWith({
      pieces: async function* () {
        yield new TextEncoder().encode('{"queue_id":');
        throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
      },
    });
    const result = await client.queue(REQUEST);
    expect(result).toMatchObject({ ok: false, kind: 'no_answer', sent: true, code: 'ECONNRESET' });
    expect(classifySubmit(result).kind).toBe('in_doubt');
  });
});

describe('size limits', () => {
  it('stop reading an endless response, and free its connection', async () => {
    for (const [call, bytesMax] of [
      ['quote', 1],
      ['balance', 1],
      ['models', 8],
      ['retrieve', 16],
    ] as const) {
      const world = clientWith({ pieces: endless });
      const { client } = world;
      const result =
        call === 'quote'
          ? await client.quote(REQUEST)
          : call === 'retrieve'
            ? await client.retrieve('m', 'q')
            : await client[call]();
      expect(codeOf(result)).toBe('too-long');
      expect(world.readBytes).toBeLessThanOrEqual(bytesMax * 1024 * 1024 + 65_536);
      expect(world.discarded).toBeGreaterThan(0);
    }
  });

  it('discard an unusable body without reading it', async () => {
    const world = clientWith({ pieces: endless, status: 302 });
    expect((await world.client.retrieve('m', 'q')).ok).toBe(false);
    expect([world.readBytes, world.discarded]).toEqual([0, 1]);
  });

  it('hold for compressed bodies, before they are decoded', async () => {
    const world = clientWith({ pieces: endless, status: 400, headers: { 'content-encoding': 'br' } });
    expect(codeOf(await world.client.retrieve('m', 'q'))).toBe('too-long');
    expect(world.readBytes).toBeLessThan(2 * 1024 * 1024);
    expect(world.discarded).toBeGreaterThan(0);
  });

  it.each<[code: string, answer: Canned]>([
    ['html', { type: 'text/html' }],
    ['not-json', { type: 'image/png' }],
    ['encoding', { type: 'audio/mpeg', headers: { 'content-encoding': 'gzip' } }],
  ])('read the beginning of what should not be audio, and discard the rest: %s', async (code, answer) => {
    const world = clientWith({ pieces: endless, ...answer });
    expect(codeOf(await world.client.retrieve('m', 'q'))).toBe(code);
    expect(world.readBytes).toBeLessThan(2 * 1024 * 1024);
    expect(world.discarded).toBeGreaterThan(0);
  });
});

describe('a poll', () => {
  const poll = (answer: Canned) => clientWith(answer).client.retrieve('m', 'q');

  it('returns the audio whole, whatever its type is called', async () => {
    const world = clientWith({
      type: 'Audio/X-WAV; rate=44100',
      body: 'RIFF',
      headers: { 'content-length': '4' },
    });
    const result = await world.client.retrieve('m', 'q');
    expect(result).toMatchObject({
      ok: true,
      value: { kind: 'audio', mediaType: 'audio/wav', contentLength: 4, answer: { framed: true } },
    });
    if (!result.ok || result.value.kind !== 'audio') throw new Error('no audio');
    expect((await bytesOf(result.value.answer.body)).toString()).toBe('RIFF');
  });

  it('returns bytes of unknown type for the container check to decide', async () => {
    for (const type of ['application/octet-stream', 'binary/octet-stream']) {
      expect(await poll({ type, headers: { 'content-length': '12 apples' } })).toMatchObject({
        ok: true,
        value: { kind: 'audio', mediaType: 'application/octet-stream' },
      });
    }
  });

  it('distinguishes running from failed in JSON', async () => {
    expect(await poll({ body: '{"status":"PROCESSING","average_execution_time":20000}' })).toMatchObject({
      value: { kind: 'running', averageExecutionMs: 20_000 },
    });
    expect(
      await poll({ body: '{"status":"FAILED","error_code":"X","credits_refunded":true}' }),
    ).toMatchObject({
      value: { kind: 'failed', code: 'X', creditsRefunded: true },
    });
  });

  it('reads audio out of JSON', async () => {
    const audio = Buffer.from('fLaC and the rest of it');
    const result = await poll({
      body: JSON.stringify({
        status: 'COMPLETED',
        audio: audio.toString('base64'),
        content_type: 'audio/flac',
      }),
    });
    expect(result).toMatchObject({
      value: {
        kind: 'audio',
        mediaType: 'audio/flac',
        contentLength: audio.length,
        answer: { framed: true },
      },
    });
    if (!result.ok || result.value.kind !== 'audio') throw new Error('no audio');
    expect(await bytesOf(result.value.answer.body)).toEqual(audio);
  });

  const URL_RESULT = { body: '{"status":"COMPLETED","url":"https://cdn.example/a.mp3?sig=1"}' };

  it('fetches the audio from the address in JSON, and takes rate headers from the API alone', async () => {
    const rate = { 'x-ratelimit-remaining-requests': '7' };
    const world = clientWith(
      { ...URL_RESULT, headers: rate },
      { type: 'audio/mp3', body: 'ID3', headers: { 'x-ratelimit-remaining-requests': '1' } },
    );
    const result = await world.client.retrieve('m', 'q');
    expect(result).toMatchObject({
      ok: true,
      value: { kind: 'audio', mediaType: 'audio/mpeg' },
      rate: { remaining: 7 },
    });
    expect(world.asked[1]).toMatchObject({ method: 'GET', elsewhere: 'https://cdn.example/a.mp3?sig=1' });
    expect(world.asked[1]).not.toHaveProperty('body');
  });

  it.each<[Canned | TransportNoAnswer]>([
    [{ status: 404, body: '{"error":"gone"}' }],
    [{ status: 401, body: '{"error":"no"}' }],
    [{ status: 429, body: '{"error":"slow"}' }],
    [{ type: 'text/html' }],
    [{ status: 302, headers: { location: 'https://evil.example' } }],
    [{ kind: 'no_answer', sent: false, code: 'ENOTFOUND', message: 'no such host' }],
  ])('never mistakes %j of another host for an answer of the API', async (answer) => {
    const world = clientWith(URL_RESULT, answer);
    const result = await world.client.retrieve('m', 'q');
    expect(result).toMatchObject({ ok: false, kind: 'unusable', status: 200, code: 'url-result' });
    expect(JSON.stringify(result)).toContain('cdn.example');
    expect(JSON.stringify(result)).not.toContain('sig=1');
  });

  it.each<[Canned, string]>([
    [{ body: '{"status":"WHAT"}' }, 'wrong-type'],
    [{ type: 'text/html', body: '<html>' }, 'html'],
    [{ type: 'video/mp4' }, 'not-json'],
    [{ type: 'audio/mpeg, text/html' }, 'not-json'],
    [{ status: 404, body: '{"error":"gone"}' }, 'http-404'],
    [{ status: 404, type: 'audio/mpeg', body: 'x' }, 'not-json'],
    [{ status: 206, type: 'audio/mpeg', body: 'x' }, 'not-json'],
  ])('%j fails with %s', async (answer, code) => {
    expect(codeOf(await poll(answer))).toBe(code);
  });
});

describe('the usage history', () => {
  const page = (count: number, nextCursor: string | null): Canned => ({
    body: JSON.stringify({
      data: Array.from({ length: count }, (_, i) => ({
        timestamp: new Date(i).toISOString(),
        sku: 's',
        amount: -1,
        currency: 'USD',
      })),
      nextCursor,
    }),
  });

  it('is read page by page: first with the window, then with the cursor alone', async () => {
    const { client, asked } = clientWith(page(2, 'next-1'), page(1, null));
    expect(await client.usageHistory(0, 1_000, 50)).toMatchObject({
      ok: true,
      value: { entries: { length: 3 }, cut: false },
    });
    expect(asked.map(({ path }) => path)).toEqual([
      '/billing/usage-history?startTimestamp=1970-01-01T00%3A00%3A00.000Z&endTimestamp=1970-01-01T00%3A00%3A01.000Z&pageSize=50',
      '/billing/usage-history?cursor=next-1',
    ]);
  });

  it('counts the entries that cannot be read on all pages', async () => {
    const odd = (nextCursor: string | null): Canned => ({ body: JSON.stringify({ data: [{}], nextCursor }) });
    const { client } = clientWith(odd('next'), page(1, 'last'), odd(null));
    expect(await client.usageHistory(0, 1_000, 50)).toMatchObject({
      value: { entries: { length: 1 }, unread: 2 },
    });
  });

  it('stops at the number wanted', async () => {
    const { client, asked } = clientWith(page(10, 'next'));
    expect(await client.usageHistory(0, 1, 15)).toMatchObject({
      ok: true,
      value: { entries: { length: 15 }, cut: true },
    });
    expect(asked).toHaveLength(2);
  });

  it('ends even if empty pages never end', async () => {
    const { client, asked } = clientWith(page(0, 'again'));
    expect(await client.usageHistory(0, 1, 15)).toMatchObject({ ok: true, value: { entries: [] } });
    expect(asked.length).toBeLessThanOrEqual(100);
  });

  it('is empty if a page fails', async () => {
    const { client } = clientWith(page(1, 'next'), { status: 401, body: '{"error":"no rights"}' });
    expect(await client.usageHistory(0, 1, 15)).toMatchObject({ ok: false, status: 401, kind: 'refused' });
  });
});
