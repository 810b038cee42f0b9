import type { CallResult, Queued, RateHeaders } from './client.js';

/** The API's code for a 429 that is about the model, and not about the key's limit. */
export const MODEL_OVERLOADED = 'MODEL_OVERLOADED';
/** The API's code for a 503 that is no matter of minutes. */
export const MODEL_OFFLINE = 'MODEL_OFFLINE';

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
  | {
      readonly kind: 'in_doubt';
      readonly status?: number;
      readonly code: string;
      readonly message: string;
      /** See `CallFailure`: it may be this job's, and is not known to be. */
      readonly queueIdSeen?: string;
    };

export type ClassifySubmit = (result: CallResult<Queued>) => SubmitOutcome;

/** What each status of a refusal means for submitting. A status that is not here says nothing certain about money. */
const REFUSALS: ReadonlyMap<number | undefined, 'wait' | 'stop' | 'reject'> = new Map([
  [400, 'reject'],
  [401, 'stop'],
  [402, 'stop'],
  [403, 'stop'],
  [404, 'reject'],
  [413, 'reject'],
  [415, 'reject'],
  [422, 'reject'],
  [429, 'wait'],
  [503, 'wait'],
]);

/**
 * The outcome of `POST /audio/queue`. Only two things are safe: certainly nothing was sent, or the API itself said
 * no with a status that is known to come before any charge. A 200 without a usable id, an error page of a proxy,
 * a 500, a reset: all are in doubt.
 */
export const classifySubmit: ClassifySubmit = (result) => {
  if (result.ok) return { kind: 'accepted', queued: result.value };
  const { code, message, status, rate } = result;
  if (result.kind === 'no_answer' && !result.sent) return { kind: 'not_sent', code, message };
  const then = result.kind === 'refused' ? REFUSALS.get(status) : undefined;
  if (then === undefined || status === undefined) {
    return {
      kind: 'in_doubt',
      code,
      message,
      ...(status === undefined ? {} : { status }),
      ...(result.queueIdSeen === undefined ? {} : { queueIdSeen: result.queueIdSeen }),
    };
  }
  return {
    kind: 'refused',
    then,
    status,
    code,
    message,
    rate,
    ...(result.suggestedPrompt === undefined ? {} : { suggestedPrompt: result.suggestedPrompt }),
  };
};
