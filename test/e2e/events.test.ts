import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { run } from './in-process.js';
import type { Ended } from './launch.js';
import { folder, writeManifest } from './program.js';

const SCHEMA = readFileSync(new URL('../../schemas/events.schema.json', import.meta.url), 'utf8');
const fits = new Ajv({ strict: false, validateFormats: false }).compile(JSON.parse(SCHEMA));

interface Reported {
  readonly type: string;
  readonly state?: string;
  readonly code?: string;
  readonly exit_code?: number;
}

/** The events of a command, each validated against the published schema. */
function eventsOf({ stdout }: Ended): readonly Reported[] {
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Reported);
  for (const event of events) expect(fits(event), JSON.stringify([event, fits.errors])).toBe(true);
  expect(events[0]).toMatchObject({ type: 'version', program: 'venice-batch' });
  expect(events.at(-1)).toMatchObject({ type: 'summary' });
  return events;
}

const EVENTS = ['--events', 'ndjson'];

describe('events', () => {
  it('of a whole run fit the published schema, line by line', async () => {
    const cwd = folder();
    const args = ['run', writeManifest(cwd, 2), '--sandbox', '--yes', ...EVENTS];
    const ended = await run(args, cwd);
    const events = eventsOf(ended);
    expect(events.filter(({ state }) => state === 'done')).toHaveLength(2);
    expect(events.at(-1)?.exit_code).toBe(ended.code);
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set(['version', 'phase', 'plan', 'take', 'progress', 'qc', 'summary']),
    );
  });

  it.each([
    ['an invalid budget', ['--budget', '0'], {}, 'usage', 2],
    ['an unknown flag', ['--nope'], {}, 'usage', 2],
    ['an invalid address', [], { VENICE_BASE_URL: 'ftp://example.test', VENICE_API_KEY: 'k' }, 'base-url', 2],
    ['a key that is not set', [], {}, 'no-key', 4],
  ])(
    'of a run that ends because of %s begin with the version and end with the reason',
    async (_, flags, env, code, exit) => {
      const cwd = folder();
      const ended = await run(['run', writeManifest(cwd, 1), '--yes', ...flags, ...EVENTS], cwd, env);
      const events = eventsOf(ended);
      expect(events.filter(({ type }) => type === 'diagnostic').map((event) => event.code)).toEqual([code]);
      expect([ended.code, events.at(-1)?.exit_code]).toEqual([exit, exit]);
    },
  );
});
