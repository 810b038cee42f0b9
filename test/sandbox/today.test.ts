import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { descriptionOf } from '../../src/sandbox/api-versions.js';
import { CATALOGUE_TODAY } from '../../src/sandbox/catalogue-2026-10.js';
import type { ServiceOptions } from '../../src/sandbox/service.js';
import { openApiFile, shapesOf } from './openapi.js';
import { type Answered, bytesOf, complaints, type Play, play, SONG } from './play.js';

const TODAY = { as: '2026-10' } as const;
const CHEAP = { model: 'stable-audio-25', prompt: 'A quiet room at night' };
const UNKNOWN = 'no-such-id';

function today(options: Partial<ServiceOptions> = {}): Play {
  return play({ ...TODAY, ...options });
}

/** A job that has ended, and how retrieve reports it. */
function ended(prompt: string, options: Partial<ServiceOptions> = {}) {
  const world = today(options);
  const job = { model: SONG.model, queue_id: world.queued({ ...SONG, prompt }) };
  world.untilReady(job.queue_id);
  return { world, job, retrieve: () => world.post('/audio/retrieve', job) };
}

describe('the service as of today', () => {
  it('lets a loop that understands only PROCESSING and audio collect 20 of 20', () => {
    const world = today({ limits: {} });
    for (let song = 0; song < 20; song++) {
      const job = { model: CHEAP.model, queue_id: world.queued({ ...CHEAP, prompt: `Song number ${song}` }) };
      let answer = world.post('/audio/retrieve', job);
      for (let polls = 0; answer.json?.status === 'PROCESSING' && polls < 200; polls++) {
        expect(answer.json.average_execution_time).toBeGreaterThan(0);
        world.nowMs += 3_000;
        answer = world.post('/audio/retrieve', job);
      }
      expect([answer.status, answer.headers['content-type']?.split('/')[0]]).toEqual([200, 'audio']);
      expect(bytesOf(answer.raw.body).byteLength).toBeGreaterThan(1_000);
    }
  });

  it.each([
    ['[sandbox:fail]', 400],
    ['[sandbox:crash]', 500],
  ])('reports a failed job (%s) with %i on each poll, without a code, and refunds it', (word, status) => {
    const { world, retrieve } = ended(`A song ${word}`);
    for (let polls = 0; polls < 3; polls++) {
      const { json, ...answer } = retrieve();
      expect(answer.status).toBe(status);
      expect(typeof json.error).toBe('string');
      expect(json).not.toHaveProperty('code');
      expect(json.credits_refunded).not.toBe(false);
    }
    expect(world.get('/billing/balance').json.balances.usd).toBe(100);
  });

  it('keeps a DIEM charge of an earlier UTC day, and refunds one of the same day', () => {
    const late = Date.UTC(2027, 0, 15, 23, 59, 59);
    for (const [atMs, spentUsd] of [
      [late, 0.69],
      [late - 3_600_000, 0],
    ] as const) {
      const world = today({ currenciesUsd: { DIEM: 5 } });
      world.nowMs = atMs;
      const id = world.queued({ ...SONG, prompt: 'A song [sandbox:fail]' });
      world.untilReady(id);
      const charges = world.service.charges(world.nowMs + 1);
      expect(charges.reduce((sum, { microUsd }) => sum + microUsd, 0)).toBe(spentUsd * 1e6);
      expect(charges[0]).toMatchObject({ currency: 'DIEM', atMs });
    }
  });

  it('charges the first balance that covers the whole price', () => {
    const world = today({
      currenciesUsd: { DIEM: 0.5, EARNED_CREDITS: 0.7, BUNDLED_CREDITS: 0.69 },
      balanceUsd: 0,
    });
    const currencies = [SONG, SONG, { ...CHEAP }].map(
      (body) => world.service.jobs.get(world.queued(body))?.currency,
    );
    expect(currencies).toEqual(['EARNED_CREDITS', 'BUNDLED_CREDITS', 'DIEM']);
    expect(world.post('/audio/queue', SONG).status).toBe(402);
  });

  it('shows any key what it can spend, capped by its limit, and billing only to an ADMIN key', () => {
    const world = today({
      keys: [
        'sandbox',
        { key: 'small', user: 'sandbox', kind: 'INFERENCE', spendLimit: { usd: 2, currency: 'USD' } },
      ],
      currenciesUsd: { DIEM: 1, EARNED_CREDITS: 3 },
      balanceUsd: 10,
    });
    const { data } = world.get('/api_keys/rate_limits', 'small').json;
    expect(data).toMatchObject({ accessPermitted: true, balances: { USD: 2, DIEM: 1, BUNDLED_CREDITS: 0 } });
    expect(
      new Set(data.rateLimits.map(({ rateLimits }: { rateLimits: unknown[] }) => rateLimits.length)),
    ).toEqual(new Set([0]));
    expect(world.get('/billing/balance', 'small')).toMatchObject({
      status: 401,
      json: { error: 'Admin API key required' },
    });
    expect(world.get('/billing/balance').json.balances).toEqual({
      usd: 10,
      diem: 1,
      bundledCredits: null,
      earnedCredits: 3,
    });
    const id = world.queued(SONG, 'small');
    expect(world.post('/audio/complete', { model: SONG.model, queue_id: id }, 'sandbox').json).toEqual({
      success: true,
    });
  });

  it('refuses an empty account', () => {
    const { data } = today({ balanceUsd: 0 }).get('/api_keys/rate_limits').json;
    expect(data).toMatchObject({ accessPermitted: false, balances: { USD: 0 } });
  });

  it('limits submits and retrieves per user over all models, without headers', () => {
    const world = today({ limits: descriptionOf('2026-10').limits });
    const submits = Array.from({ length: 41 }, (_, at) =>
      world.post('/audio/queue', { ...(at % 2 === 0 ? SONG : CHEAP), duration_seconds: 5 }),
    );
    expect(submits.map(({ status }) => status)).toEqual([...Array(40).fill(200), 429]);
    expect(Object.keys(submits[40]!.headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
    const retrieves = Array.from({ length: 121 }, () =>
      world.post('/audio/retrieve', { model: SONG.model, queue_id: submits[0]!.json.queue_id }),
    );
    expect(retrieves.filter(({ status }) => status === 429)).toHaveLength(1);
    expect(world.post('/audio/quote', { model: SONG.model }).status).toBe(200);
  });

  it('answers 404 for media that is gone, and lists the charge from the submit on', () => {
    const { world, job, retrieve } = ended('A song of rain');
    expect(world.service.charges(world.nowMs)).toMatchObject([{ microUsd: 690_000 }]);
    expect(world.post('/audio/complete', job).json).toEqual({ success: true });
    expect(retrieve().status).toBe(404);
    expect(world.post('/audio/complete', job)).toMatchObject({
      status: 400,
      json: { error: 'Request ID is invalid.' },
    });
  });

  it('closes a model to a key with 403, and lists only models the key may use', () => {
    const world = today({ keys: [{ key: 'sandbox', models: ['stable-audio-25'] }] });
    expect(world.post('/audio/queue', SONG).status).toBe(403);
    expect(world.post('/audio/queue', CHEAP).status).toBe(200);
    const ids = world.get('/models?type=music').json.data.map(({ id }: { id: string }) => id);
    expect(ids).toEqual(['stable-audio-25']);
  });

  it.each([
    ['ten characters of a prompt', { ...SONG, prompt: 'Nine char' }, 'prompt'],
    [
      'no more than 4,096 of lyrics',
      { model: 'minimax-music-v2', prompt: 'A song of rain', lyrics_prompt: 'la'.repeat(2_049) },
      'lyrics_prompt',
    ],
  ])('requires %s if the model states nothing', (_, body, field) => {
    const world = today();
    const refused = world.post('/audio/queue', body);
    expect([refused.status, complaints(refused, field).length]).toEqual([400, 1]);
  });

  it('requires no minimum prompt length as of August', () => {
    const answer = play({ as: '2026-08' }).post('/audio/queue', { ...SONG, prompt: 'Nine char' });
    expect(answer.status).toBe(200);
  });

  it("prefers a model's own minimum to the general one", () => {
    const body = { model: 'elevenlabs-tts-v4', prompt: 'Hello' };
    expect(today().post('/audio/queue', body).status).toBe(200);
  });

  it('lists the voices of a model when it refuses another', () => {
    const body = { model: 'seed-audio-1-0', prompt: 'Hello out there', voice: 'Nobody' };
    const { details } = today().post('/audio/queue', body).json;
    expect(details.supported_voices).toContain('Tim');
  });

  it('asks to wait 30 s if a model is overloaded', () => {
    const answer = today({ faults: { overloaded: 1 } }).post('/audio/queue', SONG);
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '30']);
  });

  it('blocks a user after more than 50 refusals in 30 s other than 429, and says until when', () => {
    const world = today({ limits: { perMinuteByRoute: {}, headers: false, failuresMax: 50 } });
    const unknown = { model: SONG.model, queue_id: UNKNOWN };
    for (let count = 0; count < 51; count++) expect(world.post('/audio/retrieve', unknown).status).toBe(400);
    const { status, headers } = world.post('/audio/retrieve', unknown);
    expect([status, headers['x-ratelimit-remaining'], headers['x-ratelimit-resets']]).toEqual([
      429,
      '0',
      String(world.nowMs + 30_000),
    ]);
  });

  it('reserves 120 s for speech of unknown length, and refunds what it did not use', () => {
    const world = today();
    const body = { model: 'seed-audio-1-0', prompt: 'a'.repeat(150) };
    const id = world.queued(body);
    const left = () => world.get('/billing/balance').json.balances.usd;
    expect(left()).toBeCloseTo(100 - 0.345, 6);
    world.untilReady(id);
    // At 15 characters a second: 10 s.
    expect(left()).toBeCloseTo(100 - 0.02875, 6);
    const audio = world.post('/audio/retrieve', { model: body.model, queue_id: id });
    expect([audio.headers['x-venice-audio-duration'], audio.headers['x-venice-model-name']]).toEqual([
      '10',
      'Seed Audio 1.0',
    ]);
    world.nowMs += 1;
    expect(world.service.charges(world.nowMs).map(({ microUsd }) => microUsd)).toEqual([345_000, -316_250]);
  });

  it('lists a voice changer, and refuses it on the audio routes', () => {
    const world = today();
    const listed = world.get('/models?type=music').json.data;
    const [changer] = listed.filter((model: { model_spec: object }) => 'voice_changer' in model.model_spec);
    expect(changer.model_spec.voice_changer).toBe(true);
    expect(world.post('/audio/quote', { model: changer.id }).status).toBe(400);
    expect(world.post('/audio/queue', { ...CHEAP, model: changer.id }).status).toBe(400);
  });
});

