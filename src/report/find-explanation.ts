import { closest } from '../core/closest.js';
import { CODE_GROUPS } from '../core/codes.js';
import { EXIT } from '../core/errors.js';
import type { TakeEvent } from '../core/events.js';
import type { AttemptState } from '../lockfile/attempt.js';

/** States of a take, as displayed. */
const STATES = [
  'new',
  'changed',
  'left-out',
  'intent',
  'submitting',
  'waiting',
  'running',
  'downloading',
  'queued',
  'stored',
  'held',
  'done',
  'rejected',
  'failed',
  'lost',
  'unverified',
  'in-doubt',
  'missing',
  'elsewhere',
] as const satisfies readonly StateName[];

type StateName =
  | Exclude<AttemptState | TakeEvent['state'], 'in_doubt'>
  | 'in-doubt'
  | 'held'
  | 'new'
  | 'changed'
  | 'left-out';

/** Pages for groups of codes that come from the system, the network or the service. */
const FAMILIES = ['connection', 'http-other', 'x402-sign-in', 'service-code', 'other'] as const;

const EXIT_CODES = Object.values(EXIT).map((code) => `exit-${code}`);

/** All pages by file name, in the groups and the order in which `explain` lists them. */
export const PAGE_GROUPS: Readonly<Record<string, readonly string[]>> = {
  ...CODE_GROUPS,
  'The states of a take': STATES,
  'Other codes, from the system, the network or the service': FAMILIES,
  'Exit codes': ['exit-codes', ...EXIT_CODES],
};
export const PAGES: readonly string[] = Object.values(PAGE_GROUPS).flat();

/** Documented codes of the service, each with the code that explains it. */
const SERVICE_WORDS: Readonly<Record<string, string>> = {
  INSUFFICIENT_BALANCE: 'http-402',
  API_KEY_USD_SPEND_LIMIT_EXCEEDED: 'http-402',
  API_KEY_DIEM_SPEND_LIMIT_EXCEEDED: 'http-402',
  PAYMENT_REQUIRED: 'http-402',
  AUTHENTICATION_FAILED: 'http-401',
  AUTHENTICATION_FAILED_INACTIVE_KEY: 'http-401',
  INVALID_API_KEY: 'http-401',
  UNAUTHORIZED: 'http-403',
  INVALID_REQUEST: 'http-400',
  INVALID_MODEL: 'http-400',
  INVALID_CONTENT_TYPE: 'http-415',
  INVALID_FILE_SIZE: 'http-413',
  CONTENT_POLICY_VIOLATION: 'http-422',
  RATE_LIMIT_EXCEEDED: 'http-429',
  INFERENCE_FAILED: 'http-500',
  UNKNOWN_ERROR: 'http-500',
  MODEL_NOT_FOUND: 'http-404',
  MODEL_OVERLOADED: 'http-429',
  X402_CONCURRENCY_LIMIT: 'http-429',
  KEY_BLOCKED: 'http-429',
  MODEL_OFFLINE: 'http-503',
  MODEL_AT_CAPACITY: 'http-503',
};

/** System errors about a disk, not about a connection. */
const DISK =
  /^E(?:ACCES|AGAIN|BADF|BUSY|DQUOT|EXIST|FBIG|FTYPE|INVAL|IO|ISDIR|LOOP|MFILE|MLINK|NAMETOOLONG|NFILE|NODEV|NOENT|NOMEM|NOSPC|NOSYS|NOTDIR|NOTEMPTY|NOTSUP|NXIO|OPNOTSUPP|PERM|ROFS|STALE|TXTBSY|XDEV)$/;
const NETWORK =
  /^(?:E(?:CONN|HOST|NET|ADDR|AI_)[A-Z]+|E(?:TIMEDOUT|NOTFOUND|PIPE|PROTO|CANCELED)|(?:UND_)?ERR_[A-Z0-9_]+|CERT_[A-Z_]+|[A-Z_]+_SELF_SIGNED_CERT|SELF_SIGNED_CERT_[A-Z_]+|UNABLE_TO_[A-Z_]+|(?:HPE|CRL|ERROR_IN)_[A-Z_]+|HOSTNAME_MISMATCH|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_EXCEEDED|ABORT_ERR)$/;
const WORD_LENGTH_MAX = 100;

const NAMES = new Set(PAGES);
/** Words of the screens and the README, each with the page that explains it. */
const BY_FOLDED = new Map([
  ['in-flight', 'queued'],
  ['no-response-yet', 'intent'],
  ['to-be-downloaded-again', 'unverified'],
  ['remote-copy-still-to-delete', 'stored'],
  ['a-file-is-in-the-way', 'output-occupied'],
  ['in-the-audio-store', 'elsewhere'],
  ['audio-kept-elsewhere', 'elsewhere'],
  ['being-bought-elsewhere', 'other-runs'],
  ['resolved-as-charged', 'resolved_charged'],
  ['resolved-as-not-charged', 'resolved_not_charged'],
  ['resolved-as-refunded', 'resolved_refunded'],
  ...PAGES.map((name) => [folded(name), name] as const),
]);

/** What to show as `code`, and the page that explains it. */
export interface Found {
  readonly code: string;
  readonly page: string;
}

/**
 * The page for a code as printed (in any case and with `_`, `-` or spaces), a state, an exit code or an HTTP status.
 * Codes from elsewhere get the page of their group. Of a whole cell of a screen, its first words are enough:
 * `rejected (400): change it`.
 */
export function findExplanation(word: string): Found | undefined {
  if (word.length > WORD_LENGTH_MAX) return undefined;
  const first = /^(\S.*?)(?: \(|[:,;] )/.exec(word)?.[1];
  return findWord(word) ?? (first === undefined ? undefined : findWord(first));
}

function findWord(word: string): Found | undefined {
  const lower = word.toLowerCase();
  const known =
    [word, lower].find((name) => NAMES.has(name)) ??
    BY_FOLDED.get(folded(word)) ??
    BY_FOLDED.get(`exit-${word}`) ??
    BY_FOLDED.get(`http-${word}`);
  if (known !== undefined) return { code: known, page: known };
  const upper = word.trim().toUpperCase().replaceAll(/[-\s]/g, '_');
  const page = familyOf(upper) ?? (isOfService(word) ? 'service-code' : undefined);
  return page === undefined ? undefined : { code: upper.replace(/^HTTP_/, 'http-'), page };
}

/** In the form of the service's codes. Written like ours, it may be one of ours, misspelled. */
function isOfService(word: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+$/.test(word)) return false;
  return word === word.toUpperCase() || closest(word, PAGES) === undefined;
}

function familyOf(upper: string): string | undefined {
  if (Object.hasOwn(SERVICE_WORDS, upper)) return SERVICE_WORDS[upper];
  if (upper.startsWith('X402_SIGN_IN_')) return 'x402-sign-in';
  if (/^(?:HTTP_)?[1-9]\d\d$/.test(upper)) return 'http-other';
  if (DISK.test(upper)) return 'storage';
  return NETWORK.test(upper) ? 'connection' : undefined;
}

function folded(word: string): string {
  return word
    .trim()
    .toLowerCase()
    .replaceAll(/[_\s]+/g, '-');
}
