import { describe, expect, it } from 'vitest';
import { found, load, oneTrack, takesOf } from './check.js';

const HEAD = 'version: 1\n';

describe('takes', () => {
  it('are in the order of the manifest, one for each requested generation', async () => {
    const takes = await takesOf(
      `${HEAD}defaults: { model: m, prompt: p }\ntracks: [{ id: b, takes: 3 }, { id: a }]\n`,
    );
    expect(takes.map(({ key, track, take, takes: of }) => [key, track, take, of])).toEqual([
      ['b', 'b', 1, 3],
      ['b#2', 'b', 2, 3],
      ['b#3', 'b', 3, 3],
      ['a', 'a', 1, 1],
    ]);
  });

  it('have the request under the field names of the API, and nothing else', async () => {
    const [take] = await takesOf(
      oneTrack(
        'title: Opening',
        'model: elevenlabs-music',
        'prompt: Folk',
        'lyrics_prompt: la la',
        'duration_seconds: "060"',
        'force_instrumental: false',
        'lyrics_optimizer: false',
        'loop: true',
        'voice: Aria',
        'language_code: ""',
        'speed: 1',
      ),
    );
    expect(take?.request).toEqual({
      model: 'elevenlabs-music',
      prompt: 'Folk',
      lyrics_prompt: 'la la',
      duration_seconds: 60,
      loop: true,
      voice: 'Aria',
      speed: 1,
    });
    expect(take?.title).toBe('Opening');
  });

  it('are limited for the whole manifest', async () => {
    const tracks = Array.from({ length: 600 }, (_, n) => `  - id: t${n}\n`).join('');
    expect(await found(`${HEAD}defaults: { model: m, prompt: p, takes: 99 }\ntracks:\n${tracks}`)).toEqual([
      'too-many-takes@2:41',
    ]);
  });

  it('know the place of each field', async () => {
    const [take] = await takesOf(
      `${HEAD}defaults:\n  model: m\n  prompt: p\ntracks:\n  - id: a\n    prompt: |\n      own\n    loop: true\n`,
    );
    const place = (spans: readonly { line: number; column: number }[] | undefined) =>
      spans?.map(({ line, column }) => `${line}:${column}`);
    expect(place([take!.span])).toEqual(['6:9']);
    expect(place(take?.fieldSpans.model)).toEqual(['3:10', '6:9']);
    expect(place(take?.fieldSpans.prompt)).toEqual(['7:13']);
    expect(take?.fieldSpans.prompt?.[0]).toMatchObject({ endLine: 8, endColumn: 10 });
    expect(place(take?.fieldSpans.loop)).toEqual(['9:11']);
    expect(take?.fieldSpans.voice).toBeUndefined();
  });
});

describe('defaults', () => {
  it('apply to every track that does not override them', async () => {
    const takes = await takesOf(
      `${HEAD}defaults: { model: m, prompt: p, voice: Aria, takes: 2, loop: true }\n` +
        'tracks: [{ id: a }, { id: b, model: n, takes: 1, loop: false, voice: "" }]\n',
    );
    expect(takes.map(({ key, request }) => [key, request])).toEqual([
      ['a', { model: 'm', prompt: 'p', voice: 'Aria', loop: true }],
      ['a#2', { model: 'm', prompt: 'p', voice: 'Aria', loop: true }],
      ['b', { model: 'n', prompt: 'p' }],
    ]);
  });

  it.each([
    ['lyrics_prompt: default', 'lyrics_file: own.txt', 'from the file'],
    ['lyrics_file: other.txt', 'lyrics_prompt: own', 'own'],
    ['lyrics_file: other.txt', 'lyrics_prompt: ""', undefined],
  ])('are overridden by lyrics of either kind: %s over %s', async (shared, own, expected) => {
    const [take] = await takesOf(
      `${HEAD}defaults: { model: m, prompt: p, ${shared} }\ntracks: [{ id: a, ${own} }]\n`,
      { 'own.txt': 'from the file' },
    );
    expect(take?.request.lyrics_prompt).toBe(expected);
  });

  it('are overridden by the output of a track and override that of the manifest', async () => {
    const takes = await takesOf(
      `${HEAD}output: all/{id}.{ext}\ndefaults: { model: m, prompt: p, output: "some/{id}.{ext}" }\n` +
        'tracks: [{ id: a }, { id: b, output: "one/{id}.{ext}" }]\n',
    );
    expect(takes.map(({ stem }) => stem)).toEqual(['some/a', 'one/b']);
  });

  it('are reported once, with one track that uses them, if they are wrong for many tracks', async () => {
    const { diagnostics } = await load(
      `${HEAD}defaults: { model: m, prompt: p, lyrics_file: no.txt }\ntracks: [{ id: a }, { id: b }]\n`,
    );
    expect(diagnostics.map(({ code, span }) => [code, span?.line])).toEqual([['lyrics-missing', 2]]);
    expect(diagnostics[0]?.related?.map(({ span }) => [span.line, span.column])).toEqual([[3, 16]]);
  });
});