/** What each model produces, as published on 2026-09-29. */
const PUBLISHED_FORMATS: Readonly<Record<string, readonly string[]>> = {
  'ace-step-15': ['flac'],
  'elevenlabs-music': ['mp3'],
  'elevenlabs-music-v2': ['mp3'],
  'elevenlabs-music-v2-5': ['mp3'],
  'elevenlabs-sound-effects-v2': ['mp3'],
  'elevenlabs-tts-multilingual-v2': ['mp3'],
  'elevenlabs-tts-v3': ['mp3'],
  'elevenlabs-tts-v4': ['mp3'],
  'elevenlabs-tts-v4-turbo': ['mp3'],
  'lyria-3-pro': ['mp3'],
  'minimax-music-v2': ['mp3'],
  'minimax-music-v25': ['mp3'],
  'minimax-music-v26': ['mp3'],
  'mmaudio-v2-text-to-audio': ['wav'],
  'seed-audio-1-0': ['mp3', 'wav'],
  'sonilo-v1-1-music': ['m4a'],
  'sonilo-v1-1-sound-effects': ['mp3'],
  'stable-audio-25': ['wav'],
};

describe('audio as of today', () => {
  it('has the published format, but WAV instead of MP3, as no MP3 encoder is small and fast enough', () => {
    const made = CATALOGUE_TODAY.filter(({ spec }) => spec.voice_changer !== true).map(
      ({ id, spec }) => [id, spec.supported_formats] as const,
    );
    const expected = Object.entries(PUBLISHED_FORMATS).map(
      ([id, formats]) =>
        [id, [...new Set(formats.map((format) => (format === 'mp3' ? 'wav' : format)))]] as const,
    );
    expect(Object.fromEntries(made)).toEqual(Object.fromEntries(expected));
  });
});

