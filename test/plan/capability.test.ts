import { describe, expect, it } from 'vitest';
import type { AudioRequest, RequestField } from '../../src/core/audio-request.js';
import { checkRequest, mergeAlike } from '../../src/plan/capability.js';
import type { Model } from '../../src/venice/model.js';
import { catalogueOf, makeModel, makeTake, NOW_MS, silentModel, spanAt } from './builders.js';

function check(request: Partial<AudioRequest>, model: Model, ...others: Model[]) {
  return checkRequest(makeTake({ request }), catalogueOf(model, ...others), NOW_MS);
}

/** `severity code`, of each diagnostic. */
function reported(request: Partial<AudioRequest>, model: Model): string[] {
  return check(request, model).diagnostics.map(({ severity, code }) => `${severity} ${code}`);
}

type Row = [name: string, request: Partial<AudioRequest>, model: Model, expected: string[]];

const DAY_MS = 86_400_000;
const isoAfter = (days: number) => new Date(NOW_MS + days * DAY_MS).toISOString();
const EMOJI = '🎹';

function withoutMinimum({ min_prompt_length: _, ...model }: Model): Model {
  return model;
}

const { lyrics_required: _, ...unclearAboutLyrics } = makeModel();

const ROWS: Row[] = [
  ['a plain request', {}, makeModel(), []],
  ['a plain request of a model that declares nothing', {}, silentModel(), []],
  ['a beta model', {}, makeModel({ beta: true }), []],
  ['an offline model', {}, makeModel({ offline: true }), ['error model-offline']],
  ['a voice changer', {}, makeModel({ voice_changer: true }), ['error voice-changer']],
  [
    'a voice changer, whatever else does not suit it',
    { duration_seconds: 30, lyrics_prompt: 'la la la la' },
    silentModel({ voice_changer: true, pricing: { kind: 'per_second', microUsd: 2_300 } }),
    ['error voice-changer'],
  ],
  ['no voice changer', {}, makeModel({ voice_changer: false }), []],
  ['a date of removal ahead', {}, makeModel({ deprecationDate: isoAfter(9) }), ['warning model-deprecated']],
  ['a date of removal past', {}, makeModel({ deprecationDate: isoAfter(-9) }), ['warning model-deprecated']],
  ['a date of removal that is none', {}, makeModel({ deprecationDate: 'soon' }), []],

  ['lyrics where taken', { lyrics_prompt: 'la la la l' }, makeModel(), []],
  ['short lyrics', { lyrics_prompt: ' la la la ' }, makeModel(), ['warning lyrics-length-unclear']],
  [
    'short lyrics for a model that only sings',
    { lyrics_prompt: '[inst]' },
    makeModel({ supports_force_instrumental: false }),
    [],
  ],
  ['no lyrics, duty undeclared', {}, unclearAboutLyrics, ['warning lyrics-length-unclear']],
  ['no lyrics for an instrumental', { force_instrumental: true }, unclearAboutLyrics, []],
  ['no lyrics, left to the optimizer', { lyrics_optimizer: true }, unclearAboutLyrics, []],
  [
    'lyrics where not taken',
    { lyrics_prompt: 'la' },
    makeModel({ supports_lyrics: false }),
    ['error lyrics-unsupported'],
  ],
  ['lyrics, undeclared', { lyrics_prompt: 'la' }, silentModel(), ['warning undeclared-lyrics']],
  ['lyrics implied by their limit', { lyrics_prompt: 'la' }, silentModel({ lyrics_character_limit: 9 }), []],
  ['lyrics implied by the duty', { lyrics_prompt: 'la' }, silentModel({ lyrics_required: true }), []],
  ['lyrics missing where required', {}, makeModel({ lyrics_required: true }), ['error lyrics-required']],
  ['lyrics missing, duty undeclared', {}, silentModel({ supports_lyrics: true }), []],
  [
    'required lyrics left to the optimizer',
    { lyrics_optimizer: true },
    makeModel({ lyrics_required: true }),
    [],
  ],
  [
    'required lyrics left to an optimizer that is not there',
    { lyrics_optimizer: true },
    makeModel({ lyrics_required: true, supports_lyrics_optimizer: false }),
    ['error lyrics-required', 'error lyrics-optimizer-unsupported'],
  ],
  ['lyrics at the limit', { lyrics_prompt: 'abcdefghij' }, makeModel({ lyrics_character_limit: 10 }), []],
  [
    'lyrics over the limit',
    { lyrics_prompt: 'abcdefghijk' },
    makeModel({ lyrics_character_limit: 10 }),
    ['error lyrics-too-long'],
  ],
  [
    'lyrics over the limit by one way to count',
    { lyrics_prompt: `abcdefghi${EMOJI}` },
    makeModel({ lyrics_character_limit: 10 }),
    ['warning lyrics-length-unclear'],
  ],
  [
    'lyrics with the optimizer',
    { lyrics_prompt: 'la', lyrics_optimizer: true },
    makeModel(),
    ['error optimizer-with-lyrics'],
  ],

  [
    'the optimizer where not taken',
    { lyrics_optimizer: true },
    makeModel({ supports_lyrics_optimizer: false }),
    ['error lyrics-optimizer-unsupported'],
  ],
  [
    'the optimizer, undeclared',
    { lyrics_optimizer: true },
    silentModel(),
    ['warning undeclared-lyrics-optimizer'],
  ],
  ['instrumental where taken', { force_instrumental: true }, makeModel(), []],
  [
    'instrumental where not taken',
    { force_instrumental: true },
    makeModel({ supports_force_instrumental: false }),
    ['error instrumental-unsupported'],
  ],
  [
    'instrumental, undeclared',
    { force_instrumental: true },
    silentModel(),
    ['warning undeclared-instrumental'],
  ],
  ['loop where taken', { loop: true }, makeModel(), []],
  ['loop where not taken', { loop: true }, makeModel({ supports_loop: false }), ['error loop-unsupported']],
  ['loop, undeclared', { loop: true }, silentModel(), ['warning undeclared-loop']],
  ['language where taken', { language_code: 'de' }, makeModel(), []],
  [
    'language where not taken',
    { language_code: 'de' },
    makeModel({ supports_language_code: false }),
    ['error language-unsupported'],
  ],
  ['language, undeclared', { language_code: 'de' }, silentModel(), ['warning undeclared-language']],

  ['a listed voice', { voice: 'Aria' }, makeModel(), []],
  ['the default voice, though not listed', { voice: 'House' }, makeModel({ default_voice: 'House' }), []],
  ['a voice in other letter case', { voice: 'aria' }, makeModel(), ['error unknown-voice']],
  ['an unknown voice', { voice: 'Zacharias' }, makeModel(), ['error unknown-voice']],
  [
    'a custom voice where taken',
    { voice: '21m00Tcm4TlvDq8ikWAM' },
    makeModel({ supports_custom_voice_id: true, voices: [] }),
    [],
  ],
  [
    'a voice that is not listed where custom voices are taken',
    { voice: 'Zacharias' },
    makeModel({ supports_custom_voice_id: true }),
    ['warning voice-not-listed'],
  ],
  [
    'a slip of the pen where custom voices are taken',
    { voice: 'Arai' },
    makeModel({ supports_custom_voice_id: true }),
    ['warning voice-not-listed'],
  ],
  [
    'a custom voice, undeclared',
    { voice: '21m00Tcm4TlvDq8ikWAM' },
    silentModel({ voices: ['Aria'] }),
    ['warning undeclared-custom-voice'],
  ],
  [
    'a slip of the pen, custom voices undeclared',
    { voice: 'Arai' },
    silentModel({ voices: ['Aria'] }),
    ['error unknown-voice'],
  ],
  ['a voice, undeclared', { voice: 'Aria' }, silentModel(), ['warning undeclared-voice']],
  ['a voice where there are none', { voice: 'Aria' }, makeModel({ voices: [] }), ['error voice-unsupported']],
  [
    'a voice where only custom ones are taken',
    { voice: 'Aria' },
    silentModel({ supports_custom_voice_id: true }),
    [],
  ],

  ['a speed where taken', { speed: 1.5 }, makeModel(), []],
  [
    'a speed below the range',
    { speed: 0.5 },
    makeModel({ min_speed: 0.7, max_speed: 1.2 }),
    ['error speed-out-of-range'],
  ],
  [
    'a speed above the range',
    { speed: 1.3 },
    makeModel({ min_speed: 0.7, max_speed: 1.2 }),
    ['error speed-out-of-range'],
  ],
  ['a speed at the end of the range', { speed: 1.2 }, makeModel({ min_speed: 0.7, max_speed: 1.2 }), []],
  [
    'a speed where not taken',
    { speed: 1.5 },
    makeModel({ supports_speed: false }),
    ['error speed-unsupported'],
  ],
  ['speed 1 where not taken', { speed: 1 }, makeModel({ supports_speed: false }), []],
  ['a speed, undeclared', { speed: 1.5 }, silentModel(), ['warning undeclared-speed']],
  ['the default speed, undeclared', { speed: 0.9 }, silentModel({ default_speed: 0.9 }), []],

  [
    'a duration where there is no field about it',
    { duration_seconds: 60 },
    silentModel(),
    ['error duration-unsupported'],
  ],
  [
    'a duration of a model priced by length without a field about it',
    { duration_seconds: 60 },
    silentModel({ pricing: { kind: 'per_second', microUsd: 5 } }),
    ['warning undeclared-duration'],
  ],
  [
    'a duration where only the default is declared',
    { duration_seconds: 60 },
    silentModel({ default_duration: 30 }),
    [],
  ],
  ['a duration on the list', { duration_seconds: 60 }, makeModel({ duration_options: [30, 60] }), []],
  [
    'a duration in the range but off the list',
    { duration_seconds: 45 },
    makeModel({ duration_options: [30, 60] }),
    ['error duration-not-offered'],
  ],
  [
    'a duration in range with an empty list',
    { duration_seconds: 45 },
    makeModel({ duration_options: [] }),
    [],
  ],
  [
    'a duration too short',
    { duration_seconds: 2 },
    makeModel({ min_duration: 3 }),
    ['error duration-out-of-range'],
  ],
  ['a duration too long', { duration_seconds: 601 }, makeModel(), ['error duration-out-of-range']],
  ['a duration at the ends', { duration_seconds: 600 }, makeModel(), []],

  ['a prompt at the limit', { prompt: 'abcd' }, makeModel({ prompt_character_limit: 4 }), []],
  [
    'a prompt over the limit',
    { prompt: 'abcde' },
    makeModel({ prompt_character_limit: 4 }),
    ['error prompt-too-long'],
  ],
  [
    'a prompt over the limit by one way to count',
    { prompt: `abc${EMOJI}` },
    makeModel({ prompt_character_limit: 4 }),
    ['warning prompt-length-unclear'],
  ],
  ['a prompt at the least length', { prompt: 'abcd' }, makeModel({ min_prompt_length: 4 }), []],
  [
    'a prompt shorter than the service asks for where the model states nothing',
    { prompt: 'Rain, far' },
    withoutMinimum(makeModel()),
    ['warning prompt-length-unclear'],
  ],
  ['a prompt too short', { prompt: 'abc' }, makeModel({ min_prompt_length: 4 }), ['error prompt-too-short']],
  [
    'a prompt too short by one way to count',
    { prompt: `ab${EMOJI}` },
    makeModel({ min_prompt_length: 4 }),
    ['warning prompt-length-unclear'],
  ],
];

