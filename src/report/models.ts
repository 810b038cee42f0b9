import { unreachable } from '../core/errors.js';
import { formatUsd } from '../core/money.js';
import { cataloguePrice } from '../plan/price.js';
import type { Model, Pricing } from '../venice/model.js';
import { escapeForeign } from './escape.js';
import { styleFor } from './style.js';
import { type Column, renderTable, TABLE_WIDTH_MIN } from './table.js';
import { wrap } from './width.js';

export interface ModelsOptions {
  /** Whole seconds: the price shown is that of this length. */
  readonly durationSeconds?: number;
  readonly color: boolean;
  readonly width: number;
}

/** From here on an id, a price and a length have room beside each other. */
const WIDTH_WHOLE = 65;

/** The catalogue as a person chooses from it, a line a model, with its line ends. */
export function renderModels(models: Iterable<Model>, options: ModelsOptions): string {
  const style = styleFor(options.color);
  const listed = [...models];
  const states = listed.map(stateOf);
  // Beside a whole id there is no room for a whole price then.
  const narrowed = (widthMin: number) => (options.width < WIDTH_WHOLE ? { widthMin } : {});
  const columns: Column[] = [
    // Whole, to be pasted into a manifest: the longest id there is has 30 characters.
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
  return `${[...lines, ...hiddenLines(hidden, options.width)].join('\n')}\n`;
}

function hiddenLines(hidden: readonly string[], width: number): readonly string[] {
  if (hidden.length === 0) return [];
  const names = hidden.length === 1 ? `column ${hidden[0]}` : `columns ${hidden.join(', ')}`;
  const shown = `Hidden at this width: ${names}. Widen the terminal, or show one model in full: venice-batch models MODEL`;
  return ['', ...wrap(shown, Math.max(TABLE_WIDTH_MIN, width))];
}

/** All that the catalogue tells of one model, a line a fact, with line ends. */
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
  return durationSeconds === undefined ? 'PRICE' : `${durationSeconds} S COST`;
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

/** `60–210 by 30` where they are evenly apart: a list of them would leave no room for what the model can. */
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

/** What a price of one length may be: the length's own, that of so much narration, or none. In the order of a comparison. */
const OFFER_KINDS = ['length', 'characters', 'beyond', 'unknown'] as const;

/** What is asked for so many seconds, integer micro-dollars. */
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
 * The order from cheap to dear of what `renderModels` shows for a length, whole seconds. Narration, which is paid by
 * the character, has an order of its own after those; last come models that do not make this length, or tell no price.
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
