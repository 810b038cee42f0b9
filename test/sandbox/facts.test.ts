import { describe, expect, it } from 'vitest';
import { descriptionOf } from '../../src/sandbox/api-versions.js';
import { CATALOGUE_TODAY } from '../../src/sandbox/catalogue-2026-10.js';
import { complaints, type Play, play, SONG } from './play.js';

/* What the vendor documents of today's service, where other tests show only the older description. */

const LYRIA = { model: 'lyria-3-pro', prompt: 'A calm piano piece' };
const UNKNOWN_ID = { status: 400, json: { error: 'Request ID is invalid.' } };
const { limits } = descriptionOf('2026-10');

const today = (options: Parameters<typeof play>[0] = {}): Play => play({ as: '2026-10', ...options });

/** Two keys of one user, and one of another. */
const KEYS = [
  { key: 'sandbox', user: 'one' },
  { key: 'second', user: 'one' },
  { key: 'foreign', user: 'other' },
];

describe('access', () => {
  it.each([
    ['POST', '/audio/queue'],
    ['POST', '/audio/retrieve'],
    ['POST', '/audio/complete'],
    ['GET', '/billing/balance'],
    ['GET', '/billing/usage-history'],
    ['GET', '/api_keys/rate_limits'],
  ])('%s %s answers 402 without credentials, saying how to pay, and 401 with a wrong key', (method, path) => {
    const world = today();
    const ask = (key: string) => (method === 'POST' ? world.post(path, {}, key) : world.get(path, key));
    const open = ask('');
    expect([open.status, Object.keys(open.json).sort()]).toEqual([
      402,
      ['accepts', 'authOptions', 'error', 'x402Version'],
    ]);
    expect(ask('wrong').status).toBe(401);
  });

  it('to a job belongs to the user, not to the key', () => {
    const world = today({ keys: KEYS });
    const job = { model: SONG.model, queue_id: world.queued(SONG, 'sandbox') };
    for (const path of ['/audio/retrieve', '/audio/complete'])
      expect(world.post(path, job, 'foreign')).toMatchObject(UNKNOWN_ID);
    expect(world.post('/audio/retrieve', job, 'second').json.status).toBe('PROCESSING');
  });
});

describe('limits', () => {
  it('count per user over all keys', () => {
    const world = today({ keys: KEYS, limits, balanceUsd: 1_000 });
    const submit = (key: string) => world.post('/audio/queue', LYRIA, key).status;
    for (let count = 0; count < 40; count += 1)
      expect(submit(count % 2 === 0 ? 'sandbox' : 'second')).toBe(200);
    expect([submit('sandbox'), submit('second'), submit('foreign')]).toEqual([429, 429, 200]);
  });

  it('on errors do not count 429 and 5xx', () => {
    const world = today({ limits: { ...limits, perMinuteByRoute: { '/audio/queue': 55 } } });
    const full = (count: number) => ({ ...LYRIA, prompt: `[sandbox:capacity] number ${count}` });
    const statuses = Array.from(
      { length: 120 },
      (_, count) => world.post('/audio/queue', full(count)).status,
    );
    expect(new Set(statuses)).toEqual(new Set([503, 429]));
    expect(world.get('/billing/balance').status).toBe(200);
  });
});

describe('a refusal', () => {
  it.each([
    ['402', today({ balanceUsd: 0 }), LYRIA],
    ['422', today(), { ...LYRIA, prompt: 'A song of gore' }],
    ['429', today({ faults: { overloaded: 1 } }), LYRIA],
    ['503', today({ faults: { atCapacity: 1 } }), LYRIA],
    ['404', today(), { ...LYRIA, model: 'no-such-model' }],
  ])('with %s has a text and no code', (status, world, body) => {
    const { json, ...answer } = world.post('/audio/queue', body);
    expect([String(answer.status), typeof json.error, 'code' in json]).toEqual([status, 'string', false]);
  });

  it('names the limit of the key', () => {
    const world = today({ keys: [{ key: 'sandbox', spendLimit: { usd: 0.05, currency: 'USD' } }] });
    const { status, json } = world.post('/audio/queue', LYRIA);
    expect([status, json]).toEqual([
      402,
      { error: expect.stringMatching(/^API key USD spend limit exceeded/) },
    ]);
  });

  it('of another content type is a 400', () => {
    const { service, nowMs } = today();
    const headers = { authorization: 'Bearer sandbox', 'content-type': 'text/plain' };
    const request = { method: 'POST', path: '/audio/queue', headers, body: JSON.stringify(LYRIA) };
    const { status, body } = service.handle(request, nowMs);
    expect([status, body]).toEqual([400, expect.stringContaining("'Content-Type' must be")]);
  });

  it('meets every optional field that a model does not support, even with a value that asks for nothing', () => {
    const nothing = {
      lyrics_prompt: '',
      force_instrumental: false,
      lyrics_optimizer: false,
      loop: false,
      language_code: 'en',
      speed: 1,
      voice: 'Aria',
      duration_seconds: 60,
    };
    for (const [field, value] of Object.entries(nothing)) {
      const refused = today().post('/audio/queue', { ...LYRIA, [field]: value });
      expect([field, refused.status, complaints(refused, field).length]).toEqual([field, 400, 1]);
    }
  });

  it.each([
    ['minimax-music-v2', {}, 400],
    ['minimax-music-v2', { lyrics_prompt: '  \n  ' }, 400],
    ['minimax-music-v2', { lyrics_prompt: 'la' }, 200],
    ['minimax-music-v25', {}, 400],
    ['minimax-music-v25', { lyrics_prompt: 'la la la' }, 400],
    ['minimax-music-v25', { lyrics_prompt: 'la la la la' }, 200],
    ['minimax-music-v25', { force_instrumental: true }, 200],
    ['minimax-music-v25', { lyrics_optimizer: true }, 200],
    ['minimax-music-v25', { lyrics_optimizer: true, lyrics_prompt: 'la la la la' }, 400],
    ['minimax-music-v26', {}, 400],
    ['minimax-music-v26', { force_instrumental: true }, 200],
    ['minimax-music-v26', { lyrics_optimizer: true }, 400],
  ])('by the lyrics rules of %s: %o gets %i', (model, fields, status) => {
    expect(today().post('/audio/queue', { model, prompt: 'A calm piano piece', ...fields }).status).toBe(
      status,
    );
  });
});

describe('the catalogue', () => {
  it('marks custom voices and voice changers only where they exist', () => {
    for (const { spec } of CATALOGUE_TODAY)
      expect([spec.supports_custom_voice_id ?? true, spec.voice_changer ?? true]).toEqual([true, true]);
  });

  it('has one model that loops, and none with a language', () => {
    const having = (field: 'supports_loop' | 'supports_language_code') =>
      CATALOGUE_TODAY.filter(({ spec }) => spec[field] === true).map(({ id }) => id);
    expect([having('supports_loop'), having('supports_language_code')]).toEqual([
      ['elevenlabs-sound-effects-v2'],
      [],
    ]);
  });
});

it('finished audio has the headers that describe it', () => {
  const world = today();
  const job = { model: LYRIA.model, queue_id: world.queued(LYRIA) };
  world.untilReady(job.queue_id);
  expect(world.post('/audio/retrieve', job).headers).toMatchObject({
    'x-venice-audio-format': 'wav',
    'x-venice-inference-time': expect.stringMatching(/^\d+(\.\d+)?$/),
    'x-venice-model-id': LYRIA.model,
    'x-venice-model-name': 'Lyria 3 Pro',
  });
});