describe('a request checked against its model', () => {
  it.each(ROWS)('%s', (_, request, model, expected) => {
    expect(reported(request, model)).toEqual(expected);
  });

  it('gets all errors at once', () => {
    const model = makeModel({ supports_loop: false, supports_language_code: false, offline: true });
    expect(reported({ loop: true, language_code: 'de' }, model)).toHaveLength(3);
  });
});

describe('the request that is sent', () => {
  it('is unchanged if the model supports it', () => {
    const request = { speed: 1, duration_seconds: 30, loop: true } as const;
    expect(check(request, makeModel()).request).toEqual(makeTake({ request }).request);
  });

  it.each([
    ['refuses speed', makeModel({ supports_speed: false })],
    ['does not declare speed', silentModel()],
  ])('omits the default speed for a model that %s', (_, model) => {
    expect(check({ speed: 1 }, model).request).toEqual(makeTake().request);
  });

  it('keeps an undeclared value', () => {
    expect(check({ voice: 'Aria', speed: 1.5 }, silentModel()).request).toMatchObject({
      voice: 'Aria',
      speed: 1.5,
    });
  });

  it('does not exist after an error', () => {
    expect(check({}, makeModel({ offline: true })).request).toBeUndefined();
  });
});

describe('the fix', () => {
  it('for a mistyped model is the nearest id', () => {
    const { diagnostics } = check({ model: 'elevenlab-music' }, makeModel({ id: 'elevenlabs-music' }));
    expect(diagnostics).toMatchObject([{ code: 'unknown-model', severity: 'error' }]);
    expect(diagnostics[0]?.hint).toContain('did you mean "elevenlabs-music"?');
  });

  it('for a model given by its name is its id', () => {
    const { diagnostics } = check(
      { model: 'acme supersynth 9' },
      makeModel({ id: 'x-9', name: 'ACME SuperSynth 9' }),
    );
    expect(diagnostics[0]?.hint).toContain('did you mean "x-9"?');
  });

  it('for a mistyped voice is the nearest voice', () => {
    const { diagnostics } = check({ voice: 'Rodger' }, makeModel());
    expect(diagnostics[0]?.hint).toBe('did you mean "Roger"? voices: Aria and Roger');
  });

  it('for a voice that is not listed where custom voices are taken is one of the first few', () => {
    const voices = Array.from({ length: 20 }, (_, index) => `Voice${index}`);
    const { diagnostics } = check({ voice: 'Rachel' }, makeModel({ voices, supports_custom_voice_id: true }));
    expect(diagnostics[0]?.hint).toMatch(/^voices: Voice0, .*Voice7 and 12 more$/);
  });

  it('lists a limited number of voices', () => {
    const voices = Array.from({ length: 500 }, (_, index) => `Voice${index}`);
    const { diagnostics } = check({ voice: 'someone' }, makeModel({ voices }));
    expect(diagnostics[0]?.hint).toMatch(/Voice23 and 476 more$/);
  });

  it.each([
    [45, 'use 30 or 60 (it makes 30, 60 and 120 s)'],
    [7, 'use 30 (it makes 30, 60 and 120 s)'],
    [500, 'use 120 (it makes 30, 60 and 120 s)'],
  ])('for a duration of %i s is the nearest supported one', (duration_seconds, hint) => {
    const { diagnostics } = check({ duration_seconds }, makeModel({ duration_options: [120, 30, 60] }));
    expect(diagnostics[0]?.hint).toBe(hint);
  });

  it('for a missing capability names online models that have it', () => {
    const { diagnostics } = check(
      { loop: true },
      makeModel({ supports_loop: false }),
      makeModel({ id: 'looper' }),
      makeModel({ id: 'asleep', offline: true }),
    );
    expect(diagnostics[0]?.hint).toBe('remove `loop`, or use a model that supports it: looper');
  });

  it.each([
    ['speaks', { voices: ['Aria'] }, 'speaker'],
    ['sings', { voices: [], supports_custom_voice_id: false }, 'singer'],
  ])('for a model that %s names no model of another kind', (_, kind, named) => {
    const { diagnostics } = check(
      { duration_seconds: 30 },
      silentModel(kind),
      silentModel({ id: 'speaker', min_duration: 1, voices: ['Tim'] }),
      silentModel({ id: 'singer', min_duration: 1 }),
      silentModel({ id: 'changer', min_duration: 1, voice_changer: true, voices: ['Tim'] }),
    );
    expect(diagnostics[0]?.hint).toBe(
      `remove \`duration_seconds\`, or use a model that supports it: ${named}`,
    );
  });

  it('for a deprecated model is its successor, with the date', () => {
    const model = makeModel({ deprecationDate: '2026-04-01T00:00:00Z', replacementModelId: 'song-2' });
    const [diagnostic] = check({}, model).diagnostics;
    expect(diagnostic).toMatchObject({
      message: 'song leaves the service on 2026-04-01',
      hint: 'its successor is "song-2"',
    });
  });

  it('quotes only a part of a very long value', () => {
    const { diagnostics } = check({ voice: 'x'.repeat(10_000) }, makeModel());
    expect(diagnostics[0]?.message.length).toBeLessThan(120);
  });
});