describe('an error that needs the whole manifest has a code and a place', () => {
  it.each([
    ['no model', `${HEAD}tracks: [{ id: a, prompt: p }]\n`, ['missing-field@2:16']],
    ['no prompt', `${HEAD}tracks: [{ id: a, model: m }]\n`, ['missing-field@2:16']],
    ['neither', `${HEAD}tracks: [{ id: a }]\n`, ['missing-field@2:16', 'missing-field@2:16']],
    ['equal ids', `${oneTrack()}  - id: b\n  - id: a\n`, ['duplicate-id@6:9']],
    ['a prompt of spaces', oneTrack('prompt: "  \\n "'), ['empty-text@5:13']],
    ['a model of spaces', oneTrack('model: " "'), ['empty-text@5:12']],
    [
      'lyrics and an optimizer',
      oneTrack('lyrics_prompt: la', 'lyrics_optimizer: true'),
      ['optimizer-with-lyrics@6:23'],
    ],
    ['an optimizer and no lyrics', oneTrack('lyrics_prompt: " "', 'lyrics_optimizer: true'), []],
    ['an escape character in a prompt', oneTrack('prompt: "a\\e[31mb"'), ['unprintable-character@5:13']],
    [
      'half a surrogate pair in lyrics',
      oneTrack('lyrics_prompt: "a\\uD83D"'),
      ['unprintable-character@5:20'],
    ],
    ['a zero byte in a title', oneTrack('title: "a\\0"'), ['unprintable-character@5:12']],
    ['tabs and line ends in a prompt', oneTrack('prompt: "a\\tb\\r\\nc"'), []],
    ['both kinds of lyrics', oneTrack('lyrics_prompt: la', 'lyrics_file: l.txt'), ['lyrics-twice@6:18']],
    [
      'both kinds as defaults',
      `${HEAD}defaults: { model: m, prompt: p, lyrics_prompt: la, lyrics_file: l.txt }\ntracks: [{ id: a }]\n`,
      ['lyrics-twice@2:66'],
    ],
  ])('%s', async (_name, text, expected) => {
    expect(await found(text, { 'l.txt': 'la' })).toEqual(expected);
  });

  it.each([
    ['lyrics', ['lyrics_prompt: la', 'force_instrumental: true']],
    ['the lyrics optimizer', ['lyrics_optimizer: true', 'force_instrumental: true']],
  ])('is only a warning for an instrumental track with %s', async (_name, lines) => {
    const { manifest, diagnostics } = await load(oneTrack(...lines));
    expect(diagnostics.map(({ code, severity }) => [code, severity])).toEqual([
      ['instrumental-with-lyrics', 'warning'],
    ]);
    expect(manifest?.takes).toHaveLength(1);
  });

  it.each([
    ['lyrics_optimizer: true', 'lyrics_prompt: la', 'add `lyrics_optimizer: null` to track `a`'],
    ['force_instrumental: true', 'lyrics_prompt: la', 'add `force_instrumental: null` to track `a`'],
    ['force_instrumental: true', 'lyrics_optimizer: true', 'add `force_instrumental: null` to track `a`'],
    ['lyrics_prompt: la', 'lyrics_optimizer: true', 'add `lyrics_prompt: null` to track `a`'],
    ['lyrics_file: l.txt', 'lyrics_optimizer: true', 'add `lyrics_file: null` to track `a`'],
    ['lyrics_file: l.txt', 'force_instrumental: true', 'add `lyrics_file: null` to track `a`'],
    ['lyrics_prompt: la, lyrics_optimizer: true', 'title: A', 'remove one of the two'],
  ])('leaves the default %s to other tracks: with %s', async (inherited, own, hint) => {
    const text = `${HEAD}defaults: { model: m, prompt: p, ${inherited} }\ntracks: [{ id: a, ${own} }]\n`;
    const { diagnostics } = await load(text, { 'l.txt': 'la' });
    expect(diagnostics.map((one) => one.hint)).toEqual([hint]);
    const [takenBack = ''] = /[a-z_]+: null/.exec(hint) ?? [];
    const taken = text.replace(own, takenBack === '' ? 'lyrics_optimizer: null' : `${own}, ${takenBack}`);
    expect((await load(taken, { 'l.txt': 'la' })).diagnostics).toEqual([]);
  });

  it('is not hidden by tracks with errors of their own', async () => {
    expect(await found(`${oneTrack('takes: 0')}  - id: b\n    lyrics_file: no.txt\n  - id: b\n`)).toEqual([
      'out-of-range@5:12',
      'lyrics-missing@7:18',
      'duplicate-id@8:9',
    ]);
  });
});
