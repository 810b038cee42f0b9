import type { CallFailure } from './client.js';

/**
 * What an error answer is about if its status alone does not say. Determined from the text, because most error bodies
 * of the API are `{"error": "text"}` without a code.
 * - `unknown_id`: the service does not know the queue id, or no longer has its media;
 * - `bad_request`: the request itself is wrong; says nothing about the job it names;
 * - `overloaded`: this one model is busy; the request limit is not the cause;
 * - `offline`: this one model is currently not served;
 * - `model_access`: the key works, but not for this model;
 * - `other`: the status decides.
 */
export type Meaning = 'unknown_id' | 'bad_request' | 'overloaded' | 'offline' | 'model_access' | 'other';

type Refusal = Pick<CallFailure, 'status' | 'code' | 'message' | 'invalid' | 'rate'>;

/** Names that the API's error page gives to errors without a code in the body. */
export const OVERLOADED = 'MODEL_OVERLOADED';
const OFFLINE = 'MODEL_OFFLINE';
const AT_CAPACITY = 'MODEL_AT_CAPACITY';

const NAMES_AN_ID = /\b(?:request|queue|job)[ _-]?id\b/i;
const SAYS_UNKNOWN = /\b(?:invalid|unknown|not found|not exist)\b/i;
const SAYS_GONE = /\bmedia could not be found\b/i;
const SAYS_BAD_REQUEST = /\bcontent-type\b|\binvalid json\b|\brequest body\b|^invalid request parameters/i;
const SAYS_OVERLOADED = /\boverloaded\b|\bat capacity\b|\btoo busy\b/i;
const SAYS_RATE_LIMIT = /\brate limit|\btoo many\b|\brequest limit/i;
const SAYS_OFFLINE = /\boffline\b/i;
const SAYS_MODEL = /\bmodels?\b/i;

/** Decides what an API error response means. */
export function meaningOf(refusal: Refusal): Meaning {
  const { status, code, message } = refusal;
  switch (status) {
    case 400:
      return meaningOf400(refusal);
    case 404:
      return 'unknown_id';
    case 401:
    case 403:
      return SAYS_MODEL.test(message) ? 'model_access' : 'other';
    case 429:
      return isOverloaded(refusal) ? 'overloaded' : 'other';
    case 503:
      return code === OFFLINE || SAYS_OFFLINE.test(message) ? 'offline' : 'other';
    default:
      return 'other';
  }
}

function meaningOf400({ message, invalid }: Refusal): Meaning {
  if (invalid === true || SAYS_BAD_REQUEST.test(message)) return 'bad_request';
  const isUnknown = NAMES_AN_ID.test(message) && SAYS_UNKNOWN.test(message);
  return isUnknown || SAYS_GONE.test(message) ? 'unknown_id' : 'other';
}

/** The request limit's own 429 has no `Retry-After` today; an overloaded model's does. */
function isOverloaded({ code, message, rate }: Refusal): boolean {
  if (code === OVERLOADED || SAYS_OVERLOADED.test(message)) return true;
  const isLimit = SAYS_RATE_LIMIT.test(message) || rate.limit !== undefined || rate.remaining !== undefined;
  return rate.retryAfterSeconds !== undefined && !isLimit;
}

/** The code to report for a body without one: the error page's name if the text is clear, else `http-<status>`. */
export function codeFor(status: number, message: string): string {
  if (status === 429 && SAYS_OVERLOADED.test(message)) return OVERLOADED;
  if (status === 503 && SAYS_OFFLINE.test(message)) return OFFLINE;
  if (status === 503 && SAYS_OVERLOADED.test(message)) return AT_CAPACITY;
  return `http-${status}`;
}