describe('the place of an error', () => {
  it('is the wrong value', () => {
    const take = makeTake({ request: { loop: true } });
    const { diagnostics } = checkRequest(take, catalogueOf(makeModel({ supports_loop: false })), NOW_MS);
    expect(diagnostics[0]?.span).toEqual(take.fieldSpans.loop?.[0]);
    expect(diagnostics[0]?.related).toBeUndefined();
  });

  it('is the wrong default, with the track that uses it', () => {
    const take = makeTake({ request: { loop: true }, defaulted: ['loop'] });
    const { diagnostics } = checkRequest(take, catalogueOf(makeModel({ supports_loop: false })), NOW_MS);
    expect(diagnostics[0]?.span?.line).toBeGreaterThanOrEqual(100);
    expect(diagnostics[0]?.related).toEqual([{ message: 'used by track opening', span: spanAt(10) }]);
  });

  it('is the track and its model for missing lyrics', () => {
    const take = makeTake();
    const { diagnostics } = checkRequest(take, catalogueOf(makeModel({ lyrics_required: true })), NOW_MS);
    expect(diagnostics[0]?.span).toEqual(take.span);
    expect(diagnostics[0]?.related?.[0]?.span).toEqual(take.fieldSpans.model?.[0]);
  });
});

describe('a default that does not suit one track', () => {
  const NONE = silentModel({ min_prompt_length: 1, voices: ['Aria'], supports_custom_voice_id: false });
  const NO_VOICE = silentModel({ supports_custom_voice_id: false });
  const no = (field: keyof Model) => makeModel({ [field]: false });

  function hintFor(request: Partial<AudioRequest>, model: Model): string | undefined {
    const defaulted = Object.keys(request) as RequestField[];
    const take = makeTake({ track: 'hello', request, defaulted });
    const suited = makeTake({ track: 'bought', request, defaulted });
    const { diagnostics } = checkRequest(take, catalogueOf(model), NOW_MS);
    return mergeAlike(diagnostics, [suited, take])[0]?.hint;
  }

  it.each<[Partial<AudioRequest>, Model, string]>([
    [{ duration_seconds: 30 }, NONE, 'add `duration_seconds: null` to track `hello`'],
    [{ voice: 'Aria' }, NO_VOICE, 'add `voice: null` to track `hello`'],
    [{ lyrics_prompt: 'la' }, no('supports_lyrics'), 'add `lyrics_prompt: null` to track `hello`'],
    [{ loop: true }, no('supports_loop'), 'add `loop: null` to track `hello`'],
    [{ speed: 1.5 }, no('supports_speed'), 'add `speed: null` to track `hello`'],
    [{ language_code: 'de' }, no('supports_language_code'), 'add `language_code: null` to track `hello`'],
    [
      { force_instrumental: true },
      no('supports_force_instrumental'),
      'add `force_instrumental: null` to track `hello`',
    ],
    [
      { lyrics_optimizer: true },
      no('supports_lyrics_optimizer'),
      'add `lyrics_optimizer: null` to track `hello`',
    ],
    [
      { duration_seconds: 90 },
      makeModel({ max_duration: 22 }),
      'set `duration_seconds` in track `hello`: use 22 or less',
    ],
    [{ speed: 3 }, makeModel({ max_speed: 2 }), 'set `speed` in track `hello`: use 2 or less'],
    [
      { voice: 'Rodger' },
      makeModel(),
      'set `voice` in track `hello`: did you mean "Roger"? voices: Aria and Roger',
    ],
    [
      { model: 'song' },
      makeModel({ offline: true }),
      'set `model` in track `hello`: use another model, or try again later',
    ],
    [{ language_code: 'de' }, silentModel(), 'it is sent unchanged; the service may refuse it'],
  ])('%j', (request, model, hint) => {
    expect(hintFor(request, model)).toBe(hint);
  });

  const TAKES = ['hello', 'second', 'bought'].map((track, index) => {
    const take = makeTake({ track, request: { loop: true }, defaulted: ['loop'] });
    const [place] = take.fieldSpans.loop ?? [];
    return { ...take, fieldSpans: { ...take.fieldSpans, loop: [place!, spanAt(20 + index)] } };
  });
  const reportedFor = (faulty: number, all: number) =>
    mergeAlike(
      TAKES.slice(0, faulty).flatMap(
        (take) => checkRequest(take, catalogueOf(makeModel({ supports_loop: false })), NOW_MS).diagnostics,
      ),
      TAKES.slice(0, all),
    );

  it('is reported once, at the tracks', () => {
    const [first, ...others] = reportedFor(2, 3);
    expect(others).toEqual([]);
    expect(first?.hint).toBe('add `loop: null` to tracks `hello` and `second`');
    expect(first?.span).toEqual(spanAt(20));
    expect(first?.related?.map(({ message }) => message)).toEqual([
      'from `defaults`',
      'used by track second',
    ]);
    expect(first).not.toHaveProperty('inherited');
  });

  it('is to be removed if it suits no track that uses it', () => {
    const [first] = reportedFor(3, 3);
    expect(first?.hint).toBe('remove `loop`');
    expect(first?.span?.line).toBeGreaterThanOrEqual(100);
    expect(first).not.toHaveProperty('inherited');
  });
});

