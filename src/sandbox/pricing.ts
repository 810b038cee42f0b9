import { microUsdFromUsd } from '../money.js';
import type { SandboxModel } from './model.js';

/** What a price depends on. */
export interface Priced {
  readonly durationSeconds?: number;
  /** UTF-16 units: of the ways to count the dearest. */
  readonly characters?: number;
}

/**
 * What one generation costs, integer micro-dollars, a fraction rounded up.
 *
 * @returns `undefined` where something that the price depends on is missing, or has no price
 */
export function priceMicroUsd(model: SandboxModel, about: Priced): number | undefined {
  const { pricing, default_duration } = model.spec;
  const seconds = about.durationSeconds ?? default_duration;
  if ('generation' in pricing) return microUsdFromUsd(pricing.generation.usd);
  if ('per_second' in pricing) return times(pricing.per_second.usd, seconds);
  if ('per_thousand_characters' in pricing) {
    const { characters } = about;
    return times(
      pricing.per_thousand_characters.usd,
      characters === undefined ? undefined : characters / 1_000,
    );
  }
  const tier = Object.values(pricing.durations).find(
    ({ min_seconds, max_seconds }) =>
      seconds !== undefined && seconds >= min_seconds && seconds <= max_seconds,
  );
  return microUsdFromUsd(tier?.usd);
}

function times(usd: number, units: number | undefined): number | undefined {
  return units === undefined ? undefined : microUsdFromUsd(usd * units);
}
