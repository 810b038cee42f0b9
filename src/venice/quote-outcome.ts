import type { CallFailure } from './client.js';
import { meaningOf } from './meaning.js';
import { refusedAccess } from './retrieve-outcome.js';

/**
 * What a price that was not quoted means for further requests:
 * - `key`: every price is refused;
 * - `model_refused`: this key may not use the model; other models may work;
 * - `model_gone`: the model is not, or no longer, offered; other models may work;
 * - `request`: the request is wrong;
 * - `service`: nothing was refused, or only for now.
 */
export type NoQuote = 'key' | 'model_refused' | 'model_gone' | 'request' | 'service';

export function classifyNoQuote(failure: CallFailure): NoQuote {
  if (failure.kind !== 'refused') return 'service';
  switch (failure.status) {
    case 401:
    case 403:
      return refusedAccess(failure).about === 'model' ? 'model_refused' : 'key';
    case 404:
    case 410:
      return 'model_gone';
    case 400:
      return meaningOf(failure) === 'no_model' ? 'model_gone' : 'request';
    case 422:
      return 'request';
    default:
      return 'service';
  }
}

/** Whether every price of the model is refused, but perhaps not those of other models. */
export function isOfModel(failure: CallFailure): boolean {
  const why = classifyNoQuote(failure);
  return why === 'model_refused' || why === 'model_gone';
}
