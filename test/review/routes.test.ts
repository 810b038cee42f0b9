import { describe, expect, it } from 'vitest';
import type { PickRequest } from '../../src/review/data.js';
import { answer, type PageWorld } from '../../src/review/routes.js';

const SHA = 'a'.repeat(64);
const AUDIO = Buffer.from('0123456789');

async function* pieces(firstByte: number) {
  for (let at = firstByte; at < AUDIO.length; at += 3) yield AUDIO.subarray(at, at + 3);
}

function world(changes: Partial<PageWorld> = {}): PageWorld {
  return {
    assets: { script: 'script', style: 'style' },
    data: async () => ({
      ok: true,
      data: { title: 't', manifest: 'm', sandbox: false, tracks: [] },
      tag: 'tag-1',
    }),
    audio: async (sha256) =>
      sha256 === SHA ? { bytes: AUDIO.length, mediaType: 'audio/wav', stream: pieces } : undefined,
    peaks: async () => undefined,
    pick: async () => undefined,
    ...changes,
  };
}

function get(path: string, headers: Readonly<Record<string, string>> = {}, changes: Partial<PageWorld> = {}) {
  return answer({ method: 'GET', path, headers, body: async () => '' }, world(changes));
}

function post(body: unknown, changes: Partial<PageWorld> = {}) {
  const headers = { 'content-type': 'application/json' };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return answer({ method: 'POST', path: '/pick', headers, body: async () => text }, world(changes));
}

async function textOf(body: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
  if (typeof body === 'string') return body;
  let text = '';
  for await (const piece of body as AsyncIterable<Uint8Array>) text += Buffer.from(piece).toString();
  return text;
}

describe('the addresses of the review page', () => {
  it.each([
    [undefined, 200, '0123456789'],
    ['bytes=4-', 206, '456789'],
    ['bytes=2-4', 206, '234'],
    ['bytes=-3', 206, '789'],
    ['bytes=10-', 416, ''],
  ])('serve audio with the range %s', async (range, status, text) => {
    const response = await get(`/audio/${SHA}`, range === undefined ? {} : { range });
    expect(response.status).toBe(status);
    expect(await textOf(response.body)).toBe(text);
    if (status !== 416) expect(response.headers['content-length']).toBe(String(text.length));
  });

  it('send the data again only if they changed', async () => {
    const { headers, status } = await get('/data.json');
    expect(status).toBe(200);
    expect(await get('/data.json', { 'if-none-match': headers.etag! })).toMatchObject({ status: 304 });
    expect(await get('/data.json', { 'if-none-match': '"other"' })).toMatchObject({ status: 200 });
  });

  it('show no page that a lockfile names as audio', async () => {
    const response = await get(
      `/audio/${SHA}`,
      {},
      { audio: async () => ({ bytes: 10, mediaType: 'text/html', stream: pieces }) },
    );
    expect(response).toMatchObject({ status: 200, headers: { 'content-type': 'application/octet-stream' } });
  });

  it('explain why there are no data', async () => {
    const response = await get(
      '/data.json',
      {},
      { data: async () => ({ ok: false, problem: 'lockfile damaged' }) },
    );
    expect(response).toMatchObject({ status: 503, body: 'lockfile damaged' });
  });

  it.each(['/audio/..', '/audio/', `/audio/${SHA}/x`, '/audio/ABC', `/peaks/${SHA}`, '/page', '//', '/pick'])(
    'return nothing at %s',
    async (path) => {
      expect(await get(path)).toMatchObject({ status: 404 });
    },
  );

  it('save a pick, or say why it was not saved', async () => {
    const asked: PickRequest[] = [];
    const note = async (request: PickRequest) => void asked.push(request);
    expect(await post({ track: 'one', sha256: SHA, note: 'n' }, { pick: note })).toMatchObject({
      status: 204,
    });
    expect(await post({ track: 'one', sha256: null }, { pick: note })).toMatchObject({ status: 204 });
    expect(asked).toEqual([
      { track: 'one', sha256: SHA, note: 'n' },
      { track: 'one', sha256: null },
    ]);
    const refused = await post({ track: 'one', sha256: SHA }, { pick: async () => 'the disk is full' });
    expect(refused).toMatchObject({ status: 409, body: 'the disk is full' });
  });

  it.each([
    'no JSON',
    '[]',
    'null',
    {},
    { track: 'one' },
    { track: 'one', sha256: 'abc' },
    { track: 1, sha256: SHA },
    { track: 'one', sha256: SHA, note: 5 },
  ])('refuse %o as a pick', async (body) => {
    expect(await post(body)).toMatchObject({ status: 400 });
  });
});
