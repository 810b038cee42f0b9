import type { CallFailure } from './client.js';

/**
 * What an error response is about if its status alone does not say. Determined from the text, because most error bodies
 * of the API are `{"error": "text"}` without a code.
 * - `unknown_id`: the service does not know the queue id, or no longer has its media;
 * - `no_model`: the model that the request names is not, or no longer, offered; says nothing about a job;
 * - `bad_request`: the request itself is wrong; says nothing about the job it names;
 * - `overloaded`: this one model is busy; the request limit is not the cause;
 * - `blocked`: the key is blocked for a while, because too many of its requests failed;
 * - `wallet_busy`: too many requests of this wallet are in flight;
 * - `offline`: this one model is currently not served;
 * - `job_failed`: the job that the request names has failed;
 * - `access`: the key works, but its account may not use the API, or not from here;
 * - `model_access`: the key works, but not for this model;
 * - `other`: the status decides.
 */
export type Meaning =
  | 'unknown_id'
  | 'no_model'
  | 'bad_request'
  | 'overloaded'
  | 'blocked'
  | 'wallet_busy'
  | 'offline'
  | 'job_failed'
  | 'access'
  | 'model_access'
  | 'other';

type Refusal = Pick<CallFailure, 'status' | 'code' | 'message' | 'invalid' | 'rate'>;

/** Names that the API's error page gives to errors without a code in the body. */
const OVERLOADED = 'MODEL_OVERLOADED';
const WALLET_BUSY = 'X402_CONCURRENCY_LIMIT';
/** Our own name. */
const KEY_BLOCKED = 'KEY_BLOCKED';
const OFFLINE = 'MODEL_OFFLINE';
const AT_CAPACITY = 'MODEL_AT_CAPACITY';

const NAMES_AN_ID = /\b(?:request|queue|job)[ _-]?id\b/i;
const SAYS_UNKNOWN = /\b(?:invalid|unknown|malformed|not (?:a )?valid|not found|not exist)\b/i;
const SAYS_GONE = /\bmedia could not be found\b/i;
const SAYS_BAD_REQUEST = /\bcontent-type\b|\binvalid json\b|\brequest body\b|^invalid request parameters/i;
const SAYS_OVERLOADED = /\boverloaded\b|\bat capacity\b|\btoo busy\b/i;
const SAYS_RATE_LIMIT = /\brate limit|\btoo many\b|\brequest limit/i;
const SAYS_BLOCKED = /\bfailed requests\b/i;
const SAYS_WALLET_BUSY = /^(?!.*\brate limit).*(?:\bconcurren|\bin[ -]flight\b)/i;
const SAYS_OFFLINE = /\boffline\b/i;
const SAYS_NO_MODEL =
  /\bmodel\b[^.]{0,60}\b(?:not found|not available|unavailable|not supported|not exist|retired|deprecated|no longer)\b/i;
const NAMES_MEDIA = /\b(?:media|audio|file)\b/i;
const SAYS_MODEL = /\bmodels?\b/i;
const SAYS_GATEWAY = /\b(?:upstream|gateway|proxy|backend|origin|connection|connect|disconnect|reset)\b/i;
const SAYS_ACCESS = /\bapi access\b|\baccount\b|\bregions?\b|\bcountry\b/i;
const NAMES_WORK = /\b(?:job|task|generat\w+|inference|synthesis|audio|music|song|provider|prompt|lyrics)\b/i;
const SAYS_FAILED =
  /\b(?:fail(?:ed|ure|s)|refused|rejected|declined|could not|cannot|unable|violat\w+|policy|moderat\w+|cancell?ed)\b/i;

/** Decides what an API error response means. */
export function meaningOf(refusal: Refusal): Meaning {
  const { status, code, message } = refusal;
  switch (status) {
    case 400:
      return meaningOf400(refusal);
    case 404:
      return isAboutModel(message) ? 'no_model' : 'unknown_id';
    case 401:
    case 403:
      if (SAYS_MODEL.test(message)) return 'model_access';
      return status === 403 && SAYS_ACCESS.test(message) ? 'access' : 'other';
    case 429:
      return meaningOf429(refusal);
    case 503:
      return code === OFFLINE || SAYS_OFFLINE.test(message) ? 'offline' : 'other';
    default:
      return 'other';
  }
}

