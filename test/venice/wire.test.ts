import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audioType, mediaTypeOf } from '../../src/venice/media-type.js';
import { readRateHeaders } from '../../src/venice/read-rate-headers.js';
import {
  readAccountBalance,
  readCompleted,
  readKeyBalance,
  readQueued,
  readQuote,
  readRateLimits,
  readRetrieved,
  readTransactions,
  readUsagePage,
  readWalletBalance,
} from '../../src/venice/wire.js';
import { readError } from '../../src/venice/wire-errors.js';
import { readCatalogue } from '../../src/venice/wire-models.js';

describe('any JSON at all', () => {
  const readers = [
    readQuote,
    (body: unknown) => readQueued(body, 'm'),
    readRetrieved,
    readCompleted,
    readAccountBalance,
    readKeyBalance,
    readWalletBalance,
    readTransactions,
    readUsagePage,
    readRateLimits,
    readCatalogue,
    (body: unknown) => readError(body, 402),
  ];

  it('is read without a throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        for (const read of readers) expect(() => read(body)).not.toThrow();
      }),
    );
  });

  it('is read without a throw even if the names are the right ones', () => {
    const names = [
      'data',
      'id',
      'type',
      'model_spec',
      'pricing',
      'durations',
      'duration_options',
      'voices',
      'deprecation',
      'quote',
      'queue_id',
      'model',
      'status',
      'error',
      'details',
      'issues',
      '_errors',
      'message',
      'code',
      'url',
      'audio',
      'balances',
      'usd',
      'canConsume',
      'rateLimits',
      'apiModelId',
      'amount',
      'nextCursor',
      'timestamp',
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
    ];
    const words = fc.constantFrom('music', 'PROCESSING', 'FAILED', 'COMPLETED', 'RPM', 'x');
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, true, -1, 0, 1e308, 60),
        words,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(value, (body) => {
        // Through text, so that `__proto__` is an own key, as in a response.
        const parsed: unknown = JSON.parse(JSON.stringify(body));
        for (const read of readers) expect(() => read(parsed)).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the catalogue', () => {
  const entry = (spec: object, more: object = {}) => ({
    id: 'm',
    type: 'music',
    model_spec: { name: 'M', traits: [], ...spec },
    ...more,
  });
  const model = (spec: object) => readCatalogue({ data: [entry(spec)] })?.get('m');

  it("has a full entry under the API's own names", () => {
    const spec = {
      supports_lyrics: true,
      lyrics_required: false,
      lyrics_character_limit: 4_096,
      supports_lyrics_optimizer: false,
      supports_force_instrumental: true,
      supports_loop: false,
      supports_language_code: true,
      supports_speed: true,
      min_speed: 0.7,
      max_speed: 1.2,
      default_speed: 1,
      voices: ['Aria', 'Roger'],
      default_voice: 'Aria',
      supports_custom_voice_id: true,
      duration_options: [60, 90],
      min_duration: 3,
      max_duration: 600,
      default_duration: 60,
      supported_formats: ['flac'],
      default_format: 'flac',
      min_prompt_length: 10,
      prompt_character_limit: 512,
      traits: ['default'],
    };
    expect(model({ ...spec, privacy: 'anonymized', new_thing: { a: 1 } })).toEqual({
      id: 'm',
      name: 'M',
      offline: false,
      beta: false,
      ...spec,
    });
  });

  it.each([
    ['generation', { generation: { usd: 0.75, diem: 0.75 } }, { kind: 'generation', microUsd: 750_000 }],
    ['per second', { per_second: { usd: 0.0023 } }, { kind: 'per_second', microUsd: 2_300 }],
    [
      'per thousand characters',
      { per_thousand_characters: { usd: 0.11500000000000002 } },
      { kind: 'per_thousand_characters', microUsd: 115_000 },
    ],
    [
      'tiers, sorted',
      {
        durations: {
          '120': { usd: 1.38, min_seconds: 61, max_seconds: 120 },
          '60': { usd: 0.69, min_seconds: 3, max_seconds: 60 },
        },
      },
      {
        kind: 'durations',
        tiers: [
          { minSeconds: 3, maxSeconds: 60, microUsd: 690_000 },
          { minSeconds: 61, maxSeconds: 120, microUsd: 1_380_000 },
        ],
      },
    ],
  ])('reads the price %s', (_, pricing, expected) => {
    expect(model({ pricing })?.pricing).toEqual(expected);
  });

  it.each([
    { generation: { usd: '0.75' } },
    { generation: { usd: -1 } },
    { durations: {} },
    { durations: { '60': { usd: 0.69 } } },
    { durations: { '60': { usd: 0.69, min_seconds: 60, max_seconds: 3 } } },
    { input: { usd: 1 } },
    'free',
  ])('reads no price from %j', (pricing) => {
    expect(model({ pricing })).not.toHaveProperty('pricing');
  });

  it('treats a field of a wrong type as undeclared, and keeps the others', () => {
    const read = model({
      supports_lyrics: 'yes',
      lyrics_character_limit: -5,
      voices: ['Aria', 7],
      duration_options: [],
      min_duration: 100,
      max_duration: 10,
      max_speed: '2',
      default_speed: 1,
      supports_loop: true,
    });
    expect(read).toEqual({
      id: 'm',
      name: 'M',
      offline: false,
      beta: false,
      traits: [],
      default_speed: 1,
      supports_loop: true,
    });
  });

  it('takes durations as numbers or as texts of digits', () => {
    expect(model({ duration_options: ['60', 90], default_duration: '60' })).toMatchObject({
      duration_options: [60, 90],
      default_duration: 60,
    });
    expect(model({ min_duration: '3', max_duration: 'long' })).toMatchObject({ min_duration: 3 });
  });

  it('reads offline, beta under either name, and deprecation from either date', () => {
    expect(model({ offline: true })?.offline).toBe(true);
    expect(model({ beta: true })?.beta).toBe(true);
    expect(model({ betaModel: true })?.beta).toBe(true);
    expect(model({ deprecation: { date: '2025-03-01' } })?.deprecationDate).toBe('2025-03-01T00:00:00.000Z');
    expect(
      model({
        deprecation: {
          date: '2025-03-01T00:00:00Z',
          removesAt: '2025-04-01T00:00:00+02:00',
          replacementModelId: 'new',
        },
      }),
    ).toMatchObject({ deprecationDate: '2025-03-31T22:00:00.000Z', replacementModelId: 'new' });
    expect(model({ deprecation: { date: 'soon' } })).not.toHaveProperty('deprecationDate');
  });

  it('leaves out other types, entries without a usable id, and the second of two equal ids', () => {
    const read = readCatalogue({
      data: [
        entry({ name: 'first' }),
        entry({ name: 'second' }),
        entry({}, { id: 'img', type: 'image' }),
        entry({}, { id: '' }),
        entry({}, { id: 'a/../b' }),
        entry({}, { id: 'esc\u001b[2J' }),
        entry({}, { id: 7 }),
        null,
        { id: 'bare', type: 'music' },
      ],
    });
    expect([...(read ?? [])].map(([id, { name }]) => [id, name])).toEqual([
      ['m', 'first'],
      ['bare', 'bare'],
    ]);
  });

  it.each([null, [], {}, { data: {} }, 'x'])('is not read from %j', (body) => {
    expect(readCatalogue(body)).toBeUndefined();
  });
});

describe('a price', () => {
  it.each([
    [0.75, 750_000],
    [0, 0],
    [0.11500000000000002, 115_000],
    [1e-9, 1],
  ])('of %s USD is %s micro-dollars', (quote, microUsd) => {
    expect(readQuote({ quote })).toBe(microUsd);
  });

  it.each(['0.75', -1, null, Number.NaN, 1e9, [1]])('is not read from %j', (quote) => {
    expect(readQuote({ quote })).toBeUndefined();
  });
});

describe('the response to a submit', () => {
  it('is its id and the model that the API names', () => {
    expect(readQueued({ model: 'm-v2', queue_id: '123e-4567', status: 'QUEUED' }, 'm')).toEqual({
      queueId: '123e-4567',
      model: 'm-v2',
    });
  });

  it('has the requested model if it names none', () => {
    expect(readQueued({ queue_id: 'a' }, 'm')?.model).toBe('m');
    expect(readQueued({ queue_id: 'a', model: 'x\ny' }, 'm')?.model).toBe('m');
  });

  it.each(['a b', 'a/b', '../x', 'é', '"', 'x'.repeat(1000)])('has the id %j exactly as sent', (queue_id) => {
    expect(readQueued({ queue_id, model: 'm' }, 'm')?.queueId).toBe(queue_id);
  });

  it.each(['', 'a\n', '\u001b[2J', 'a\u202eb', 'a\u200bb', 'x'.repeat(1001), 7, null, undefined])(
    'is unusable with the id %j',
    (queue_id) => {
      expect(readQueued({ queue_id, model: 'm' }, 'm')).toBeUndefined();
    },
  );
});

describe('the state of a job', () => {
  it.each(['PROCESSING', 'QUEUED'])('%s is running, with its times where they make sense', (status) => {
    expect(readRetrieved({ status, average_execution_time: 20_000, execution_duration: 5_200 })).toEqual({
      kind: 'running',
      averageExecutionMs: 20_000,
      executionMs: 5_200,
    });
    expect(readRetrieved({ status })).toEqual({ kind: 'running' });
    expect(readRetrieved({ status, average_execution_time: -1, execution_duration: 1e15 })).toEqual({
      kind: 'running',
    });
    expect(readRetrieved({ status, average_execution_time: '20000' })).toEqual({ kind: 'running' });
  });

  it('FAILED is final, with what it says about the refund', () => {
    expect(
      readRetrieved({
        status: 'FAILED',
        error: 'no',
        error_code: 'INFERENCE_FAILED',
        credits_refunded: true,
      }),
    ).toEqual({ kind: 'failed', code: 'INFERENCE_FAILED', message: 'no', creditsRefunded: true });
    expect(readRetrieved({ status: 'FAILED', error: 'see https://me:pw@host/a?sig=s' })).toMatchObject({
      message: 'see https://host/a',
    });
    expect(readRetrieved({ status: 'FAILED' })).toEqual({
      kind: 'failed',
      code: 'generation-failed',
      message: 'the generation failed',
    });
    expect(readRetrieved({ status: 'FAILED', credits_refunded: 'yes', error_code: 'a sentence' })).toEqual({
      kind: 'failed',
      code: 'generation-failed',
      message: 'the generation failed',
    });
  });

  it('COMPLETED brings the audio in base64, or its address', () => {
    const bytes = Buffer.from('RIFF....WAVEfmt and so on');
    const audio = bytes.toString('base64');
    const inline = { kind: 'inline', bytes };
    expect(readRetrieved({ status: 'COMPLETED', audio })).toEqual({
      ...inline,
      mediaType: 'application/octet-stream',
    });
    expect(readRetrieved({ status: 'COMPLETED', data: audio, content_type: 'audio/x-wav' })).toEqual({
      ...inline,
      mediaType: 'audio/wav',
    });
    expect(readRetrieved({ status: 'COMPLETED', audio: `data:audio/wav;base64,${audio}` })).toEqual({
      ...inline,
      mediaType: 'audio/wav',
    });
    expect(readRetrieved({ status: 'COMPLETED', url: 'https://cdn.example/a.mp3' })).toEqual({
      kind: 'elsewhere',
      url: 'https://cdn.example/a.mp3',
    });
    expect(readRetrieved({ status: 'COMPLETED' })).toBeUndefined();
    expect(readRetrieved({ status: 'COMPLETED', audio: 'not base64, a sentence' })).toBeUndefined();
  });

  it.each(['DONE', 'processing', '', null, 7])('%j is unknown', (status) => {
    expect(readRetrieved({ status })).toBeUndefined();
  });
});

describe('media types', () => {
  it.each([
    ['audio/mpeg', 'audio/mpeg'],
    ['AUDIO/MPEG; charset=binary', 'audio/mpeg'],
    ['audio/mp3', 'audio/mpeg'],
    ['audio/x-wav', 'audio/wav'],
    ['audio/wave', 'audio/wav'],
    ['audio/x-flac', 'audio/flac'],
    ['audio/ogg', 'audio/ogg'],
    ['application/octet-stream', 'application/octet-stream'],
    ['application/json', undefined],
    ['text/html', undefined],
    ['audio/', undefined],
    ['audio/mpeg, text/html', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s is %s', (header, expected) => {
    expect(audioType(header)).toBe(expected);
  });

  it('are lower case, without parameters', () => {
    expect(mediaTypeOf(' Application/JSON ; charset=utf-8')).toBe('application/json');
    expect(mediaTypeOf(undefined)).toBe('');
  });
});

describe('balance, usage and limits', () => {
  it('list the balances of an account, rounded down; null and a debt are nothing', () => {
    expect(
      readAccountBalance({
        canConsume: true,
        consumptionCurrency: 'USD',
        balances: { diem: 90.5, usd: 25.0000019, bundledCredits: null, earnedCredits: -1 },
        diemEpochAllocation: 100,
      }),
    ).toEqual({
      permitted: true,
      currencies: { DIEM: 90_500_000, EARNED_CREDITS: 0, BUNDLED_CREDITS: 0, USD: 25_000_001 },
    });
    expect(readAccountBalance({ canConsume: true, balances: { usd: 0.1 + 0.2 } })?.currencies.USD).toBe(
      300_000,
    );
  });

  it('leave out a balance that is not listed', () => {
    expect(readAccountBalance({ canConsume: false, balances: { diem: null } })).toEqual({
      permitted: false,
      currencies: { DIEM: 0 },
    });
    expect(readAccountBalance({ nothing: true })).toBeUndefined();
  });

  it('list what a key can spend, as numbers or texts', () => {
    const data = {
      accessPermitted: true,
      balances: { USD: '0.10', DIEM: 0, BUNDLED_CREDITS: 3 },
      rateLimits: [],
    };
    expect(readKeyBalance({ data })).toEqual({
      permitted: true,
      currencies: { DIEM: 0, BUNDLED_CREDITS: 3_000_000, USD: 100_000 },
      limits: new Map(),
    });
    expect(readKeyBalance({ data: {} })).toEqual({ currencies: {} });
    expect(readKeyBalance({})).toBeUndefined();
  });

  it('list what a wallet has, and its minimum top-up', () => {
    const data = { balanceUsd: 0.05, canConsume: false, minimumTopUpUsd: 5, suggestedTopUpUsd: 10 };
    expect(readWalletBalance({ data })).toEqual({
      permitted: false,
      currencies: { DIEM: 0, EARNED_CREDITS: 0, BUNDLED_CREDITS: 0, USD: 50_000 },
      topUp: { minimumMicroUsd: 5_000_000, suggestedMicroUsd: 10_000_000 },
    });
    expect(readWalletBalance({ data: { canConsume: true } })).toBeUndefined();
  });

  it('list the charges and refunds of a wallet, and no top-ups', () => {
    const transaction = (type: string, amount: number) => {
      return { id: 't', type, amount, createdAt: '2026-10-05T10:00:00.000Z', requestId: 'r', modelId: 'm' };
    };
    const transactions = [
      transaction('CHARGE', -0.69),
      transaction('TOP_UP', 10),
      transaction('REFUND', 0.69),
    ];
    const page = readTransactions({ data: { transactions, pagination: { hasMore: true } } });
    expect(page?.entries.map(({ spentMicroUsd }) => spentMicroUsd)).toEqual([690_000, -690_000]);
    expect(page).toMatchObject({ more: true, oldestMs: Date.parse('2026-10-05T10:00:00.000Z') });
  });

  it('give what was spent as positive, and a refund as negative', () => {
    const row = { timestamp: '2026-06-15T19:05:10.504Z', sku: 'elevenlabs-music', currency: 'USD' };
    const page = readUsagePage({
      data: [
        { ...row, amount: -0.69, inferenceDetails: { requestId: 'r1' } },
        { ...row, amount: 0.69, inferenceDetails: null },
        { ...row, amount: 'x' },
        { ...row, timestamp: 'then', amount: -1 },
      ],
      nextCursor: 'abc_-1',
    });
    expect(page).toEqual({
      entries: [
        {
          timestampMs: Date.parse(row.timestamp),
          sku: row.sku,
          spentMicroUsd: 690_000,
          currency: 'USD',
          requestId: 'r1',
        },
        { timestampMs: Date.parse(row.timestamp), sku: row.sku, spentMicroUsd: -690_000, currency: 'USD' },
      ],
      nextCursor: 'abc_-1',
      unread: 2,
    });
    expect(readUsagePage({ data: [], nextCursor: null })).toEqual({ entries: [] });
    expect(readUsagePage({ data: [], nextCursor: 'a&b=c' })).toBeUndefined();
  });

  it('read amounts given as text, and count the entries that cannot be read, but for top-ups', () => {
    const row = { timestamp: '2026-06-15T19:05:10.504Z', sku: 'song', currency: 'USD' };
    const page = readUsagePage({ data: [{ ...row, amount: '-0.25' }, null, { ...row, amount: '-1e3' }] });
    expect(page).toMatchObject({ entries: [{ spentMicroUsd: 250_000 }], unread: 2 });
    const transaction = { type: 'CHARGE', createdAt: row.timestamp, modelId: 'song' };
    const transactions = [{ ...transaction, amount: '-0.25' }, transaction, { type: 'TOP_UP' }];
    expect(readTransactions({ data: { transactions } })).toMatchObject({
      entries: [{ spentMicroUsd: 250_000 }],
      unread: 1,
    });
  });

  it('give the lowest limit per minute by model, and nothing about days or tokens', () => {
    const limit = (amount: unknown, type = 'RPM') => ({ amount, type });
    const limits = readRateLimits({
      data: {
        rateLimits: [
          { apiModelId: 'a', rateLimits: [limit(60), limit(500, 'RPD'), limit(20.5)] },
          { rateLimits: [limit(120)] },
          { apiModelId: 'b', rateLimits: [limit(0), limit('60'), limit(-1)] },
        ],
      },
    });
    expect([...(limits ?? [])]).toEqual([
      ['a', 20],
      ['', 120],
    ]);
    expect(readRateLimits({ data: {} })).toBeUndefined();
  });
});

describe('an error body', () => {
  it.each([
    [{ error: 'Bad' }, 400, { code: 'http-400', message: 'Bad' }],
    [
      { error: 'Broke', code: 'INSUFFICIENT_BALANCE' },
      402,
      { code: 'INSUFFICIENT_BALANCE', message: 'Broke' },
    ],
    [
      { error: { message: 'No', type: 'invalid', code: 'model_not_found' } },
      404,
      { code: 'model_not_found', message: 'No' },
    ],
    [
      { error: 'Invalid', details: { _errors: [], prompt: { _errors: ['too long'] } }, issues: [] },
      400,
      { code: 'http-400', message: 'Invalid; prompt: too long', invalid: true },
    ],
    [
      {
        error: 'Invalid',
        details: { prompt: { _errors: ['too long'] } },
        issues: [{ path: ['prompt'], message: 'too long' }],
      },
      400,
      { code: 'http-400', message: 'Invalid; prompt: too long', invalid: true },
    ],
    [
      { error: 'Invalid', issues: [{ path: ['loop', 0], message: 'unknown key' }] },
      400,
      { code: 'http-400', message: 'Invalid; loop: unknown key', invalid: true },
    ],
    [
      { error: 'Policy', suggested_prompt: 'Softer' },
      422,
      { code: 'http-422', message: 'Policy', suggestedPrompt: 'Softer' },
    ],
    [
      { error: 'Gone', credits_refunded: false },
      404,
      { code: 'http-404', message: 'Gone', creditsRefunded: false },
    ],
    [{ x402Version: 2, accepts: [] }, 402, { code: 'http-402', message: 'Payment required' }],
    [
      { code: 'PAYMENT_REQUIRED', message: 'Top up', topUpInstructions: {} },
      402,
      { code: 'PAYMENT_REQUIRED', message: 'Top up' },
    ],
    [{ error: 'No', details: 'why' }, 400, { code: 'http-400', message: 'No; why' }],
    [
      { error: 'Invalid voice', details: { supported_voices: ['Aria', 'Roger', 7] } },
      400,
      { code: 'http-400', message: 'Invalid voice; supported voices: Aria, Roger' },
    ],
    [{ error: 'The model is offline' }, 503, { code: 'MODEL_OFFLINE', message: 'The model is offline' }],
    [{ error: 'Overloaded' }, 429, { code: 'MODEL_OVERLOADED', message: 'Overloaded' }],
    [{ error: 'At capacity' }, 503, { code: 'MODEL_AT_CAPACITY', message: 'At capacity' }],
    [
      { error: 'Insufficient balance. Top up.' },
      402,
      { code: 'http-402', message: 'Insufficient balance. Top up' },
    ],
    [{ error: 'No.', details: 'Why.' }, 400, { code: 'http-400', message: 'No; Why' }],
    [{ error: 'Please wait...' }, 429, { code: 'http-429', message: 'Please wait...' }],
    [{ error: '' }, 500, { code: 'http-500', message: 'HTTP 500' }],
    [{ error: 'x', code: 'two words' }, 400, { code: 'http-400', message: 'x' }],
  ])('%j', (body, status, expected) => {
    expect(readError(body, status)).toEqual(expected);
  });

  it.each([null, [], 'text', {}, { message: 'Forbidden' }, { error: {} }, { error: 7 }, { errors: ['x'] }])(
    '%j is not the API’s',
    (body) => {
      expect(readError(body, 403)).toBeUndefined();
    },
  );

  it('is cut if it is endless', () => {
    const details = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, i) => [`field${i}`, { _errors: ['wrong'.repeat(100)] }]),
    );
    expect(readError({ error: 'x'.repeat(1e6), details }, 400)?.message.length).toBeLessThanOrEqual(2_000);
  });
});

