import { FIELD_KINDS, type FieldKind, REQUEST_FIELDS, type RequestField } from '../core/audio-request.js';
import type { TextDefaults } from './api-versions.js';
import { unknownWord } from './prompt-words.js';
import type { ModelSpec, SandboxModel } from './sandbox-model.js';
import type { Issue } from './service-response.js';

type Check = (value: unknown) => string | undefined;
type Body = Readonly<Record<string, unknown>>;
type Schema = Readonly<Record<string, { readonly check: Check; readonly required?: true }>>;

const text: Check = (value) => (typeof value === 'string' ? undefined : 'Expected string');
const someText: Check = (value) =>
  text(value) ?? (value === '' ? 'String must contain at least 1 character(s)' : undefined);
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'Expected boolean');
const natural: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) > 0 ? undefined : 'Expected an integer greater than 0';
const seconds: Check = (value) =>
  typeof value === 'string'
    ? /^\d+$/.test(value)
      ? undefined
      : 'Invalid: a string must be all digits'
    : natural(value);
const speed: Check = (value) =>
  typeof value === 'number' && value >= 0.25 && value <= 4 ? undefined : 'Expected a number from 0.25 to 4';

const QUOTE: Schema = {
  model: { check: text, required: true },
  duration_seconds: { check: seconds },
  character_count: { check: natural },
};
const CHECKS: Readonly<Record<FieldKind, Check>> = {
  text,
  seconds,
  integer: (value) => (Number.isSafeInteger(value) ? undefined : 'Expected an integer'),
  number: (value) => (Number.isFinite(value) ? undefined : 'Expected a number'),
  switch: flag,
};
const QUEUE: Schema = {
  ...(Object.fromEntries(
    REQUEST_FIELDS.map((field) => [field, { check: CHECKS[FIELD_KINDS[field]] }]),
  ) as Schema),
  model: { check: text, required: true },
  prompt: { check: someText, required: true },
  speed: { check: speed },
};
const COMPLETE: Schema = {
  model: { check: text, required: true },
  queue_id: { check: text, required: true },
};
const RETRIEVE: Schema = { ...COMPLETE, delete_media_on_completion: { check: flag } };

/** The request bodies of the API. Unknown fields are refused. */
export const SCHEMAS = { quote: QUOTE, queue: QUEUE, retrieve: RETRIEVE, complete: COMPLETE } as const;

export function checkSchema(schema: Schema, body: unknown): Issue[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return [{ path: '', message: 'Expected object' }];
  }
  const issues: Issue[] = [];
  for (const [path, { check, required }] of Object.entries(schema)) {
    const given = Object.hasOwn(body, path);
    const message = given ? check((body as Body)[path]) : required ? 'Field is required' : undefined;
    if (message !== undefined) issues.push({ path, message });
  }
  const unknown = Object.keys(body).filter((key) => !Object.hasOwn(schema, key));
  if (unknown.length > 0) {
    issues.push({ path: '', message: `Unrecognized key(s) in object: ${unknown.join(', ')}` });
  }
  return issues;
}

/** `duration_seconds` as a number or a text. */
export function secondsOf(value: unknown): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/**
 * What a model refuses in a request that matches the schema. A field that the model does not support is refused
 * whatever its value. If the catalogue does not declare it, it is not supported (except lyrics, which the documentation
 * refuses only if `supports_lyrics` is false).
 */
export function checkCapabilities(model: SandboxModel, body: Body, defaults: TextDefaults): Issue[] {
  const { spec } = model;
  return [
    ...switches(spec, body),
    ...prompt(spec, body, defaults),
    ...lyrics(model, body, defaults),
    ...voice(spec, body),
    ...language(body),
    ...speeds(spec, body),
    ...checkDuration(model, body.duration_seconds),
  ];
}

function issue(when: boolean, path: string, message: string): Issue[] {
  return when ? [{ path, message }] : [];
}

function switches(spec: ModelSpec, body: Body): Issue[] {
  const taken = {
    force_instrumental: spec.supports_force_instrumental === true,
    lyrics_optimizer: spec.supports_lyrics_optimizer === true,
    loop: spec.supports_loop === true,
    language_code: spec.supports_language_code === true,
    speed: spec.supports_speed === true,
    voice: (spec.voices?.length ?? 0) > 0 || spec.supports_custom_voice_id === true,
    lyrics_prompt: spec.supports_lyrics !== false,
    // The compiler requires every field of a request here, so that the sandbox never accepts one without a decision.
  } satisfies Readonly<Record<Exclude<RequestField, 'model' | 'prompt' | 'duration_seconds'>, boolean>>;
  return Object.entries(taken)
    .filter(([key, supported]) => Object.hasOwn(body, key) && !supported)
    .map(([path]) => ({ path, message: `${path} is not supported by this model` }));
}