function meaningOf400({ message, invalid }: Refusal): Meaning {
  if (invalid === true || SAYS_BAD_REQUEST.test(message)) return 'bad_request';
  const isUnknown = NAMES_AN_ID.test(message) && SAYS_UNKNOWN.test(message);
  if (isUnknown || SAYS_GONE.test(message)) return 'unknown_id';
  if (isAboutModel(message)) return 'no_model';
  return NAMES_WORK.test(message) && SAYS_FAILED.test(message) ? 'job_failed' : 'other';
}

/** Whether a 503 is of a gateway that lost the response of the service, whatever its form. */
export function isOfGateway({ message }: Pick<Refusal, 'message'>): boolean {
  return SAYS_GATEWAY.test(message);
}

/** Whether a 503 is about one model. A gateway that cannot reach the service, or lost its response, does not say so. */
export function isModelBusy({ message }: Pick<Refusal, 'message'>): boolean {
  return SAYS_MODEL.test(message) && (SAYS_OFFLINE.test(message) || SAYS_OVERLOADED.test(message));
}

function isAboutModel(message: string): boolean {
  return SAYS_NO_MODEL.test(message) && !NAMES_AN_ID.test(message) && !NAMES_MEDIA.test(message);
}

function meaningOf429(refusal: Refusal): Meaning {
  const { code, message, rate } = refusal;
  if (rate.errorsRemaining === 0 || SAYS_BLOCKED.test(message)) return 'blocked';
  if (code === WALLET_BUSY || SAYS_WALLET_BUSY.test(message)) return 'wallet_busy';
  return isOverloaded(refusal) ? 'overloaded' : 'other';
}

function saysOverloaded({ code, message }: Refusal): boolean {
  return code === OVERLOADED || SAYS_OVERLOADED.test(message);
}

/** The request limit's own 429 has no `Retry-After` today; an overloaded model's does. */
function isOverloaded(refusal: Refusal): boolean {
  if (saysOverloaded(refusal)) return true;
  const { message, rate } = refusal;
  const isLimit = SAYS_RATE_LIMIT.test(message) || rate.limit !== undefined || rate.remaining !== undefined;
  return rate.retryAfterSeconds !== undefined && !isLimit;
}

/**
 * The code to record for a refusal. A 429 that is not about the requests a minute gets a different code, so that the
 * next run does not mistake it for the request limit.
 */
export function recordedCode(refusal: Refusal): string {
  if (refusal.status !== 429) return refusal.code;
  switch (meaningOf429(refusal)) {
    case 'overloaded':
      return OVERLOADED;
    case 'wallet_busy':
      return WALLET_BUSY;
    case 'blocked':
      return KEY_BLOCKED;
    default:
      return refusal.code;
  }
}

const BLOCK_SECONDS = 30;
const BLOCK_SECONDS_MAX = 300;
const WALLET_BUSY_SECONDS = 5;
const OVERLOADED_SECONDS = 10;

/** The pause, in seconds, that a 429 asks for if it says that it is not about the requests a minute. */
export function pauseSecondsOf(refusal: Refusal): number | undefined {
  const { retryAfterSeconds, errorsResetUnixSeconds: resetAt, dateUnixSeconds: now } = refusal.rate;
  switch (refusal.status === 429 ? meaningOf429(refusal) : 'other') {
    case 'blocked':
      return Math.min(
        BLOCK_SECONDS_MAX,
        retryAfterSeconds ?? (resetAt === undefined || now === undefined ? BLOCK_SECONDS : resetAt - now),
      );
    case 'wallet_busy':
      return retryAfterSeconds ?? WALLET_BUSY_SECONDS;
    case 'overloaded':
      return saysOverloaded(refusal) ? (retryAfterSeconds ?? OVERLOADED_SECONDS) : undefined;
    default:
      return undefined;
  }
}

/** The code to report for a body without one: the error page's name if the text is clear, else `http-<status>`. */
export function codeFor(status: number, message: string): string {
  if (status === 429 && SAYS_OVERLOADED.test(message)) return OVERLOADED;
  if (status === 503 && SAYS_OFFLINE.test(message)) return OFFLINE;
  if (status === 503 && SAYS_OVERLOADED.test(message)) return AT_CAPACITY;
  return `http-${status}`;
}
