import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptFault, headerFault } from '../../src/lockfile/check.js';
import { attemptLine, headerLine } from '../../src/lockfile/line.js';
import { file, header, soundAttempt } from './build.js';

const schema = JSON.parse(
  readFileSync(new URL('../../schemas/lockfile.schema.json', import.meta.url), 'utf8'),
) as object;
const matches = new Ajv({ strict: true, strictRequired: false, strictTypes: false }).compile(schema);

const oddValues = fc.constantFrom<unknown>(
  ...[
    undefined,
    null,
    true,
    false,
    0,
    1,
    -1,
    0.5,
    200,
    1e9,
    1e12,
    1e13,
    '',
    'x',
    'a/b',
    '../a',
    '/a',
    'a//b',
  ],
  ...['a/.', 'a/..b', 'C:a', 'a\\b', 'a\u0000', 'queued', 'stored', 'done', 'intent', 'q 1', 'q'.repeat(201)],
  ...[
    '0'.repeat(16),
    '0'.repeat(32),
    '0'.repeat(64),
    `v1:${'0'.repeat(64)}`,
    '2026-02-31T00:00:00Z',
    '11111111',
  ],
  ...[[], {}, { code: 'a' }, { code: 'a b' }, { status: 400 }, file, { ...file, path: '..' }, { x: 1 }],
  { intent: '2026-01-01T00:00:00Z' },
  { intent: 'now' },
  { prompt: '11111111' },
  { prompt: 1 },
  { retrieve: 60 },
  { retrieve: 0 },
  { complete: 1.5 },
);

describe('the schema of the lockfile', () => {
  it('accepts every line that is written', () => {
    expect(matches(JSON.parse(headerLine(header)))).toBe(true);
    fc.assert(
      fc.property(soundAttempt, (one) => {
        expect(matches(JSON.parse(attemptLine(one)))).toBe(true);
      }),
    );
  });

  it('agrees with the program on modified attempts', () => {
    const fields = [...new Set([...Object.keys(everything()), 'more', 'format', 'end', 'Not_a_name'])];
    const tampering = fc.array(fc.tuple(fc.constantFrom(...fields), oddValues), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(soundAttempt, tampering, (one, changes) => {
        const changed: unknown = JSON.parse(JSON.stringify({ ...one, ...Object.fromEntries(changes) }));
        expect([attemptFault(changed) === undefined, changed]).toEqual([matches(changed), changed]);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(Object.keys(header))('agrees with the program on headers with another %s', (name) => {
    for (const value of [undefined, null, 0, 1, 2, '', 'http://127.0.0.1:1/api', 'ftp://x', 'f'.repeat(32)]) {
      const changed: unknown = JSON.parse(JSON.stringify({ ...header, [name]: value }));
      expect(headerFault(changed) === undefined).toBe(matches(changed));
    }
  });
});

function everything() {
  const [one] = fc.sample(
    soundAttempt.filter((sound) => sound.state === 'done'),
    { numRuns: 1, seed: 1 },
  );
  return {
    duration_seconds: 1,
    run_ms: 1,
    limits: { retrieve: 1 },
    move_to: 'a',
    reason: { code: 'x' },
    refunded: true,
    ...one!,
  };
}
