import { unreachable } from '../core/errors.js';
import { formatUsd } from '../core/money.js';
import { cataloguePrice } from '../plan/catalogue-price.js';
import type { Model, Pricing } from '../venice/model.js';
import { escapeForeign } from './escape.js';
import { styleFor } from './style.js';
import { type Column, renderTable, TABLE_WIDTH_MIN } from './table.js';
import { wrap } from './width.js';

export interface ModelsOptions {
  /** Whole seconds. The price shown is for this length. */
  readonly durationSeconds?: number | undefined;
  readonly color: boolean;
  readonly width: number;
}

export interface ModelListOptions extends ModelsOptions {
  /** Shows one model in full, ready to paste but for its name. */
  readonly command: string;
}

/** From this width on, an id, a price and a length fit beside each other. */
const WIDTH_WHOLE = 65;

/** The catalogue for choosing a model, one line for each. Includes line ends. */
export function renderModels(models: Iterable<Model>, options: ModelListOptions): string {
  const style = styleFor(options.color);
  const listed = [...models];
  const states = listed.map(stateOf);
  // A narrow screen has no room for a whole price beside a whole id.
  const narrowed = (widthMin: number) => (options.width < WIDTH_WHOLE ? { widthMin } : {});
  const columns: Column[] = [
    // Complete, to be pasted into a manifest. The longest id has 30 characters.
    { header: 'MODEL', widthMin: 30, paint: (cell) => style.strong(cell) },
    { header: priceHeader(options.durationSeconds), ...narrowed(8) },
    { header: 'SECONDS', ...narrowed(7) },
    { header: 'CAN', widthMin: 12, wraps: true, optional: true },
    { header: 'PROMPT', align: 'right', optional: true },
    { header: 'STATE', widthMin: 5, optional: true, paint: (cell) => style.warn(cell) },
  ];
  const rows = listed.map((model, index) => [
    model.id,
    priceOf(model, options.durationSeconds),
    lengthsOf(model),
    abilitiesOf(model).join(', '),
    promptLimitOf(model),
    states[index]!,
  ]);
  let hidden: readonly string[] = [];
  const lines = renderTable(columns, rows, {
    width: options.width,
    paintHeader: (text) => style.faint(text),
    hidden: (headers) => {
      hidden = headers;
    },
  });
  return `${[...lines, ...hiddenLines(hidden, options)].join('\n')}\n`;
}

function hiddenLines(hidden: readonly string[], { width, command }: ModelListOptions): readonly string[] {
  if (hidden.length === 0) return [];
  const names = hidden.length === 1 ? `column ${hidden[0]}` : `columns ${hidden.join(', ')}`;
  const shown = `Hidden at this width: ${names}. Widen the terminal, or show one model in full:`;
  return ['', ...wrap(shown, Math.max(TABLE_WIDTH_MIN, width)), command];
}

/** Everything the catalogue says about one model, one line for each fact. Includes line ends. */
export function renderModel(model: Model, options: ModelsOptions): string {
  const style = styleFor(options.color);
  const facts: [string, string][] = [
    ['Name', model.name],
    ['Price', model.pricing === undefined ? '?' : priceTiers(model.pricing)],
    ...(options.durationSeconds === undefined
      ? []
      : [[`${options.durationSeconds} s cost`, priceOf(model, options.durationSeconds)] as [string, string]]),
    ['Seconds', lengthsOf(model)],
    ['Default', model.default_duration === undefined ? '' : `${model.default_duration} s`],
    ['Can', abilitiesOf(model).join(', ')],
    ['Prompt', promptLimitOf(model) && `${promptLimitOf(model)} characters`],
    ['State', stateOf(model)],
    ['Voices', (model.voices ?? []).join(', ')],
  ];
  const shown = facts.filter(([, text]) => text !== '');
  const label = Math.max(...shown.map(([name]) => name.length)) + 2;
  const lines = shown.flatMap(([name, text]) =>
    wrap(escapeForeign(text), Math.max(40, options.width) - label).map(
      (line, index) => style.faint((index === 0 ? name : '').padEnd(label)) + line,
    ),
  );
  return `${[style.strong(escapeForeign(model.id)), ...lines].join('\n')}\n`;
}

function priceTiers(pricing: Pricing): string {
  if (pricing.kind !== 'durations') return priceRule(pricing);
  return pricing.tiers
    .map(
      ({ minSeconds, maxSeconds, microUsd }) =>
        `${formatUsd(microUsd)} for ${minSeconds === maxSeconds ? '' : `${minSeconds}–`}${maxSeconds} s`,
    )
    .join(', ');
}

function priceHeader(durationSeconds: number | undefined): string {
  return durationSeconds === undefined ? 'PRICE' : `COST OF ${durationSeconds} S`;
}

