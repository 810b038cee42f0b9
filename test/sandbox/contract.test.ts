import { readFileSync } from 'node:fs';
import { Ajv, type AnySchema } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SCHEMAS } from '../../src/sandbox/request-rules.js';
import { openApiFile, type Shapes, shapesOf } from './openapi.js';
import { type Answered, type Play, play, SONG } from './play.js';

const text = { type: 'string' };
const number = { type: 'number' };
const count = { type: 'integer', nullable: true, minimum: 0 };
const exactly = (properties: Record<string, unknown>) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const open = (properties: Record<string, unknown>) => ({
  ...exactly(properties),
  additionalProperties: true,
});
const listOf = (items: unknown) => ({ type: 'array', items });

const STANDARD_ERROR = open({ error: text });
const DETAILED_ERROR = open({ error: text, details: open({ _errors: listOf(text) }) });
const VIOLATION = open({ error: text, suggested_prompt: text });

const BUILT_IN: Readonly<Record<string, AnySchema>> = {
  'get /models 200': open({
    object: { enum: ['list'] },
    type: text,
    data: listOf(
      open({
        id: text,
        object: { enum: ['model'] },
        owned_by: { enum: ['venice.ai'] },
        type: { enum: ['music'] },
        model_spec: open({ privacy: { enum: ['private', 'anonymized'] }, pricing: { type: 'object' } }),
      }),
    ),
  }),
  'post /audio/quote 200': open({ quote: number }),
  'post /audio/quote 400': DETAILED_ERROR,
  'post /audio/queue 200': exactly({ model: text, queue_id: text, status: { enum: ['QUEUED'] } }),
  'post /audio/queue 400': DETAILED_ERROR,
  'post /audio/queue 401': STANDARD_ERROR,
  'post /audio/queue 402': STANDARD_ERROR,
  'post /audio/queue 422': VIOLATION,
  'post /audio/queue 429': STANDARD_ERROR,
  'post /audio/queue 500': STANDARD_ERROR,
  'post /audio/queue 503': STANDARD_ERROR,
  'post /audio/retrieve 200': open({
    status: { enum: ['PROCESSING'] },
    average_execution_time: number,
    execution_duration: number,
  }),
  'post /audio/retrieve 400': DETAILED_ERROR,
  'post /audio/retrieve 404': STANDARD_ERROR,
  'post /audio/complete 200': open({ success: { type: 'boolean' } }),
  'post /audio/complete 400': DETAILED_ERROR,
  'get /billing/balance 200': exactly({
    canConsume: { type: 'boolean' },
    consumptionCurrency: { enum: ['USD', 'VCU', 'DIEM', 'BUNDLED_CREDITS'] },
    balances: open({ diem: { ...number, nullable: true }, usd: { ...number, nullable: true } }),
    diemEpochAllocation: number,
  }),
  'get /billing/balance 401': STANDARD_ERROR,
  'get /billing/usage-history 200': exactly({
    data: listOf(
      exactly({
        amount: number,
        currency: { enum: ['USD', 'DIEM', 'BUNDLED_CREDITS'] },
        inferenceDetails: exactly({
          completionTokens: count,
          inferenceExecutionTime: count,
          promptTokens: count,
          requestId: text,
        }),
        notes: text,
        pricePerUnitUsd: number,
        sku: text,
        timestamp: { type: 'string', maxLength: 40 },
        units: number,
      }),
    ),
    nextCursor: { type: 'string', nullable: true, pattern: '^[A-Za-z0-9_-]+$', maxLength: 512 },
  }),
  'get /billing/usage-history 400': DETAILED_ERROR,
  'get /api_keys/rate_limits 200': open({
    data: open({
      accessPermitted: { type: 'boolean' },
      apiTier: open({ id: text, isCharged: { type: 'boolean' } }),
      balances: open({ USD: number, DIEM: number }),
      keyExpiration: { type: 'string', nullable: true },
      nextEpochBegins: text,
      rateLimits: listOf(
        open({ apiModelId: text, rateLimits: listOf(open({ amount: number, type: text })) }),
      ),
    }),
  }),
};

const builtIn: Shapes = (name) => BUILT_IN[name];

