import type { CallResult, Queued, RateHeaders } from './client.js';

/** What a submission came to, in terms of money. */
export type SubmitOutcome =
  /** Certainly nothing left this machine: sending again is safe. */
  | { readonly kind: 'not_sent'; readonly code: string; readonly message: string }
  /** Not charged. `then`: `wait` = 429/503, try again after a pause; `stop` = 401/402/403, no submit can succeed; `reject` = this track cannot be made. */
  | {
      readonly kind: 'refused';
      readonly then: 'wait' | 'stop' | 'reject';
      readonly status: number;
      readonly code: string;
      readonly message: string;
      readonly suggestedPrompt?: string;
      readonly rate: RateHeaders;
    }
  | { readonly kind: 'accepted'; readonly queued: Queued }
  /** May or may not have been charged: never to be sent again on a guess. */
  | { readonly kind: 'in_doubt'; readonly status?: number; readonly code: string; readonly message: string };

export type ClassifySubmit = (result: CallResult<Queued>) => SubmitOutcome;
