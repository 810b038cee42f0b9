import { describe, expect, it } from 'vitest';
import { found } from './check.js';

/** A manifest from its lines. */
function manifest(...lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

describe('errors of every kind are reported together', () => {
  const cases: [string, string, string[]][] = [
    [
      'of a track that does not fit the schema, what the rules say of its other fields',
      manifest(
        'version: 1',
        'tracks:',
        '  - id: a',
        '    takes: 0',
        '    model: m',
        '    output: ../x.{ext}',
        '    lyrics_file: nope.txt',
        '    lyrics_prompt: la',
      ),
      ['missing-field@3:9', 'out-of-range@4:12', 'output-leaves-folder@6:13', 'lyrics-twice@7:18'],
    ],
    [
      'beside a version that cannot be used',
      manifest('version: "1"', 'titel: x', 'tracks:', '  - { id: a, model: m }'),
      ['wrong-type@1:10', 'unknown-key@2:1', 'missing-field@4:11'],
    ],
    [
      'beside a version of another program',
      manifest('version: 2', 'titel: x', 'tracks:', '  - { id: a, model: m }'),
      ['unsupported-version@1:10', 'unknown-key@2:1', 'missing-field@4:11'],
    ],
    [
      'equal ids where the first one has another error',
      manifest(
        'version: 1',
        'defaults: { model: m, prompt: p }',
        'tracks:',
        '  - { id: a, takes: 0 }',
        '  - { id: a }',
        '  - { id: a, speed: 9 }',
      ),
      ['out-of-range@4:21', 'duplicate-id@5:11', 'duplicate-id@6:11', 'out-of-range@6:21'],
    ],
    [
      'equal ids that no id can be',
      manifest('version: 1', 'defaults: { model: m, prompt: p }', 'tracks:', '  - id: A b', '  - id: A b'),
      ['bad-id@4:9', 'bad-id@5:9', 'duplicate-id@5:9'],
    ],
    [
      'of the second of two equal ids, what else is wrong with it',
      manifest(
        'version: 1',
        'defaults: { model: m }',
        'tracks:',
        '  - { id: a, prompt: p }',
        '  - { id: a, output: "x.wav" }',
      ),
      ['duplicate-id@5:11', 'missing-field@5:11', 'output-ext@5:24'],
    ],
    [
      'of tracks under defaults that do not fit',
      manifest('version: 1', 'defaults: { model: 7, takes: 1 }', 'tracks:', '  - { id: a }', '  - { id: b }'),
      ['wrong-type@2:20', 'missing-field@4:11', 'missing-field@5:11'],
    ],
    [
      'of the others beside a track that is none',
      manifest(
        'version: 1',
        'tracks:',
        '  - opening',
        '  - { id: b, model: m }',
        '  - { model: m, prompt: p }',
      ),
      ['wrong-type@3:5', 'missing-field@4:11', 'missing-field@5:7'],
    ],
    [
      'beside equal keys',
      manifest('version: 1', 'title: x', 'title: y', 'budget: 0', 'tracks:', '  - { id: a, model: m }'),
      ['duplicate-key@3:1', 'out-of-range@4:9', 'missing-field@6:11'],
    ],
    [
      'beside an alias that leads nowhere',
      manifest('version: 1', 'tracks:', '  - { id: a, prompt: *bold }'),
      ['missing-field@3:11', 'unknown-anchor@3:22'],
    ],
    [
      'beside a merge key',
      manifest('version: 1', 'tracks:', '  - { id: a, <<: 1, takes: 0 }'),
      ['merge-key@3:14', 'out-of-range@3:28'],
    ],
    [
      'beside too many takes',
      manifest(
        'version: 1',
        'defaults: { model: m, takes: 99 }',
        'tracks:',
        ...Array.from({ length: 600 }, (_, index) => `  - { id: t${index}, prompt: p }`),
        '  - { id: last }',
      ),
      ['too-many-takes@2:30', 'missing-field@604:11'],
    ],
  ];

  it.each(cases)('%s', async (_name, text, expected) => {
    expect(await found(text)).toEqual(expected);
  });
});

describe('an error does not cause further errors', () => {
  const cases: [string, string, string[]][] = [
    [
      'a misspelt field is not missing too',
      manifest('version: 1', 'tracks:', '  - { id: a, model: m, promt: p }'),
      ['unknown-key@3:24'],
    ],
    [
      'a misspelt id is not missing too',
      manifest('version: 1', 'tracks:', '  - { Id: a, model: m, prompt: p }'),
      ['unknown-key@3:7'],
    ],
    [
      'a misspelt version or list of tracks is not missing too',
      manifest('verison: 1', 'track:', '  - { id: a }'),
      ['unknown-key@1:1', 'unknown-key@2:1'],
    ],
    [
      'misspelt defaults are not missing in every track',
      manifest('version: 1', 'default: { model: m, prompt: p }', 'tracks:', '  - id: a', '  - id: b'),
      ['unknown-key@2:1'],
    ],
    [
      'a field that belongs in the defaults is not missing in every track',
      manifest('version: 1', 'model: m', 'tracks:', '  - { id: a, prompt: p }'),
      ['unknown-key@2:1'],
    ],
    [
      'a default that does not fit is not missing in every track',
      manifest('version: 1', 'defaults: { model: m, prompt: 3 }', 'tracks:', '  - id: a', '  - id: b'),
      ['wrong-type@2:31'],
    ],
    [
      'defaults that are none are not missing in every track',
      manifest('version: 1', 'defaults: x', 'tracks:', '  - id: a', '  - id: b'),
      ['wrong-type@2:11'],
    ],
    [
      'a prompt of the wrong type is not missing, nor the default in its place',
      manifest('version: 1', 'defaults: { model: m, prompt: " " }', 'tracks:', '  - { id: a, prompt: [x] }'),
      ['wrong-type@4:22'],
    ],
    [
      'lyrics that do not fit are not held against anything',
      manifest(
        'version: 1',
        'defaults: { model: m, prompt: p, lyrics_file: nope.txt, lyrics_optimizer: true }',
        'tracks:',
        '  - { id: a, lyrics_prompt: [la] }',
      ),
      ['wrong-type@4:29'],
    ],
    [
      'equal ids do not collide too',
      manifest(
        'version: 1',
        'output: "{id}.{ext}"',
        'defaults: { model: m, prompt: p }',
        'tracks:',
        '  - id: a',
        '  - id: a',
      ),
      ['duplicate-id@6:9'],
    ],
    [
      'ids and models that are missing do not collide',
      manifest(
        'version: 1',
        'output: "{id}{model}.{ext}"',
        'defaults: { prompt: p }',
        'tracks:',
        '  - { model: m }',
        '  - { model: m }',
        '  - { id: c }',
        '  - { id: d }',
      ),
      ['missing-field@5:7', 'missing-field@6:7', 'missing-field@7:11', 'missing-field@8:11'],
    ],
    [
      'an output that does not fit is not the default one',
      manifest(
        'version: 1',
        'defaults: { model: m, prompt: p }',
        'output: "{id}.{ext}"',
        'tracks:',
        '  - { id: a, output: 3 }',
        '  - { id: b, output: "a.{ext}" }',
        '  - { id: c, output: 3 }',
      ),
      ['wrong-type@5:22', 'wrong-type@7:22'],
    ],
    [
      'a version that YAML could not give is not unsupported too',
      manifest('version: *one', 'tracks: [{ id: a, model: m, prompt: p }]'),
      ['unknown-anchor@1:10'],
    ],
  ];

  it.each(cases)('%s', async (_name, text, expected) => {
    expect(await found(text)).toEqual(expected);
  });

  it('does not hide errors in a field that is set and also misspelt', async () => {
    const text = manifest('version: 1', 'tracks:', '  - { id: a, model: m, promt: p, prompt: " " }');
    expect(await found(text)).toEqual(['unknown-key@3:24', 'empty-text@3:42']);
  });
});
