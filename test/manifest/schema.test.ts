import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { REQUEST_FIELDS } from '../../src/core/audio-request.js';
import { found, load, oneTrack } from './check.js';

const schema = JSON.parse(
  readFileSync(new URL('../../schemas/manifest.schema.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;

interface Node {
  readonly type?: unknown;
  readonly additionalProperties?: unknown;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Node>>;
}

describe('the schema', () => {
  it('is valid draft-07, and means the same as 2020-12', () => {
    const strict = { strict: true, allowUnionTypes: true } as const;
    const { $schema: _, ...undated } = schema;
    const good = { version: 1, tracks: [{ id: 'a', duration_seconds: '45' }] };
    for (const validate of [new Ajv(strict).compile(schema), new Ajv2020(strict).compile(undated)]) {
      expect(validate(good)).toBe(true);
      expect(validate({ ...good, titel: 'x' })).toBe(false);
      expect(validate({ ...good, tracks: [{ id: 'a', duration_seconds: 'ten' }] })).toBe(false);
    }
  });

  it('lets an editor accept null for removing a default, only in a track', () => {
    const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(schema);
    for (const field of REQUEST_FIELDS) {
      expect(validate({ version: 1, tracks: [{ id: 'a', [field]: null }] }), field).toBe(true);
      expect(validate({ version: 1, defaults: { [field]: null }, tracks: [{ id: 'a' }] }), field).toBe(false);
    }
  });

  it('accepts no unknown key anywhere', () => {
    const open: unknown[] = [];
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      const node = value as Node;
      if (node.type === 'object' && node.additionalProperties !== false) open.push(node);
      Object.values(value).forEach(visit);
    };
    visit(schema);
    expect(open).toEqual([]);
  });

  it('has examples that are valid and a description of each definition', () => {
    const ajv = new Ajv({ allowUnionTypes: true }).addSchema(schema, 'manifest');
    for (const [name, node] of Object.entries(schema.definitions as Record<string, Node>)) {
      expect(node.description, name).toBeTruthy();
      const validate = ajv.getSchema(`manifest#/definitions/${name}`)!;
      for (const example of node.examples ?? []) expect(validate(example), `${name}: ${example}`).toBe(true);
    }
  });

  it('lets a track and the defaults set exactly the fields of the request', () => {
    const { track, defaults } = schema.definitions as Record<string, Node>;
    const ours = ['output', 'takes', 'lyrics_file', 'audio'];
    const release = ['title', 'artist', 'genre', 'comment', 'skip'].map((name) => `release_${name}`);
    const names = (node: Node | undefined) => Object.keys(node!.properties!).sort();
    expect(names(defaults)).toEqual([...ours, ...REQUEST_FIELDS].sort());
    expect(names(track)).toEqual(['id', 'title', ...release, ...ours, ...REQUEST_FIELDS].sort());
  });
});

const HEAD = 'version: 1\n';
const TRACKS = 'tracks: [{ id: a, model: m, prompt: p }]\n';

describe('an error against the schema has a code and a place', () => {
  it.each([
    ['not a map', '- a\n', ['wrong-type@1:1']],
    ['only text', 'hello\n', ['wrong-type@1:1']],
    ['no version', TRACKS, ['missing-field@1:1']],
    ['no tracks', HEAD, ['missing-field@1:1']],
    ['empty tracks', `${HEAD}tracks: []\n`, ['no-tracks@2:9']],
    ['tracks left blank', `${HEAD}tracks:\n`, ['wrong-type@2:1']],
    ['tracks as a map', `${HEAD}tracks:\n  a: { prompt: p }\n`, ['wrong-type@3:3']],
    ['a later version', `version: 2\n${TRACKS}`, ['unsupported-version@1:10']],
    ['a version in quotes', `version: "1"\n${TRACKS}`, ['wrong-type@1:10']],
    ['an unknown key', `${HEAD}titel: x\n${TRACKS}`, ['unknown-key@2:1']],
    [
      'a key of Object.prototype',
      `${HEAD}__proto__: { a: 1 }\nconstructor: 1\n${TRACKS}`,
      ['unknown-key@2:1', 'unknown-key@3:1'],
    ],
    [
      'a field that cannot be a default',
      `${HEAD}defaults: { id: a, titel: b }\n${TRACKS}`,
      ['unknown-key@2:13', 'unknown-key@2:20'],
    ],
    ['budget 0', `${HEAD}budget: 0\n${TRACKS}`, ['out-of-range@2:9']],
    ['a negative budget', `${HEAD}budget: -1\n${TRACKS}`, ['out-of-range@2:9']],
    ['an infinite budget', `${HEAD}budget: .inf\n${TRACKS}`, ['wrong-type@2:9']],
    ['a budget that is not a number', `${HEAD}budget: .nan\n${TRACKS}`, ['wrong-type@2:9']],
    ['a budget in words', `${HEAD}budget: five\n${TRACKS}`, ['wrong-type@2:9']],
    ['a budget out of range', `${HEAD}budget: 1e7\n${TRACKS}`, ['out-of-range@2:9']],
    ['concurrency 0', `${HEAD}concurrency: 0\n${TRACKS}`, ['out-of-range@2:14']],
    ['a fractional concurrency', `${HEAD}concurrency: 1.5\n${TRACKS}`, ['wrong-type@2:14']],
    ['a blank title', `${HEAD}title: ""\n${TRACKS}`, ['empty-text@2:8']],
    ['a track that is text', `${HEAD}tracks:\n  - opening\n`, ['wrong-type@3:5']],
    ['a track without an id', `${HEAD}tracks:\n  - { model: m, prompt: p }\n`, ['missing-field@3:7']],
  ])('%s', async (_name, text, expected) => {
    expect(await found(text)).toEqual(expected);
  });

  it.each([
    ['promt: x', 'unknown-key@5:5'],
    ['prompt: 3', 'wrong-type@5:13'],
    ['prompt:', 'wrong-type@5:5'],
    ['prompt: ""', 'empty-text@5:13'],
    ['prompt: { a: b }', 'wrong-type@5:15'],
    ['prompt: [a]', 'wrong-type@5:13'],
    [`prompt: ${'x'.repeat(100_001)}`, 'too-long@5:13'],
    ['takes: 0', 'out-of-range@5:12'],
    ['takes: 100', 'out-of-range@5:12'],
    ['takes: two', 'wrong-type@5:12'],
    ['duration_seconds: 0', 'out-of-range@5:23'],
    ['duration_seconds: 60.5', 'wrong-type@5:23'],
    ['duration_seconds: "60s"', 'bad-value@5:23'],
    ['duration_seconds: "0"', 'bad-value@5:23'],
    ['duration_seconds: 10000', 'out-of-range@5:23'],
    ['loop: yes', 'wrong-type@5:11'],
    ['force_instrumental: 1', 'wrong-type@5:25'],
    ['lyrics_optimizer: "true"', 'wrong-type@5:23'],
    ['speed: 0.2', 'out-of-range@5:12'],
    ['speed: 4.1', 'out-of-range@5:12'],
    ['language_code: english!', 'bad-value@5:20'],
    ['lyrics_file: ""', 'empty-text@5:18'],
    ['title: 1984', 'wrong-type@5:12'],
  ])('is found in a track: %s', async (line, expected) => {
    expect(await found(oneTrack(line))).toEqual([expected]);
  });

  it.each(['Opening', 'a b', '-a', '.a', 'ä', 'a/b', '""', '".."', 'a'.repeat(65)])(
    'is found for the id %s',
    async (id) => {
      const places = await found(`${HEAD}tracks:\n  - id: ${id}\n    model: m\n    prompt: p\n`);
      expect(places).toEqual(['bad-id@3:9']);
    },
  );

  it('is reported together with all others, sorted by place', async () => {
    const text = `${HEAD}titel: x\nbudget: "5"\ntracks:\n  - id: A\n    promt: x\n    takes: 0\n  - id: b\n    model: m\n`;
    expect(await found(text)).toEqual([
      'unknown-key@2:1',
      'wrong-type@3:9',
      'bad-id@5:9',
      'missing-field@5:9',
      'unknown-key@6:5',
      'out-of-range@7:12',
      'missing-field@8:9',
    ]);
  });

  it('is reported even if there are very many', async () => {
    const keys = Array.from({ length: 20_000 }, (_, n) => `    k${n}: 1\n`).join('');
    expect(await found(`${oneTrack()}${keys}`)).toHaveLength(20_000);
  });
});

describe('a misspelled field at the top', () => {
  it('does not hide the errors in it, and each is reported once', async () => {
    const text = `${HEAD}default: { model: m, loop: 3, voic: x }\ntrack:\n  - { id: A, prompt: p }\n`;
    expect((await load(text)).diagnostics.map(({ message }) => message)).toEqual([
      '`default` is not a field of the manifest',
      '`loop` must be true or false, found 3',
      '`voic` is not a field of `defaults`',
      '`track` is not a field of the manifest',
      '`A` cannot be an `id`',
    ]);
  });
});

describe('the fix in an error', () => {
  const hintOf = async (text: string) => (await load(text)).diagnostics[0]?.hint;

  it.each([
    ['promt: x', '`prompt`'],
    ['force_instrumental: ture', 'did you mean `true`?'],
    ['force_instrumental: flase', 'did you mean `false`?'],
    ['duration: 60', '`duration_seconds`'],
    ['lyrics-prompt: la', '`lyrics_prompt`'],
    ['lyrics: la', '`lyrics_prompt`, `lyrics_file` or `lyrics_optimizer`?'],
    ['takes: "2"', 'write 2'],
    ['takes: two', 'give a whole number from 1 to 99'],
    ['takes: 2x', '`takes: 2`'],
    ['takes: 2.5', '`takes: 3`'],
    ['takes: 500', '`takes: 99`'],
    ['speed: 9', '`speed: 4`'],
    ['duration_seconds: 45s', '`duration_seconds: 45`'],
    ['title: 01', '"01"'],
    ['duration_seconds: 60.5', '`duration_seconds: '],
    ['loop: yes', 'write true'],
    ['loop: "false"', 'write false'],
    ['title: 1984', '"1984"'],
    ['prompt: { a: b }', 'quotes'],
    ['model: [x]', '`model: x`'],
  ])('%s → %s', async (line, expected) => {
    expect(await hintOf(oneTrack(line))).toContain(expected);
  });

  it.each([
    [`${HEAD}budget: $5\n${TRACKS}`, 'write 5'],
    [`${HEAD}budget: five\n${TRACKS}`, 'give a number above 0'],
    [`${HEAD}budget: 20 USD\n${TRACKS}`, '`budget: 20`'],
    [`${HEAD}concurrency: 2.5\n${TRACKS}`, '`concurrency: 3`'],
    [`${HEAD}tracks:\n  - id: 01\n    model: m\n    prompt: p\n`, '"01"'],
    [`${HEAD}tracks:\n  - id: 0x1F\n    model: m\n    prompt: p\n`, '"0x1f"'],
    [`${HEAD}tracks:\n  - id: -5\n    model: m\n    prompt: p\n`, '"5"'],
    [`${HEAD}tracks:\n  - id: .inf\n    model: m\n    prompt: p\n`, '"inf"'],
    [`${HEAD}tracks:\n  - id: a\n    model: m\n    prompt:\u00a0p\n`, 'U+00A0'],
    [`${HEAD}tracks:\n  - opening\n`, '`- id: opening`'],
    [`${HEAD}tracks:\n  id: opening\n  prompt: p\n`, '`- id: opening`'],
    ['- id: opening\n', 'below `tracks:`'],
    [`${HEAD}model: m\n${TRACKS}`, '`defaults:`'],
    [`${HEAD}tracks:\n  - id: Opening Song!\n`, '`opening-song`'],
    [`${HEAD}tracks:\n  - id: Übermut\n`, '`ubermut`'],
  ])('%s → %s', async (text, expected) => {
    expect(await hintOf(text)).toContain(expected);
  });
});
