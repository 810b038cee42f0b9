import { formatUsd } from '../money.js';
import { cataloguePrice } from '../plan/price.js';
import type { Model, Pricing } from '../venice/model.js';
import { styleFor } from './style.js';
import { type Column, renderTable } from './table.js';

export interface ModelsOptions {
  /** Whole seconds: the price shown is that of this length. */
  readonly durationSeconds?: number;
  readonly color: boolean;
  readonly width: number;
}

/** The catalogue as a person chooses from it, a line a model, with its line ends. */
export function renderModels(models: Iterable<Model>, options: ModelsOptions): string {
  const style = styleFor(options.color);
  const listed = [...models];
  const states = listed.map(stateOf);
  const columns: Column[] = [
    // Whole, to be pasted into a manifest: the longest id there is has 30 characters.
    { header: 'MODEL', widthMin: 30, paint: (cell) => style.strong(cell) },
    { header: priceHeader(options.durationSeconds), widthMin: 8 },
    { header: 'SECONDS', widthMin: 7 },
    { header: 'CAN', widthMin: 12, optional: true },
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
  const lines = renderTable(columns, rows, {
    width: options.width,
    paintHeader: (text) => style.faint(text),
  });
  return `${lines.join('\n')}\n`;
}

function priceHeader(durationSeconds: number | undefined): string {
  return durationSeconds === undefined ? 'PRICE' : `${durationSeconds} S COST`;
}

/** What the model declares that it can; what it does not declare is not told. */
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
  if (model.duration_options) return model.duration_options.join('/');
  const { min_duration: least, max_duration: most } = model;
  if (least !== undefined || most !== undefined) return `${least ?? ''}–${most ?? ''}`;
  return model.default_duration === undefined ? '' : String(model.default_duration);
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
  if (seconds === undefined || model.pricing?.kind === 'per_thousand_characters')
    return model.pricing === undefined ? '?' : priceRule(model.pricing);
  if (!takesLength(model, seconds)) return '—';
  const price = cataloguePrice(model, { model: model.id, duration_seconds: seconds });
  return price === undefined ? '?' : formatUsd(price);
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
    ...(model.deprecationDate === undefined
      ? []
      : [`ends ${model.deprecationDate.slice(0, 10)}${replacement}`]),
  ].join(', ');
}