/** One response of each documented kind. */
function samples(): [string, Answered][] {
  const world = play({ limits: { perMinute: 100 }, balanceUsd: 8 });
  const job = { model: SONG.model, queue_id: world.queued() };
  const late = () => {
    world.nowMs += world.service.jobs.get(job.queue_id)!.waitMs;
    return world.post('/audio/retrieve', job);
  };
  const failing = play({ faults: { errorAfterQueueing: 1 } });
  return [
    ['get /models', world.get('/models?type=music')],
    ['post /audio/quote', world.post('/audio/quote', { model: SONG.model })],
    ['post /audio/quote', world.post('/audio/quote', { model: 'unknown' })],
    ['post /audio/queue', world.post('/audio/queue', SONG)],
    ['post /audio/queue', world.post('/audio/queue', { ...SONG, loop: 1 })],
    ['post /audio/queue', world.post('/audio/queue', SONG, 'unknown')],
    ['post /audio/queue', world.post('/audio/queue', { ...SONG, duration_seconds: 600 })],
    ['post /audio/queue', world.post('/audio/queue', { ...SONG, duration_seconds: 600 })],
    ['post /audio/queue', world.post('/audio/queue', { ...SONG, prompt: 'gore' })],
    ['post /audio/queue', world.post('/audio/queue', { ...SONG, prompt: '[sandbox:capacity]' })],
    ['post /audio/queue', failing.post('/audio/queue', SONG)],
    ['post /audio/queue', exhausted().post('/audio/queue', SONG)],
    ['post /audio/retrieve', late()],
    ['post /audio/retrieve', world.post('/audio/retrieve', {})],
    ['post /audio/retrieve', world.post('/audio/retrieve', { ...job, queue_id: 'unknown' })],
    ['post /audio/complete', world.post('/audio/complete', job)],
    ['post /audio/complete', world.post('/audio/complete', {})],
    ['get /billing/balance', play().get('/billing/balance')],
    ['get /billing/balance', world.get('/billing/balance', 'unknown')],
    ['get /billing/usage-history', later(world).get('/billing/usage-history')],
    ['get /billing/usage-history', world.get('/billing/usage-history?pageSize=1')],
    ['get /api_keys/rate_limits', world.get('/api_keys/rate_limits')],
  ];
}

function exhausted(): Play {
  const world = play({ limits: { perMinute: 1 } });
  world.post('/audio/quote', { model: SONG.model });
  return world;
}

function later(world: Play): Play {
  world.nowMs += 3_600_000;
  return world;
}

const file = openApiFile;
const contracts: [string, Shapes][] = [
  ['the built-in table', builtIn],
  ...(file === undefined ? [] : [['the OpenAPI document', shapesOf(file)] as [string, Shapes]]),
];

describe.each(contracts)('sandbox responses checked against %s', (_name, shapes) => {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });

  it.each(samples().map(([route, answer]) => [`${route} ${answer.status}`, answer] as const))(
    'have the shape of %s',
    (name, answer) => {
      const shape = shapes(name);
      expect(shape).toBeDefined();
      const validate = ajv.compile(shape!);
      expect(validate(answer.json) ? [] : validate.errors).toEqual([]);
    },
  );
});

it('the samples include every response of the built-in table', () => {
  const seen = new Set(samples().map(([route, answer]) => `${route} ${answer.status}`));
  expect([...seen].sort()).toEqual(Object.keys(BUILT_IN).sort());
});

describe('sandbox request schemas', () => {
  const TAKEN = {
    quote: ['model', 'duration_seconds', 'character_count'],
    queue: [
      'model',
      'prompt',
      'lyrics_prompt',
      'duration_seconds',
      'force_instrumental',
      'lyrics_optimizer',
      'loop',
      'voice',
      'language_code',
      'speed',
    ],
    retrieve: ['model', 'queue_id', 'delete_media_on_completion'],
    complete: ['model', 'queue_id'],
  };

  it.each(Object.keys(TAKEN) as (keyof typeof TAKEN)[])('have the keys of the API: %s', (name) => {
    expect(Object.keys(SCHEMAS[name]).sort()).toEqual([...TAKEN[name]].sort());
    if (file === undefined) return;
    const title = `${name[0]!.toUpperCase()}${name.slice(1)}AudioRequest`;
    const documented = parse(readFileSync(file, 'utf8')).components.schemas[title];
    expect(Object.keys(SCHEMAS[name]).sort()).toEqual(Object.keys(documented.properties).sort());
    const required = Object.entries(SCHEMAS[name]).filter(([, rule]) => rule.required === true);
    expect(required.map(([key]) => key).sort()).toEqual([...documented.required].sort());
  });
});
