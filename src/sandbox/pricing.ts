import { microUsdFromUsd } from '../core/money.js';
import type { SandboxModel } from './sandbox-model.js';

/** What a price depends on. */
export interface Priced {
  readonly durationSeconds?: number;
  /** UTF-16 units, the way of counting that gives the most. */
  readonly characters?: number;
  /** Factor on the catalogue's price: a mark-up or a discount. Default 1. */
  readonly factor?: number;
}

/**
 * The cost of one generation in integer micro-dollars, rounded up.
 *
 * @returns `undefined` if something that the price depends on is missing, or has no price
 */
export function priceMicroUsd(model: SandboxModel, about: Priced): number | undefined {
  const { pricing, default_duration } = model.spec;
  const seconds = about.durationSeconds ?? default_duration ?? model.reservedSeconds;
  const factor = (about.factor ?? 1) * (model.priceFactor ?? 1);
  if ('generation' in pricing) return times(pricing.generation.usd, factor);
  if ('per_second' in pricing) return times(pricing.per_second.usd, seconds, factor);
  if ('per_thousand_characters' in pricing) {
    const { characters } = about;
    return times(
      pricing.per_thousand_characters.usd,
      characters === undefined ? undefined : characters / 1_000,
      factor,
    );
  }
  const tier = Object.values(pricing.durations).find(
    ({ min_seconds, max_seconds }) =>
      seconds !== undefined && seconds >= min_seconds && seconds <= max_seconds,
  );
  return tier === undefined ? undefined : times(tier.usd, factor);
}

function times(usd: number, units: number | undefined, factor = 1): number | undefined {
  return units === undefined ? undefined : microUsdFromUsd(usd * units * factor);
}
