import type { CallFailure, CallResult, Retrieved } from './client.js';
import { isModelBusy, meaningOf } from './meaning.js';

/** The service says that a job failed. Its text is untrusted. */
export interface JobFailure {
  /** Absent if a 200 said so. */
  readonly status?: number;
  readonly code: string;
  readonly message: string;
  readonly suggestedPrompt?: string;
  readonly creditsRefunded?: boolean;
}

/**
 * Refused whatever the request was: for the key (`key`), for the key with this model (`model`), or because the balance
 * is too low (`balance`; a wallet needs a minimum for every request).
 */
export interface Refused {
  readonly kind: 'refused';
  readonly about: 'key' | 'model' | 'balance';
  readonly failure: CallFailure;
}

/** Decides what a response to `POST /audio/retrieve` means for the job. */
export type RetrieveOutcome =
  | (Retrieved & { readonly kind: 'running' | 'audio' })
  | { readonly kind: 'failed'; readonly failure: JobFailure }
  /** A failed job or a temporary fault: a failed job if it is repeated past the expected time. */
  | { readonly kind: 'maybe_failed'; readonly failure: JobFailure }
  /**
   * The id or its media is unknown. One such response proves nothing. `unclear`: only the status says so, and a gateway
   * may have sent it.
   */
  | { readonly kind: 'unknown_id'; readonly status: number; readonly unclear?: CallFailure }
  /** Says nothing about the job. */
  | Refused
  /** Says nothing about the job. */
  | { readonly kind: 'ask_again'; readonly failure: CallFailure };

/**
 * Interprets every response to a retrieve, by status and meaning. Source: the API's documentation and clients'
 * observations.
 */
export function classifyRetrieve(result: CallResult<Retrieved>): RetrieveOutcome {
  if (result.ok) {
    const { value } = result;
    return value.kind === 'failed' ? { kind: 'failed', failure: value } : value;
  }
  if (result.kind !== 'refused') return { kind: 'ask_again', failure: result };
  const failure: JobFailure = result;
  const { status, plain } = result;
  const meaning = meaningOf(result);
  // Who says that the money came back says that the job has failed.
  if (result.creditsRefunded === true) return { kind: 'failed', failure };
  if (meaning === 'unknown_id' && status !== undefined)
    return { kind: 'unknown_id', status, ...(plain && status === 404 ? { unclear: result } : {}) };
  switch (status) {
    case 400:
      if (meaning === 'bad_request' || meaning === 'no_model') return { kind: 'ask_again', failure: result };
      if (plain && meaning !== 'job_failed') return { kind: 'unknown_id', status, unclear: result };
      return { kind: 'failed', failure };
    case 401:
    case 402:
    case 403:
      return refusedAccess(result);
    case 422:
      return { kind: 'failed', failure };
    case 500:
      return { kind: 'maybe_failed', failure };
    case 503:
      // A gateway says 503 while the service is down.
      return plain && !isModelBusy(result)
        ? { kind: 'ask_again', failure: result }
        : { kind: 'maybe_failed', failure };
    default:
      return { kind: 'ask_again', failure: result };
  }
}

/**
 * For 401, 402 and 403. One model's 403 does not mean that the key is bad, unless its text is about the account. A 401
 * does, unless its text is about the model.
 */
export function refusedAccess(failure: CallFailure): Refused {
  if (failure.status === 402) return { kind: 'refused', about: 'balance', failure };
  const meaning = meaningOf(failure);
  const isModel = failure.status === 403 ? meaning !== 'access' : meaning === 'model_access';
  return { kind: 'refused', about: isModel ? 'model' : 'key', failure };
}

/** What says that a failed job was refunded: the response itself (`told`), or the API's documentation. */
export type RefundBasis = 'told' | 'documented';

/** The moment of a response. Only the service's clock decides when its day ends. */
export interface ResponseTime {
  /** By this machine's clock. */
  readonly nowMs: number;
  /** By the service's clock, if it is known. */
  readonly serviceMs: number;
}

/**
 * Whether a failed job was refunded. According to the documentation, every failure that retrieve reports as an HTTP
 * error is, except a charge in DIEM on an earlier UTC day. The response does not say which balance paid, so a charge of
 * an earlier day is assumed to stay.
 *
 * @param submittedMs by this machine's clock; one in the future tells nothing
 * @returns `undefined` if it stays charged
 */
export function refundBasis(
  { status, creditsRefunded }: JobFailure,
  submittedMs: number,
  { nowMs, serviceMs }: ResponseTime,
): RefundBasis | undefined {
  if (creditsRefunded !== undefined) return creditsRefunded ? 'told' : undefined;
  const sinceMs = nowMs - submittedMs;
  const isToday = sinceMs >= 0 && utcDay(serviceMs - sinceMs) === utcDay(serviceMs);
  return status !== undefined && isToday ? 'documented' : undefined;
}

function utcDay(ms: number): number {
  return Math.floor(ms / 86_400_000);
}
