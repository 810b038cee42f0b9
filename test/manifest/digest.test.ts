import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { FIELD_KINDS, REQUEST_FIELDS } from '../../src/core/audio-request.js';
import { createDigester, normaliseRequest, type RequestInput } from '../../src/manifest/request.js';
import type { Take } from '../../src/manifest/take.js';
import { takesOf } from './check.js';

const digest = (input: RequestInput) => createDigester()(normaliseRequest(input));

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the digest', () => {
  it('is the hash of the request as JSON with sorted keys, which must never change', () => {
    const { digest: whole, parts } = digest({
      prompt: 'Für Elise',
      model: 'm',
      duration_seconds: '060',
      loop: true,
    });
    expect(whole).toBe(
      `v1:${sha256('{"duration_seconds":60,"loop":true,"model":"m","prompt":"Für Elise"}')}`,
    );
    expect(parts).toEqual({
      duration_seconds: sha256('60').slice(0, 8),
      loop: sha256('true').slice(0, 8),
      model: sha256('"m"').slice(0, 8),
      prompt: sha256('"Für Elise"').slice(0, 8),
    });
  });

  const word = fc.stringMatching(/^[a-zäöü♫][a-zäöü♫ \n]{0,20}[a-z]$/);
  const track = fc.record(
    {
      model: word,
      prompt: word,
      lyrics_prompt: word,
      duration_seconds: fc.integer({ min: 1, max: 9999 }),
      loop: fc.constant(true),
      voice: word,
      language_code: fc.constantFrom('en', 'de'),
      speed: fc.constantFrom(0.25, 1, 1.5, 4),
    },
    { requiredKeys: ['model', 'prompt'] },
  );

  /** The one take of a manifest with this track. */
  async function takeOf(
    fields: Record<string, unknown>,
    also: { defaults?: Record<string, unknown>; files?: Record<string, string>; crlf?: boolean } = {},
  ): Promise<Take> {
    const { defaults, files, crlf } = also;
    const manifest = { version: 1, ...(defaults ? { defaults } : {}), tracks: [{ id: 'a', ...fields }] };
    const text = `# a comment\n${stringify(manifest)}`;
    const [take] = await takesOf(crlf ? text.replaceAll('\n', '\r\n') : text, files);
    return take!;
  }

  it('does not depend on how the same request is written', async () => {
    await fc.assert(
      fc.asyncProperty(track, fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), async (fields, order) => {
        const { digest: expected } = await takeOf(fields);
        const entries = Object.entries(fields);
        const shuffled = entries
          .map((entry, index) => ({ entry, rank: order[index]! }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ entry }) => entry);
        const { lyrics_prompt: lyrics, ...rest } = fields;
        const { duration_seconds: seconds } = fields;
        const asFile = lyrics === undefined ? {} : { lyrics_file: 'l.txt' };
        const noOps = {
          force_instrumental: false,
          lyrics_optimizer: false,
          ...(fields.loop ? {} : { loop: false }),
        };
        const same = await Promise.all([
          takeOf(Object.fromEntries(shuffled)),
          takeOf({ ...fields, title: 'Another title', output: 'x/{id}.{ext}' }),
          takeOf({ ...noOps, ...fields }),
          takeOf(fields, { crlf: true }),
          takeOf({}, { defaults: fields }),
          takeOf(seconds === undefined ? fields : { ...fields, duration_seconds: `0${seconds}`.slice(-4) }),
          takeOf({ ...fields, prompt: ` ${fields.prompt}\n\n` }),
          takeOf(
            { ...rest, ...asFile },
            { files: { 'l.txt': `\uFEFF${lyrics?.replaceAll('\n', '\r\n')}\r\n` } },
          ),
        ]);
        expect(same.map((take) => take.digest)).toEqual(same.map(() => expected));
      }),
      { numRuns: 40 },
    );
  });

  it('changes with every field, and its parts show which', () => {
    const another = { text: 'another', seconds: 10_000, integer: 3, number: 3, switch: true } as const;
    fc.assert(
      fc.property(track, fc.constantFrom(...REQUEST_FIELDS), (fields, field) => {
        const before = digest(fields);
        const changed = { ...fields, [field]: another[FIELD_KINDS[field]] };
        fc.pre(JSON.stringify(changed) !== JSON.stringify(fields));
        const after = digest(changed);
        expect(after.digest).not.toBe(before.digest);
        const differing = Object.keys({ ...before.parts, ...after.parts }).filter(
          (part) => before.parts[part as 'model'] !== after.parts[part as 'model'],
        );
        expect(differing).toEqual([field]);
      }),
    );
  });

  it('is the same for all takes of a track, whatever the order of tracks', async () => {
    const one = await takesOf(
      'version: 1\ndefaults: { model: m }\ntracks: [{ id: a, prompt: x, takes: 2 }, { id: b, prompt: y }]\n',
    );
    const two = await takesOf(
      'version: 1\ndefaults: { model: m }\ntracks: [{ id: b, prompt: y }, { id: a, prompt: x, takes: 2 }]\n',
    );
    const byKey = (takes: readonly Take[]) =>
      Object.fromEntries(takes.map((take) => [take.key, take.digest]));
    expect(byKey(two)).toEqual(byKey(one));
    expect(byKey(one).a).toBe(byKey(one)['a#2']);
  });
});
