import { emitNotice } from '../core/emit-notice.js';
import { formatUsd } from '../core/money.js';
import { isSuspiciouslyLow } from '../plan/catalogue-price.js';
import type { Settled } from '../scheduler/scheduler.js';
import type { CallFailure } from '../venice/client.js';
import { classifyNoQuote } from '../venice/quote-outcome.js';
import { isLasting } from './again.js';
import { closeModel } from './close-model.js';
import type { Job, RunContext } from './context.js';
import { stopBuying } from './context.js';
import { stopRefused, stopUnreachable } from './stop-submits.js';

const TRIES_MAX = 9;
const PAUSE_MS = 5_000;

const GONE: Settled = { kind: 'gone' };

/**
 * The approved price while it is recent, otherwise the current price. A higher one ends all buying. An implausibly low
 * one changes nothing: the approved price stays reserved.
 */
export async function currentPrice(context: RunContext, job: Job): Promise<number | Settled> {
  const quote = job.purchase?.quote;
  if (quote === undefined) return GONE;
  const priceMicroUsd = await context.prices.current(quote);
  if (typeof priceMicroUsd !== 'number') return afterNoPrice(context, job, quote.model, priceMicroUsd);
  if (isSuspiciouslyLow(priceMicroUsd, quote.microUsd)) return quote.microUsd;
  if (priceMicroUsd <= quote.microUsd) return priceMicroUsd;
  if (!context.stopReasons.has('price_rose'))
    emitNotice(
      context,
      'error',
      'price-rose',
      `the price of ${quote.model} rose from ${formatUsd(quote.microUsd)} to ${formatUsd(priceMicroUsd)} since it was approved: nothing more is submitted`,
      'run the same command again to see and approve the new total',
    );
  stopBuying(context, 'price_rose');
  return GONE;
}

/** What would refuse the submit ends it now. Only trouble that may pass is worth another request. */
function afterNoPrice(context: RunContext, job: Job, model: string, failure: CallFailure): Settled {
  const what = `could not fetch the price of ${model}: ${failure.message}`;
  if (!isLasting(failure)) {
    job.failures += 1;
    if (job.failures < TRIES_MAX)
      return { kind: 'again', notBeforeMs: context.ports.clock.nowMs() + PAUSE_MS };
    stopUnreachable(context, `${what}, several times in a row`);
    return GONE;
  }
  switch (classifyNoQuote(failure)) {
    case 'model_refused':
      closeModel(context, model, 'refused', failure);
      break;
    case 'key':
      stopRefused(context, failure);
      break;
    case 'model_gone':
      closeModel(context, model, 'retired', failure);
      break;
    default:
      stopUnreachable(context, what);
  }
  return GONE;
}
