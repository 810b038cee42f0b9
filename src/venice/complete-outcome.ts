import type { CallFailure, CallResult } from './client.js';
import { meaningOf } from './meaning.js';
import { type Refused, refusedAccess } from './retrieve-outcome.js';

/** Decides what a response to `POST /audio/complete` means for the remote copy. */
export type CompleteOutcome =
  | { readonly kind: 'deleted' }
  /** The service answered that it did not delete it: call again later. */
  | { readonly kind: 'not_deleted' }
  /** There is nothing to delete, as far as this key can see. */
  | { readonly kind: 'unknown_id' }
  | Refused
  | { readonly kind: 'ask_again'; readonly failure: CallFailure };

/** Interprets every response to a clean-up, by status and meaning. */
export function classifyComplete(result: CallResult<boolean>): CompleteOutcome {
  if (result.ok) return { kind: result.value ? 'deleted' : 'not_deleted' };
  if (result.kind !== 'refused') return { kind: 'ask_again', failure: result };
  if (meaningOf(result) === 'unknown_id' || result.status === 404 || result.status === 410)
    return { kind: 'unknown_id' };
  switch (result.status) {
    case 401:
    case 402:
    case 403:
      return refusedAccess(result);
    default:
      return { kind: 'ask_again', failure: result };
  }
}
