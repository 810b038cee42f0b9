import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/events.js';
import { START_MS } from './fakes.js';

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;
type OptionalKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];

/** The compiler refuses this object when a type or a field is missing, or one too many is there. */
type EveryField = { [T in RunEvent['type']]: Required<Of<T>> };
type OnlyNeeded = { [T in RunEvent['type']]: Omit<Of<T>, OptionalKeys<Of<T>>> };

const time = new Date(START_MS).toISOString();
const span = { file: 'album.yaml', line: 3, column: 5, endLine: 3, endColumn: 9 };

const needed: OnlyNeeded = {
  version: {
    type: 'version',
    time,
    schema: 1,
    program: 'venice-batch',
    version: '1.2.3',
    endpoint: 'https://api.venice.ai/api/v1',
    sandbox: false,
  },
  phase: { type: 'phase', time, phase: 'quote' },
  plan: {
    type: 'plan',
    time,
    takes: 5,
    done: 1,
    collect: 1,
    buy: 1,
    in_doubt: 1,
    held: 1,
    total_micro_usd: 690_000,
    spent_before_micro_usd: 0,
    budget_micro_usd: null,
  },
  diagnostic: {
    type: 'diagnostic',
    time,
    code: 'unknown-key',
    severity: 'error',
    message: 'unknown key "promt"',
  },
  take: {
    type: 'take',
    time,
    key: 'opening#2',
    track: 'opening',
    take: 2,
    state: 'queued',
    attempt: '0123456789abcdef0123456789abcdef',
    model: 'elevenlabs-music',
    price_micro_usd: 690_000,
  },
  qc: {
    type: 'qc',
    time,
    key: 'opening',
    track: 'opening',
    take: 1,
    attempt: 'a',
    path: 'out/opening.flac',
    duration_seconds: 60.5,
    loudness_lufs: -14.2,
    true_peak_dbtp: null,
    findings: [{ code: 'qc-clipped', message: 'it clips in 2 places' }],
  },
  notice: { type: 'notice', time, level: 'info', code: 'rescue-adopted', message: 'one record brought back' },
  progress: {
    type: 'progress',
    time,
    total: 5,
    done: 1,
    active: 2,
    failed: 0,
    spent_micro_usd: 690_000,
    approved_micro_usd: 1_380_000,
    remaining_ms_low: 1000.5,
    remaining_ms_high: null,
    paused_until: null,
  },
  summary: {
    type: 'summary',
    time,
    exit_code: 100,
    total: 5,
    done: 1,
    made: 1,
    in_flight: 1,
    clean_up_owed: 0,
    in_doubt: 1,
    failed: 1,
    missing: 0,
    not_bought: 1,
    spent_micro_usd: 690_000,
    spent_total_micro_usd: 690_000,
    approved_micro_usd: 690_000,
    budget_micro_usd: null,
    duration_ms: 61_000,
    next_command: null,
  },
};

const full: EveryField = {
  ...needed,
  diagnostic: {
    ...needed.diagnostic,
    hint: 'write "prompt"',
    span,
    related: [{ message: 'from here', span }],
  },
  progress: { ...needed.progress, other_runs: { takes: 1, heard_at: time, collects_at: null } },
  take: {
    ...needed.take,
    queue_id: 'q-1',
    queued_at: time,
    expected_ms: 60_000,
    path: 'out/opening-2.flac',
    bytes: 1000,
    status: 422,
    code: 'policy',
    message: 'not allowed',
    machine: 'studio-2',
    money: 'not charged',
    suggested_prompt: 'something else',
    earlier: true,
  },
  notice: { ...needed.notice, hint: 'nothing to do' },
  summary: {
    ...needed.summary,
    qc_warnings: 2,
    elsewhere: 1,
    left_out: 1,
    bought_twice: [
      {
        key: 'opening#2',
        track: 'opening',
        take: 2,
        attempts: [
          { attempt: 'a', state: 'done', queue_id: 'q-1', price_micro_usd: 690_000 },
          { attempt: 'b', state: 'in_doubt', price_micro_usd: 690_000 },
        ],
        total_micro_usd: 1_380_000,
        extra_micro_usd: 690_000,
      },
    ],
  },
};

const schema = JSON.parse(
  readFileSync(new URL('../../schemas/events.schema.json', import.meta.url), 'utf8'),
) as {
  oneOf: { $ref: string }[];
  definitions: Record<string, { required: string[]; properties: Record<string, { enum?: unknown[] }> }>;
};
const isEvent = new Ajv({ strict: true, allowUnionTypes: true, validateFormats: false }).compile(schema);

describe('schemas/events.schema.json', () => {
  it('has exactly the existing types of events', () => {
    expect(schema.oneOf.map(({ $ref }) => $ref)).toEqual(
      Object.keys(full).map((type) => `#/definitions/${type}`),
    );
  });

  for (const type of Object.keys(full) as RunEvent['type'][]) {
    it(`accepts a ${type} with all fields and with only the required ones`, () => {
      for (const event of [full[type], needed[type]]) {
        isEvent(event);
        expect(isEvent.errors ?? []).toEqual([]);
      }
    });

    it(`has the same fields of a ${type} as the code, with the same ones required`, () => {
      const { properties, required } = schema.definitions[type]!;
      expect(Object.keys(properties).sort()).toEqual(Object.keys(full[type]).sort());
      expect([...required].sort()).toEqual(Object.keys(needed[type]).sort());
    });

    it(`refuses a ${type} without one of its required fields`, () => {
      for (const field of Object.keys(needed[type])) {
        const { [field]: _left, ...rest } = needed[type] as unknown as Record<string, unknown>;
        expect(isEvent(rest), field).toBe(false);
      }
    });
  }

  it('lists the same states of a take and phases as the code', () => {
    const states: Record<Of<'take'>['state'], true> = {
      submitting: true,
      queued: true,
      running: true,
      downloading: true,
      stored: true,
      done: true,
      rejected: true,
      waiting: true,
      in_doubt: true,
      failed: true,
      lost: true,
      unverified: true,
      missing: true,
      elsewhere: true,
    };
    const phases: Record<Of<'phase'>['phase'], true> = {
      check: true,
      quote: true,
      approve: true,
      generate: true,
      clean_up: true,
    };
    const { take, phase } = schema.definitions;
    expect(new Set(take!.properties.state!.enum)).toEqual(new Set(Object.keys(states)));
    expect(new Set(phase!.properties.phase!.enum)).toEqual(new Set(Object.keys(phases)));
  });

  it('allows additional fields of later versions', () => {
    expect(isEvent({ ...needed.phase, more: 1 })).toBe(true);
  });
});