/** One of today's responses of each kind. */
function samples(): [string, Answered][] {
  const world = today({ balanceUsd: 8, currenciesUsd: { DIEM: 1 } });
  const job = { model: SONG.model, queue_id: world.queued() };
  const poor = today({ balanceUsd: 0, currenciesUsd: { EARNED_CREDITS: 1 } });
  const retired = today();
  retired.nowMs = Date.UTC(2032, 0, 1);
  const closed = today({ keys: [{ key: 'sandbox', models: [] }] });
  const limited = today({ limits: { perMinuteByRoute: { '/audio/queue': 0 } } });
  const failed = (word: string) => ended(`A song ${word}`).retrieve();
  return [
    ['get /models', world.get('/models?type=music')],
    ['post /audio/quote', world.post('/audio/quote', { model: SONG.model })],
    ['post /audio/quote', world.post('/audio/quote', { model: UNKNOWN })],
    ['post /audio/queue', world.post('/audio/queue', SONG)],
    ['post /audio/queue', world.post('/audio/queue', { ...SONG, loop: true })],
    ['post /audio/queue', world.post('/audio/queue', SONG, 'unknown')],
    ['post /audio/queue', world.post('/audio/queue', SONG, '')],
    ['post /audio/queue', poor.post('/audio/queue', { ...SONG, duration_seconds: 600 })],
    ['post /audio/queue', world.post('/audio/queue', { ...SONG, prompt: 'A song of gore' })],
    ['post /audio/queue', world.post('/audio/queue', { ...SONG, prompt: '[sandbox:capacity]' })],
    ['post /audio/queue', limited.post('/audio/queue', SONG)],
    ['post /audio/queue', closed.post('/audio/queue', SONG)],
    ['post /audio/queue', retired.post('/audio/queue', { ...CHEAP, model: 'minimax-music-v2' })],
    ['post /audio/retrieve', world.post('/audio/retrieve', job)],
    ['post /audio/retrieve', world.post('/audio/retrieve', { ...job, queue_id: UNKNOWN })],
    ['post /audio/retrieve', failed('[sandbox:fail]')],
    ['post /audio/retrieve', failed('[sandbox:crash]')],
    ['post /audio/retrieve', failed('[sandbox:expired]')],
    ['post /audio/complete', world.post('/audio/complete', job)],
    ['post /audio/complete', world.post('/audio/complete', { ...job, queue_id: UNKNOWN })],
    ['get /billing/balance', today().get('/billing/balance')],
    ['get /billing/balance: earned credits', poor.get('/billing/balance')],
    ['get /billing/usage-history', world.get('/billing/usage-history')],
    ['get /api_keys/rate_limits', world.get('/api_keys/rate_limits')],
  ];
}

/** Where the newest public description differs from the OpenAPI document, which is older. */
const KNOWN_DEVIATIONS: Readonly<Record<string, string>> = {
  'post /audio/queue 403': 'a key may be closed to a model',
  'post /audio/queue 410': 'a retired model',
  'get /billing/balance: earned credits 200': 'a fourth purse, EARNED_CREDITS',
};

const DOCUMENTED = openApiFile === undefined ? undefined : shapesOf(openApiFile);

describe.runIf(DOCUMENTED !== undefined)("today's answers checked against the OpenAPI document", () => {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });

  it('deviate only where the newest description does', () => {
    const deviating = samples().flatMap(([route, answer]) => {
      const label = `${route} ${answer.status}`;
      const shape = DOCUMENTED!(`${route.split(':')[0]} ${answer.status}`);
      return shape !== undefined && ajv.validate(shape, answer.json) ? [] : [label];
    });
    expect(deviating.sort()).toEqual(Object.keys(KNOWN_DEVIATIONS).sort());
  });
});