/** Characters beyond the basic plane count once towards the minimum and twice towards the maximum: the stricter way. */
function prompt(spec: ModelSpec, body: Body, { promptMin }: TextDefaults): Issue[] {
  const given = String(body.prompt);
  const least = spec.min_prompt_length ?? promptMin;
  const most = spec.prompt_character_limit ?? Number.POSITIVE_INFINITY;
  const unknown = unknownWord(given);
  return [
    ...issue(unknown !== undefined, 'prompt', unknown ?? ''),
    ...issue([...given].length < least, 'prompt', `prompt must have at least ${least} characters`),
    ...issue(given.length > most, 'prompt', `prompt must have at most ${most} characters`),
  ];
}

function lyrics({ spec, lyricsMin }: SandboxModel, body: Body, { lyricsMax }: TextDefaults): Issue[] {
  const given = String(body.lyrics_prompt ?? '');
  const optimized = body.lyrics_optimizer === true;
  const most = spec.lyrics_character_limit ?? lyricsMax;
  const missing = spec.lyrics_required === true && given.trim() === '' && !optimized;
  const needless = optimized || body.force_instrumental === true;
  const short = lyricsMin !== undefined && !needless && given.trim().length < lyricsMin;
  return [
    ...issue(missing, 'lyrics_prompt', 'lyrics_prompt is required by this model'),
    ...issue(short, 'lyrics_prompt', `lyrics_prompt must have at least ${lyricsMin} characters`),
    ...issue(
      optimized && given !== '',
      'lyrics_prompt',
      'lyrics_prompt must be empty when lyrics_optimizer is true',
    ),
    ...issue(given.length > most, 'lyrics_prompt', `lyrics_prompt must have at most ${most} characters`),
  ];
}

function voice(spec: ModelSpec, body: Body): Issue[] {
  if (body.voice === undefined || spec.voices === undefined) return [];
  const given = String(body.voice);
  const custom = spec.supports_custom_voice_id === true && /^[A-Za-z0-9_-]{10,64}$/.test(given);
  if (spec.voices.includes(given) || custom) return [];
  return [
    {
      path: 'voice',
      message: 'voice is not supported by this model',
      details: { supported_voices: spec.voices },
    },
  ];
}

function language(body: Body): Issue[] {
  const wrong = body.language_code !== undefined && !/^[a-z]{2}$/.test(String(body.language_code));
  return issue(wrong, 'language_code', 'language_code must be an ISO 639-1 code');
}

function speeds(spec: ModelSpec, body: Body): Issue[] {
  if (typeof body.speed !== 'number' || spec.supports_speed !== true) return [];
  const { min_speed = 0.25, max_speed = 4 } = spec;
  const within = body.speed >= min_speed && body.speed <= max_speed;
  return issue(!within, 'speed', `speed must be from ${min_speed} to ${max_speed} for this model`);
}

/** For a quote. */
export function checkCharacters({ spec }: SandboxModel, given: number | undefined): Issue[] {
  const most = spec.prompt_character_limit;
  const tooMany = given !== undefined && most !== undefined && given > most;
  return issue(tooMany, 'character_count', `character_count must be at most ${most}`);
}

/** Also for a quote. */
export function checkDuration({ spec }: SandboxModel, value: unknown): Issue[] {
  const given = secondsOf(value);
  if (given === undefined) return [];
  const { duration_options, min_duration, max_duration, default_duration } = spec;
  if ([duration_options, min_duration, max_duration, default_duration].every((fact) => fact === undefined)) {
    return issue(true, 'duration_seconds', 'duration_seconds is not supported by this model');
  }
  if (duration_options !== undefined) {
    const options = duration_options.join(', ');
    return issue(
      !duration_options.includes(given),
      'duration_seconds',
      `duration_seconds must be one of ${options}`,
    );
  }
  const { least, most } = { least: min_duration ?? 1, most: max_duration ?? Number.POSITIVE_INFINITY };
  return issue(
    !(given >= least && given <= most),
    'duration_seconds',
    `duration_seconds must be from ${least} to ${most}`,
  );
}
