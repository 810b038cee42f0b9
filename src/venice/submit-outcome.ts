import type { RateHeaders } from '../core/rate-headers.js';
import type { CallFailure, CallResult, Queued } from './client.js';
import { isModelBusy, isOfGateway, type Meaning, meaningOf, recordedCode } from './meaning.js';

/**
 * What a refusal means for further submits:
 * - `wait`: try this take again after a pause;
 * - `reject`: this take cannot be made as it is;
 * - `close_model`: the key cannot use this model; other models may work;
 * - `stop`: no submit can succeed.
 */
export type AfterRefusal = 'wait' | 'reject' | 'close_model' | 'stop';

/** Result of a submit in terms of money. */
export type SubmitOutcome =
  /** Certainly nothing left this machine: sending again is safe. */
  | { readonly kind: 'not_sent'; readonly code: string; readonly message: string }
  /** Not charged. */
  | {
      readonly kind: 'refused';
      readonly next: AfterRefusal;
      readonly status: number;
      readonly meaning: Meaning;
      readonly code: string;
      readonly message: string;
      readonly suggestedPrompt?: string;
      readonly rate: RateHeaders;
    }
  | { readonly kind: 'accepted'; readonly queued: Queued }
  /** May have been charged: never sent again on a guess. */
  | {
      readonly kind: 'in_doubt';
      readonly status?: number;
      readonly code: string;
      readonly message: string;
      /** See `CallFailure`: it may belong to this job, but that is not known. */
      readonly queueIdSeen?: string;
    };

export type ClassifySubmit = (result: CallResult<Queued>) => SubmitOutcome;

/**
 * Statuses with which the API is documented to refuse before any charge. Any other status (409, 451, …) says nothing
 * certain about money.
 */
const REFUSALS: ReadonlyMap<number | undefined, AfterRefusal> = new Map([
  [400, 'reject'],
  [401, 'stop'],
  [402, 'stop'],
  [403, 'close_model'],
  [404, 'reject'],
  [410, 'reject'],
  [413, 'reject'],
  [415, 'reject'],
  [422, 'reject'],
  [429, 'wait'],
  [503, 'wait'],
]);

/**
 * The outcome of `POST /audio/queue`. Only two results are certain: nothing was sent, or the API itself refused with a
 * status that is known to precede any charge. A 200 without a usable id, a proxy's error page, a 500, a reset: all are
 * in doubt.
 */
export const classifySubmit: ClassifySubmit = (result) => {
  if (result.ok) return { kind: 'accepted', queued: result.value };
  const { code, message, status, rate } = result;
  if (result.kind === 'no_answer' && !result.sent) return { kind: 'not_sent', code, message };
  // A response that names a job is no plain refusal, whatever its status.
  const namesJob = result.queueIdSeen !== undefined;
  const next = isRefusal(result) && !namesJob ? REFUSALS.get(status) : undefined;
  if (next === undefined || status === undefined) {
    return {
      kind: 'in_doubt',
      code,
      message,
      ...(status === undefined ? {} : { status }),
      ...(result.queueIdSeen === undefined ? {} : { queueIdSeen: result.queueIdSeen }),
    };
  }
  const meaning = meaningOf(result);
  return {
    kind: 'refused',
    next: afterAccess(meaning) ?? next,
    status,
    meaning,
    code: recordedCode(result),
    message,
    rate,
    ...(result.suggestedPrompt === undefined ? {} : { suggestedPrompt: result.suggestedPrompt }),
  };
};

/** For 401 and 403, the text says whether it is about one model. */
function afterAccess(meaning: Meaning): AfterRefusal | undefined {
  if (meaning === 'model_access') return 'close_model';
  return meaning === 'access' ? 'stop' : undefined;
}

/**
 * Whether the request was refused, or stopped on its way. A gateway may say 503 because it lost the response: in plain
 * words it counts only if it is about the model. Those who inspect responses, and withhold them, answer with a page.
 */
function isRefusal(result: CallFailure): boolean {
  const { kind, status, plain } = result;
  // A rate-limiting CDN answers with its own page: the request was not passed on.
  if (kind !== 'refused') return kind === 'unusable' && status === 429;
  return status !== 503 || isModelBusy(result) || (plain !== true && !isOfGateway(result));
}
