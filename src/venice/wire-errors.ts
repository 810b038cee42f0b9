import { clause } from '../core/clause.js';
import { withShownAddresses } from '../core/shown-address.js';
import { codeFor } from './meaning.js';
import { bool, field, finite, isRecord, items, mentions, present, text } from './read-json.js';

/** Contents of a JSON error body. All text is untrusted. */
export interface ErrorBody {
  /** The API's own code; if it gives none, see `codeFor`. Letters, digits, `_`, `-`, `.`. */
  readonly code: string;
  /** It lists what is wrong with the request itself. */
  readonly invalid?: true;
  /** See `CallFailure`. */
  readonly plain?: true;
  /** At most `MESSAGE_LENGTH_MAX` UTF-16 units. */
  readonly message: string;
  readonly suggestedPrompt?: string;
  readonly creditsRefunded?: boolean;
}

const MESSAGE_LENGTH_MAX = 2_000;
const PROMPT_LENGTH_MAX = 100_000;
const VOICES_MAX = 50;

/**
 * An error body in any of the API's shapes: `{error: "text"}`, the same with `details` and `issues`, `{error: {message,
 * type, code}}`, and the payment challenge of a 402. `undefined`: not the API's.
 */
export function readError(body: unknown, status: number): ErrorBody | undefined {
  if (!isRecord(body)) return undefined;
  const error = field(body, 'error');
  const message =
    (typeof error === 'string' ? error : undefined) ??
    text(field(error, 'message'), Number.MAX_SAFE_INTEGER) ??
    paymentMessage(body, status);
  if (message === undefined) return undefined;
  // The API lists the same faults twice, in two shapes.
  const faults = [...new Set([...details(field(body, 'details')), ...issues(field(body, 'issues'))])];
  return {
    code:
      readCode(field(body, 'code')) ??
      readCode(field(error, 'code')) ??
      readCode(field(body, 'error_code')) ??
      codeFor(status, message),
    message: clip(
      [
        message || `HTTP ${status}`,
        ...list(text(field(body, 'details'), MESSAGE_LENGTH_MAX)),
        ...faults,
        ...supportedVoices(field(body, 'details')),
        ...topUp(body, status),
      ]
        .map(clause)
        .join('; '),
    ),
    ...(faults.length === 0 ? {} : { invalid: true as const }),
    ...present({
      suggestedPrompt:
        text(field(body, 'suggested_prompt'), PROMPT_LENGTH_MAX) ??
        text(field(error, 'suggested_prompt'), PROMPT_LENGTH_MAX),
      creditsRefunded: bool(field(body, 'credits_refunded')) ?? bool(field(error, 'credits_refunded')),
    }),
  };
}

/** Where other services, and gateways, put the text of an error. */
const TEXT_FIELDS = ['message', 'detail', 'title', 'reason', 'msg', 'description', 'error_description'];

/**
 * An error that is not in the API's form: plain words, or other JSON. `undefined` if it may be about a job, so that the
 * status alone does not say that there is none.
 */
export function readPlainError(body: unknown, status: number): ErrorBody | undefined {
  if (isRecord(body) && mentions(body, /queue_?id/i)) return undefined;
  const given = [body, ...TEXT_FIELDS.map((name) => field(body, name))].find(
    (value) => typeof value === 'string',
  );
  const words = typeof given === 'string' ? given.trim().replaceAll(/\s+/g, ' ') : '';
  const message = clip(words === '' ? `HTTP ${status}, and the body does not say why` : words);
  return {
    code: readCode(field(body, 'code')) ?? codeFor(status, message),
    message,
    plain: true,
    ...present({ creditsRefunded: bool(field(body, 'credits_refunded')) }),
  };
}

/** A stable code as the API writes them; anything that looks like a sentence is not one. */
export function readCode(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(value) ? value : undefined;
}

/** A wallet's 402 has no `error` in some of its forms. */
function paymentMessage(body: unknown, status: number): string | undefined {
  if (status !== 402) return undefined;
  const known = field(body, 'code') === 'PAYMENT_REQUIRED' || typeof field(body, 'x402Version') === 'number';
  return known ? (text(field(body, 'message'), MESSAGE_LENGTH_MAX) ?? 'Payment required') : undefined;
}

/** `{supported_voices: ["Aria", …]}` of a 400 about a voice. */
function supportedVoices(details: unknown): string[] {
  const voices = items(field(details, 'supported_voices')).filter((voice) => typeof voice === 'string');
  return voices.length === 0 ? [] : [`supported voices: ${voices.slice(0, VOICES_MAX).join(', ')}`];
}

/** Balance and required amount of a wallet with too little, from the 402 with `code: PAYMENT_REQUIRED`. */
function topUp(body: unknown, status: number): string[] {
  const amount = (name: string) => finite(field(body, name), 0, 1e9)?.toFixed(2);
  if (status !== 402 || amount('currentBalanceUsd') === undefined) return [];
  const facts = [
    ['the wallet has', amount('currentBalanceUsd')],
    ['it needs at least', amount('minimumBalanceUsd')],
    ['a top-up is at least', amount('minimumTopUpUsd')],
    ['suggested', amount('suggestedTopUpUsd')],
  ];
  return [facts.flatMap(([what, usd]) => (usd === undefined ? [] : `${what} $${usd}`)).join(', ')];
}

/**
 * `{_errors: [], field: {_errors: ["Field is required"]}}` as `field: Field is required`. One level deep, as
 * documented.
 */
function details(value: unknown): string[] {
  if (!isRecord(value)) return [];
  const lines = complaints(value);
  for (const name of Object.keys(value).slice(0, 50)) {
    lines.push(...complaints(field(value, name)).map((complaint) => `${name}: ${complaint}`));
  }
  return lines;
}

function list(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}

function complaints(value: unknown): string[] {
  return items(field(value, '_errors'))
    .slice(0, 20)
    .filter((entry) => typeof entry === 'string');
}

function issues(value: unknown): string[] {
  return items(value)
    .slice(0, 20)
    .flatMap((issue) => {
      const message = text(field(issue, 'message'), MESSAGE_LENGTH_MAX);
      if (message === undefined) return [];
      const path = items(field(issue, 'path')).filter((part) => typeof part === 'string');
      return [path.length > 0 ? `${path.join('.')}: ${message}` : message];
    });
}

/** Addresses are made safe first, because truncation could leave half of one. */
function clip(foreign: string): string {
  const message = clause(withShownAddresses(foreign));
  return message.length <= MESSAGE_LENGTH_MAX ? message : `${message.slice(0, MESSAGE_LENGTH_MAX - 1)}…`;
}