describe('identical diagnostics', () => {
  const catalogue = catalogueOf(makeModel({ supports_loop: false }));
  const check = (track: string) =>
    checkRequest(makeTake({ track, request: { loop: true }, defaulted: ['loop'] }), catalogue, NOW_MS)
      .diagnostics;

  it('are reported once, with all related places', () => {
    const other = check('second').map((diagnostic) => ({
      ...diagnostic,
      related: [{ message: 'used by track second', span: spanAt(30) }],
    }));
    const merged = mergeAlike([...check('first'), ...check('first'), ...other], []);
    expect(merged).toHaveLength(1);
    expect(merged[0]?.related?.map(({ span }) => span.line)).toEqual([10, 30]);
  });

  it('list at most ten related places', () => {
    const many = Array.from({ length: 50 }, (_, line) => ({
      code: 'unknown-model' as const,
      severity: 'error' as const,
      message: 'm',
      related: [{ message: 'used', span: spanAt(line + 1) }],
    }));
    expect(mergeAlike(many, [])[0]?.related).toHaveLength(10);
  });

  it('are separate if they differ', () => {
    const apart = [100, 200].map((line) => ({ ...check('x')[0]!, span: spanAt(line) }));
    expect(mergeAlike(apart, [])).toHaveLength(2);
  });
});