describe('rate headers', () => {
  it('are read if they are whole and plausible numbers', () => {
    expect(
      readRateHeaders({
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '1700000000.5',
        'retry-after': '7',
      }),
    ).toEqual({ limit: 60, remaining: 0, resetUnixSeconds: 1_700_000_000.5, retryAfterSeconds: 7 });
  });

  it('tell how many failed requests are left, and until when', () => {
    expect(readRateHeaders({ 'x-ratelimit-remaining': '0', 'x-ratelimit-resets': '1790000000000' })).toEqual({
      errorsRemaining: 0,
      errorsResetUnixSeconds: 1_790_000_000,
    });
  });

  it('of a proxy that counts requests say nothing about failed ones', () => {
    expect(readRateHeaders({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '30' })).toEqual({});
  });

  it.each([
    ['1700000000', 1_700_000_000],
    ['1700000000500', 1_700_000_000.5],
    ['1790000000000', 1_790_000_000],
  ])('are taken as seconds or milliseconds by their size: %s', (header, resetUnixSeconds) => {
    expect(readRateHeaders({ 'x-ratelimit-reset-requests': header })).toEqual({ resetUnixSeconds });
  });

  it("compare a date to wait for with the server's own clock", () => {
    const date = 'Wed, 21 Oct 2015 07:28:00 GMT';
    expect(readRateHeaders({ date, 'retry-after': 'Wed, 21 Oct 2015 07:28:30 GMT' })).toEqual({
      dateUnixSeconds: 1_445_412_480,
      retryAfterSeconds: 30,
    });
    expect(readRateHeaders({ 'retry-after': 'Wed, 21 Oct 2015 07:28:30 GMT' })).toEqual({});
    expect(readRateHeaders({ date, 'retry-after': 'Wed, 21 Oct 2015 07:27:30 GMT' })).toEqual({
      dateUnixSeconds: 1_445_412_480,
    });
  });

  it('ignore garbage', () => {
    const garbage = fc.constantFrom(
      '',
      '-1',
      'NaN',
      'Infinity',
      '1e9',
      '60, 60',
      '0x10',
      'soon',
      '9'.repeat(30),
    );
    fc.assert(
      fc.property(garbage, garbage, (a, b) => {
        expect(
          readRateHeaders({
            'x-ratelimit-limit-requests': a,
            'x-ratelimit-remaining-requests': b,
            'x-ratelimit-reset-requests': a,
            'retry-after': b,
          }),
        ).toEqual({});
      }),
    );
  });
});
