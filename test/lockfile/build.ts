import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Random } from '../../src/core/ports.js';
import type { Attempt, AttemptState } from '../../src/lockfile/attempt.js';
import { REV_ROOMY_MAX, STATE_RANK } from '../../src/lockfile/check.js';
import type { LockHeader } from '../../src/lockfile/lock-header.js';
import { LOCK_VERSION } from '../../src/lockfile/lock-header.js';

export const header: LockHeader = {
  format: 'venice-batch-lock',
  version: LOCK_VERSION,
  endpoint: 'https://api.venice.ai/api/v1',
  lineage: '0123456789abcdef0123456789abcdef',
};

/** The commands that errors suggest, as a program with one manifest has them. */
export const command = (verb: string, ...words: string[]) =>
  ['venice-batch', verb, 'album.yaml', ...words].join(' ');

let drawn = 0;

/** Never the same twice. */
export const random: Random = {
  bytes: (count) => {
    drawn += 1;
    return createHash('sha256').update(`chance ${drawn}`).digest().subarray(0, count);
  },
};

/** 32 hex digits derived from a name. */
export function id(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}

/** A valid attempt, by default an intent. */
export function attempt(fields: Partial<Attempt> = {}): Attempt {
  return {
    attempt: id('a'),
    rev: 1,
    state: 'intent',
    track: 'opening',
    take: 1,
    stem: 'out/01-opening',
    digest: `v1:${'0'.repeat(64)}`,
    parts: { model: '11111111', prompt: '22222222' },
    model: 'elevenlabs-music',
    quote_micro_usd: 690_000,
    key: '00112233445566ff',
    at: { intent: '2026-01-02T03:04:05.678Z' },
    ...fields,
  };
}

export const file = {
  path: 'out/01-opening.mp3',
  bytes: 1234,
  sha256: 'a'.repeat(64),
  media_type: 'audio/mpeg',
};

const states = Object.keys(STATE_RANK) as AttemptState[];
const withQueueId: readonly AttemptState[] = ['queued', 'stored', 'done', 'failed', 'lost', 'unverified'];
const withoutQueueId: readonly AttemptState[] = ['intent', 'rejected', 'in_doubt', 'lost'];

/** Records with few different ids, revs and queue ids, so that they collide in every way. */
export const records: fc.Arbitrary<Attempt[]> = fc.array(
  fc
    .record({
      name: fc.constantFrom('a', 'b', 'c'),
      rev: fc.integer({ min: 1, max: 4 }),
      queueId: fc.constantFrom(undefined, 'q1', 'q2', 'q3'),
      pick: fc.nat(),
      quote: fc.constantFrom(100, 200),
    })
    .map(({ name, rev, queueId, pick, quote }) => {
      const possible = queueId === undefined ? withoutQueueId : withQueueId;
      const state = possible[pick % possible.length] ?? 'lost';
      return attempt({
        attempt: id(name),
        track: name,
        rev,
        state,
        quote_micro_usd: quote,
        ...(queueId && { queue_id: queueId }),
        ...((state === 'stored' || state === 'done') && { file }),
      });
    }),
  { maxLength: 12 },
);

const time = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const hash8 = fc.nat({ max: 0xffff_ffff }).map((value) => value.toString(16).padStart(8, '0'));
const pathPart = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((part) => !/[\u0000-\u001f\u007f/\\]|^\.{1,2}$|^[A-Za-z]:/.test(part));
const path = fc.array(pathPart, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** Fields that a newer release may add to a line. */
function newerFields(fields: Record<string, unknown>): Partial<Attempt> {
  return JSON.parse(JSON.stringify(fields)) as Partial<Attempt>;
}

/** Any sound attempt. */
export const soundAttempt: fc.Arbitrary<Attempt> = fc
  .record({
    name: fc.nat(),
    rev: fc.integer({ min: 1, max: REV_ROOMY_MAX }),
    state: fc.constantFrom(...states),
    track: fc.constantFrom('opening', 'a', '0.b-c_d', `z${'9'.repeat(63)}`),
    take: fc.integer({ min: 1, max: 1e6 }),
    stem: path,
    parts: fc.record({ model: hash8, prompt: hash8, speed: hash8 }, { requiredKeys: [] }),
    model: fc.constantFrom('ace-step-15', 'Model "x" \u00e9 \ufffd \u2028'),
    duration: optional(fc.integer({ min: 1, max: 1e6 })),
    quote: fc.integer({ min: 0, max: 1e12 }),
    at: fc.record({ intent: time, queued: time, ready: time, done: time }, { requiredKeys: [] }),
    queueId: fc.stringMatching(/^[ -~\u00e9\u4e00]{1,200}$/),
    runMs: optional(fc.integer({ min: 0, max: 1e12 })),
    bytes: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    moveTo: optional(path),
    reason: optional(
      fc.record(
        { code: fc.constantFrom('html', 'INSUFFICIENT_BALANCE'), status: fc.integer({ min: 100, max: 599 }) },
        { requiredKeys: ['code'] },
      ),
    ),
    refunded: optional(fc.boolean()),
    newer: fc.dictionary(fc.stringMatching(/^x_[a-z0-9_]{0,10}$/), fc.jsonValue({ maxDepth: 3 }), {
      maxKeys: 3,
    }),
  })
  .map((from) =>
    attempt({
      ...newerFields(from.newer),
      attempt: id(`sound ${from.name}`),
      rev: from.rev,
      state: from.state,
      track: from.track,
      take: from.take,
      stem: from.stem,
      parts: from.parts,
      model: from.model,
      quote_micro_usd: from.quote,
      at: from.at,
      ...(from.duration !== undefined && { duration_seconds: from.duration }),
      ...(withQueueId.includes(from.state) && { queue_id: from.queueId }),
      ...(from.runMs !== undefined && { run_ms: from.runMs }),
      ...((from.state === 'stored' || from.state === 'done') && { file: { ...file, bytes: from.bytes } }),
      ...(from.moveTo !== undefined && { move_to: from.moveTo }),
      ...(from.reason !== undefined && { reason: from.reason }),
      ...(from.refunded !== undefined && { refunded: from.refunded }),
    }),
  );