/** Only features that the model declares are shown. */
function abilitiesOf(model: Model): string[] {
  const voices = model.voices?.length ?? 0;
  const able: [boolean | undefined, string][] = [
    [model.supports_lyrics, model.lyrics_required ? 'lyrics (required)' : 'lyrics'],
    [model.supports_lyrics_optimizer, 'writes lyrics'],
    [model.supports_force_instrumental, 'instrumental'],
    [model.supports_loop, 'loop'],
    [voices > 0, `${voices} ${voices === 1 ? 'voice' : 'voices'}`],
    [model.supports_custom_voice_id, 'custom voice'],
    [model.supports_language_code, 'language'],
    [model.supports_speed, speedPhrase(model)],
  ];
  return able.filter(([can]) => can === true).map(([, what]) => what);
}

function speedPhrase(model: Model): string {
  const { min_speed: least, max_speed: most } = model;
  return least === undefined || most === undefined ? 'speed' : `speed ${least}–${most}`;
}

function lengthsOf(model: Model): string {
  if (model.duration_options) return optionsPhrase(model.duration_options);
  const { min_duration: least, max_duration: most } = model;
  if (least !== undefined || most !== undefined) return `${least ?? ''}–${most ?? ''}`;
  return model.default_duration === undefined ? '' : String(model.default_duration);
}

/** `60–210 by 30` if evenly spaced: a list would leave no room for the model's features. */
function optionsPhrase(options: readonly number[]): string {
  const [first, second] = options;
  if (first === undefined || second === undefined || options.length < 3) return options.join('/');
  const step = second - first;
  const even = options.every((option, index) => option === first + index * step);
  return even ? `${first}–${options.at(-1)} by ${step}` : options.join('/');
}

function takesLength(model: Model, seconds: number): boolean {
  if (model.duration_options) return model.duration_options.includes(seconds);
  return seconds >= (model.min_duration ?? 0) && seconds <= (model.max_duration ?? Number.POSITIVE_INFINITY);
}

function promptLimitOf(model: Model): string {
  const { min_prompt_length: least = 0, prompt_character_limit: most } = model;
  if (most === undefined) return '';
  return least > 1 ? `${least}–${most}` : `≤ ${most}`;
}

function priceOf(model: Model, seconds: number | undefined): string {
  if (seconds === undefined) return model.pricing === undefined ? '?' : priceRule(model.pricing);
  const { kind, microUsd } = offerOf(model, seconds);
  switch (kind) {
    case 'length':
      return formatUsd(microUsd);
    case 'characters':
      return priceRule(model.pricing!);
    case 'beyond':
      return '—';
    case 'unknown':
      return '?';
    default:
      return unreachable(kind);
  }
}

/**
 * What the price for one length refers to: that length, narration of that length, or nothing. In order of comparison.
 */
const OFFER_KINDS = ['length', 'characters', 'beyond', 'unknown'] as const;

/** The price for this many seconds, in integer micro-dollars. */
function offerOf(
  model: Model,
  seconds: number,
): { readonly kind: (typeof OFFER_KINDS)[number]; readonly microUsd: number } {
  const { pricing } = model;
  if (pricing?.kind === 'per_thousand_characters') return { kind: 'characters', microUsd: pricing.microUsd };
  if (!takesLength(model, seconds)) return { kind: 'beyond', microUsd: 0 };
  const microUsd = cataloguePrice(model, { model: model.id, duration_seconds: seconds });
  return microUsd === undefined ? { kind: 'unknown', microUsd: 0 } : { kind: 'length', microUsd };
}

/**
 * Compares models from cheap to expensive, by the price that `renderModels` shows for a length in whole seconds.
 * Narration, which is priced per character, is compared separately and comes after those; last come models that do not
 * support this length or have no price.
 */
export function comparePrices(seconds: number): (a: Model, b: Model) => number {
  return (a, b) => {
    const [one, other] = [offerOf(a, seconds), offerOf(b, seconds)];
    const byKind = OFFER_KINDS.indexOf(one.kind) - OFFER_KINDS.indexOf(other.kind);
    return byKind || one.microUsd - other.microUsd || compareIds(a, b);
  };
}

export function compareIds(a: Model, b: Model): number {
  return a.id < b.id ? -1 : 1;
}

function priceRule(pricing: Pricing): string {
  switch (pricing.kind) {
    case 'generation':
      return `${formatUsd(pricing.microUsd)} each`;
    case 'per_second':
      return `${formatUsd(pricing.microUsd)}/s`;
    case 'per_thousand_characters':
      return `${formatUsd(pricing.microUsd)}/1,000 chars`;
    case 'durations': {
      const prices = pricing.tiers.map((tier) => tier.microUsd);
      const [least, most] = [Math.min(...prices), Math.max(...prices)];
      return least === most ? formatUsd(least) : `${formatUsd(least)}–${formatUsd(most)}`;
    }
  }
}

function stateOf(model: Model): string {
  const replacement = model.replacementModelId === undefined ? '' : `, use ${model.replacementModelId}`;
  return [
    ...(model.offline ? ['offline'] : []),
    ...(model.beta ? ['beta'] : []),
    ...(model.voice_changer === true ? ['voice changer'] : []),
    ...(model.deprecationDate === undefined
      ? []
      : [`ends ${model.deprecationDate.slice(0, 10)}${replacement}`]),
  ].join(', ');
}
