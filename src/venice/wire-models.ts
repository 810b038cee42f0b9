import { microUsdFromUsd } from '../core/money.js';
import type { Catalogue, Model, PriceTier, Pricing } from './model.js';
import { bool, field, finite, identifier, isRecord, listOf, present, text } from './read-json.js';

const SECONDS_MAX = 86_400;
const CHARACTERS_MAX = 10_000_000;
const NAME_LENGTH_MAX = 200;

/**
 * The response of `GET /models?type=music`. Tolerant: unknown fields are ignored, an entry without a usable id or of
 * another type is skipped, and a capability of a wrong type counts as undeclared.
 *
 * @returns `undefined` if it is not a list of models
 */
export function readCatalogue(body: unknown): Catalogue | undefined {
  const data = field(body, 'data');
  if (!Array.isArray(data)) return undefined;
  const models = new Map<string, Model>();
  for (const entry of data) {
    const model = readModel(entry);
    if (model !== undefined && !models.has(model.id)) models.set(model.id, model);
  }
  return models;
}

function readModel(entry: unknown): Model | undefined {
  const id = identifier(field(entry, 'id'));
  if (id === undefined || field(entry, 'type') !== 'music') return undefined;
  const spec = field(entry, 'model_spec');
  return {
    id,
    name: name(field(spec, 'name')) ?? id,
    offline: field(spec, 'offline') === true,
    beta: field(spec, 'betaModel') === true || field(spec, 'beta') === true,
    traits: names(field(spec, 'traits')) ?? [],
    ...present({
      ...deprecation(field(spec, 'deprecation')),
      pricing: readPricing(field(spec, 'pricing')),
      ...lyrics(spec),
      ...switches(spec),
      ...speeds(spec),
      ...voices(spec),
      ...durations(spec),
      supported_formats: names(field(spec, 'supported_formats')),
      default_format: name(field(spec, 'default_format')),
      min_prompt_length: characters(field(spec, 'min_prompt_length')),
      prompt_character_limit: characters(field(spec, 'prompt_character_limit')),
    }),
  };
}

function lyrics(spec: unknown) {
  return {
    supports_lyrics: bool(field(spec, 'supports_lyrics')),
    lyrics_required: bool(field(spec, 'lyrics_required')),
    lyrics_character_limit: characters(field(spec, 'lyrics_character_limit')),
    supports_lyrics_optimizer: bool(field(spec, 'supports_lyrics_optimizer')),
  };
}

function switches(spec: unknown) {
  return {
    supports_force_instrumental: bool(field(spec, 'supports_force_instrumental')),
    supports_loop: bool(field(spec, 'supports_loop')),
    supports_language_code: bool(field(spec, 'supports_language_code')),
  };
}

function speeds(spec: unknown) {
  const [min_speed, max_speed] = range(field(spec, 'min_speed'), field(spec, 'max_speed'), 100);
  return {
    supports_speed: bool(field(spec, 'supports_speed')),
    min_speed,
    max_speed,
    default_speed: positive(field(spec, 'default_speed'), 100),
  };
}

function voices(spec: unknown) {
  return {
    voices: names(field(spec, 'voices')),
    default_voice: name(field(spec, 'default_voice')),
    supports_custom_voice_id: bool(field(spec, 'supports_custom_voice_id')),
    voice_changer: bool(field(spec, 'voice_changer')),
  };
}

function durations(spec: unknown) {
  const options = listOf(seconds(spec, 'duration_options'), (option) =>
    positive(digits(option), SECONDS_MAX),
  );
  const [min_duration, max_duration] = range(
    seconds(spec, 'min_duration'),
    seconds(spec, 'max_duration'),
    SECONDS_MAX,
  );
  return {
    // An empty list would forbid every duration, which cannot be intended.
    duration_options: options?.length ? options : undefined,
    min_duration,
    max_duration,
    default_duration: positive(seconds(spec, 'default_duration'), SECONDS_MAX),
  };
}

function seconds(spec: unknown, name: string): unknown {
  return digits(field(spec, name));
}

/** The API accepts a text of digits as a duration, so it may also list one. */
function digits(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
}

/** `removesAt` is the newer name of `date`. */
function deprecation(value: unknown) {
  const date = instant(field(value, 'removesAt')) ?? instant(field(value, 'date'));
  return { deprecationDate: date, replacementModelId: identifier(field(value, 'replacementModelId')) };
}

function instant(value: unknown): string | undefined {
  const ms = Date.parse(text(value, 64) ?? '');
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

/** One of the four forms. If any part of a price cannot be read, the price is unknown. */
function readPricing(value: unknown): Pricing | undefined {
  for (const kind of ['generation', 'per_second', 'per_thousand_characters'] as const) {
    const microUsd = microUsdFromUsd(field(field(value, kind), 'usd'));
    if (microUsd !== undefined) return { kind, microUsd };
  }
  const tiers = field(value, 'durations');
  if (!isRecord(tiers)) return undefined;
  const read = listOf(Object.values(tiers), readTier);
  if (!read?.length) return undefined;
  return { kind: 'durations', tiers: [...read].sort((a, b) => a.minSeconds - b.minSeconds) };
}

function readTier(value: unknown): PriceTier | undefined {
  const microUsd = microUsdFromUsd(field(value, 'usd'));
  const minSeconds = finite(field(value, 'min_seconds'), 0, SECONDS_MAX);
  const maxSeconds = finite(field(value, 'max_seconds'), 0, SECONDS_MAX);
  if (microUsd === undefined || minSeconds === undefined || maxSeconds === undefined) return undefined;
  return minSeconds <= maxSeconds ? { minSeconds, maxSeconds, microUsd } : undefined;
}

/** A bound is absent if it is not a number; both are if they contradict each other. */
function range(low: unknown, high: unknown, max: number): [number | undefined, number | undefined] {
  const from = positive(low, max);
  const to = positive(high, max);
  return from !== undefined && to !== undefined && from > to ? [undefined, undefined] : [from, to];
}

function positive(value: unknown, max: number): number | undefined {
  return value === 0 ? undefined : finite(value, 0, max);
}

function characters(value: unknown): number | undefined {
  return finite(value, 0, CHARACTERS_MAX);
}

function name(value: unknown): string | undefined {
  return text(value, NAME_LENGTH_MAX);
}

function names(value: unknown): readonly string[] | undefined {
  return listOf(value, name);
}
