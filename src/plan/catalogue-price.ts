import type { AudioRequest } from '../core/audio-request.js';
import { unreachable } from '../core/errors.js';
import type { QuoteQuery } from '../venice/client.js';
import type { Model, PriceTier } from '../venice/model.js';
import type { Saving } from './plan.js';

/** Inputs that determine a price. Equal keys have equal prices. */
export interface KeyedQuery extends QuoteQuery {
  readonly key: string;
}

/** How much shorter a track may become for a suggested saving, as a share of its length. */
const CUT_SHARE_MAX = 0.1;

/**
 * The `/audio/quote` query for a request. Characters are those of the prompt, the text that is spoken, counted in
 * UTF-16 units: no other way of counting gives more, so the price is never quoted too low.
 */
export function quoteQuery(request: AudioRequest, model: Model): KeyedQuery {
  const spoken = model.pricing?.kind === 'per_thousand_characters';
  const { model: id, duration_seconds } = request;
  const character_count = spoken ? request.prompt.length : undefined;
  return {
    key: JSON.stringify([id, duration_seconds ?? null, character_count ?? null]),
    model: id,
    ...(duration_seconds === undefined ? {} : { duration_seconds }),
    ...(character_count === undefined ? {} : { character_count }),
  };
}

/**
 * The catalogue's price in integer micro-dollars, rounded up. `undefined` if the catalogue has none: no price, no
 * length, or a length beyond every tier.
 */
export function cataloguePrice(model: Model, query: QuoteQuery): number | undefined {
  const { pricing } = model;
  const seconds = query.duration_seconds ?? model.default_duration;
  switch (pricing?.kind) {
    case undefined:
      return undefined;
    case 'generation':
      return pricing.microUsd;
    case 'per_second':
      return seconds === undefined ? undefined : Math.ceil(pricing.microUsd * seconds);
    case 'per_thousand_characters': {
      const characters = query.character_count;
      return characters === undefined ? undefined : Math.ceil((pricing.microUsd * characters) / 1000);
    }
    case 'durations':
      return seconds === undefined ? undefined : tierOf(pricing.tiers, seconds)?.microUsd;
    default:
      return unreachable(pricing);
  }
}

/**
 * The least that the catalogue declares for any request to this model, in integer micro-dollars. `undefined` if it
 * declares no price.
 */
function lowestPrice({ pricing, min_duration, duration_options }: Model): number | undefined {
  switch (pricing?.kind) {
    case undefined:
      return undefined;
    case 'generation':
      return pricing.microUsd;
    case 'per_second':
      return Math.ceil(pricing.microUsd * Math.min(min_duration ?? 1, ...(duration_options ?? [])));
    case 'per_thousand_characters':
      return Math.ceil(pricing.microUsd / 1000);
    case 'durations':
      return Math.min(...pricing.tiers.map(({ microUsd }) => microUsd));
    default:
      return unreachable(pricing);
  }
}

/** The catalogue's price, or, if it has none for this request, the least possible one. */
export function declaredPrice(model: Model, query: QuoteQuery): number | undefined {
  return cataloguePrice(model, query) ?? lowestPrice(model);
}

/**
 * A quote below this share of the declared price is not a discount but probably a mistake, and the declared price is
 * charged.
 */
const DISCOUNT_SHARE_MIN = 0.5;

/** Where no price is declared, nothing that can be made costs less. */
const UNDECLARED_MICRO_USD_MIN = 1_000;

/**
 * Whether a quoted price is implausibly low: 0, less than half of what is declared, or, if nothing is declared, next to
 * nothing. Budget and ceiling count quoted prices, so such a price would disable both. Both amounts in integer
 * micro-dollars.
 */
export function isSuspiciouslyLow(quotedMicroUsd: number, declaredMicroUsd: number | undefined): boolean {
  if (declaredMicroUsd === undefined) return quotedMicroUsd < UNDECLARED_MICRO_USD_MIN;
  return quotedMicroUsd === 0 || quotedMicroUsd < declaredMicroUsd * DISCOUNT_SHARE_MIN;
}

function tierOf(tiers: readonly PriceTier[], seconds: number): PriceTier | undefined {
  return tiers.find((tier) => seconds >= tier.minSeconds && seconds <= tier.maxSeconds);
}

/**
 * If a length is billed as a longer one: a length at most a tenth shorter that the model supports and that falls in the
 * next cheaper tier.
 */
export function spotSavings(request: AudioRequest, model: Model): Saving | undefined {
  const seconds = request.duration_seconds;
  if (seconds === undefined || model.pricing?.kind !== 'durations') return undefined;
  const { tiers } = model.pricing;
  const tier = tierOf(tiers, seconds);
  // A length that is exactly the end of its tier gets all it pays for.
  if (tier === undefined || tier.maxSeconds <= seconds) return undefined;
  const options = model.duration_options ?? [];
  const cheaper = tiers
    .filter((other) => other.microUsd < tier.microUsd && other.maxSeconds < seconds)
    .map((other) => ({ other, insteadSeconds: longestIn(other, model.min_duration ?? 1, options) }))
    .filter(
      ({ insteadSeconds }) => insteadSeconds !== undefined && insteadSeconds >= seconds * (1 - CUT_SHARE_MAX),
    )
    .at(-1);
  if (cheaper?.insteadSeconds === undefined) return undefined;
  return {
    seconds,
    billedSeconds: tier.maxSeconds,
    insteadSeconds: cheaper.insteadSeconds,
    microUsd: tier.microUsd - cheaper.other.microUsd,
  };
}

/** The longest length in a tier that the model supports. */
function longestIn(tier: PriceTier, least: number, options: readonly number[]): number | undefined {
  if (options.length === 0) return tier.maxSeconds >= least ? tier.maxSeconds : undefined;
  const within = options.filter((option) => option >= tier.minSeconds && option <= tier.maxSeconds);
  return within.length === 0 ? undefined : Math.max(...within);
}
