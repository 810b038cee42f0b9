import type { Clock } from '../core/ports.js';
import type { QuotedPrice } from '../plan/plan.js';
import type { CallFailure, CallResult, VeniceClient } from '../venice/client.js';

/** An older quote is requested again before the submit. */
const QUOTE_AGE_MS_MAX = 10 * 60_000;

/** The newest price of each quote. Requests a stale one again, once for all callers. */
export interface Prices {
  /** Integer micro-dollars, at most ten minutes old, or why it could not be fetched. */
  current(quote: QuotedPrice): Promise<number | CallFailure>;
  /** Whether the newest price is still recent: the process may have been stopped since it was fetched. */
  isFresh(quote: QuotedPrice): boolean;
}

export function createPrices(
  client: VeniceClient,
  clock: Clock,
  answered: (model: string, result: CallResult<number>) => void,
): Prices {
  const newest = new Map<string, { microUsd: number; quotedAtMs: number }>();
  const asking = new Map<string, Promise<number | CallFailure>>();

  async function ask(quote: QuotedPrice): Promise<number | CallFailure> {
    const { model, duration_seconds, character_count } = quote;
    const result = await client.quote({
      model,
      ...(duration_seconds === undefined ? {} : { duration_seconds }),
      ...(character_count === undefined ? {} : { character_count }),
    });
    answered(model, result);
    asking.delete(quote.key);
    if (!result.ok) return result;
    newest.set(quote.key, { microUsd: result.value, quotedAtMs: clock.nowMs() });
    return result.value;
  }

  const newestOf = (quote: QuotedPrice) => newest.get(quote.key) ?? quote;
  const isFresh = (quote: QuotedPrice) => clock.nowMs() - newestOf(quote).quotedAtMs <= QUOTE_AGE_MS_MAX;

  return {
    isFresh,
    async current(quote) {
      if (isFresh(quote)) return newestOf(quote).microUsd;
      const pending = asking.get(quote.key) ?? ask(quote);
      asking.set(quote.key, pending);
      return pending;
    },
  };
}
