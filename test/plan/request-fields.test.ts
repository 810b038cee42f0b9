import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { REQUEST_FIELDS, type RequestField } from '../../src/core/audio-request.js';
import { attemptFault } from '../../src/lockfile/check.js';
import { attemptLine } from '../../src/lockfile/line.js';
import { checkRequest } from '../../src/plan/capability.js';
import { decide } from '../../src/plan/decide.js';
import { createClient } from '../../src/venice/create-client.js';
import type { Model } from '../../src/venice/model.js';
import { attempt } from '../lockfile/build.js';
import { takesOf } from '../manifest/check.js';

function schemaOf(name: string) {
  return JSON.parse(readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8'));
}
const definitions = schemaOf('manifest').definitions as Record<string, { examples: readonly unknown[] }>;

/** A track with this field set to the example of its schema, plus a model and a prompt. */
async function takeWith(...fields: readonly RequestField[]) {
  const values = Object.fromEntries(fields.map((field) => [field, definitions[field]?.examples[0]]));
  const track = { id: 'a', model: 'm', prompt: 'p', ...values };
  const [take] = await takesOf(JSON.stringify({ version: 1, tracks: [track] }));
  return take!;
}

describe.each(REQUEST_FIELDS)('the field %s of a request', (field) => {
  it('goes from the manifest to the wire', async () => {
    const take = await takeWith(field);
    // Declares no more than necessary: a speed of 1 is sent only to a model that accepts a speed.
    const model: Model = {
      id: take.request.model,
      name: 'M',
      offline: false,
      beta: false,
      traits: [],
      supports_speed: true,
      min_duration: 1,
    };
    const { request } = checkRequest(take, new Map([[model.id, model]]), 0);
    const sent: unknown[] = [];
    const client = createClient(async ({ body }) => {
      sent.push(JSON.parse(body ?? '{}'));
      return { kind: 'no_answer', sent: true, code: 'ECONNRESET', message: '' };
    }, String);
    await client.queue(request!);
    expect(sent).toEqual([take.request]);
    expect(take.request).toHaveProperty(field);
  });

  it('changes the digest, and is named as the reason', async () => {
    const [before, after] = [await takeWith(), await takeWith(field)];
    expect(after.digest).not.toBe(before.digest);
    const bought = attempt({ track: 'a', state: 'lost', digest: before.digest, parts: before.parts });
    const { rows } = decide({
      takes: [after],
      attempts: [bought],
      files: new Map(),
      occupied: () => undefined,
      selection: { force: [], retryFailed: false },
    });
    expect(rows[0]?.decision).toMatchObject({ why: { kind: 'changed', fields: [field] } });
  });

  it('has a part in the lockfile, in the program and in the schema', async () => {
    const { parts } = await takeWith(field);
    const one = attempt({ parts });
    expect(JSON.parse(attemptLine(one)).parts).toHaveProperty(field);
    expect(attemptFault({ ...one, parts: { [field]: 7 } })).toContain(field);
    const matches = new Ajv({ strict: false }).compile(schemaOf('lockfile'));
    expect(matches(JSON.parse(JSON.stringify(one)))).toBe(true);
    expect(matches({ ...JSON.parse(JSON.stringify(one)), parts: { [field]: 7 } })).toBe(false);
  });
});
