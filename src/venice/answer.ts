import type { Code } from '../core/codes.js';
import { faultCode } from '../core/errors.js';
import type { Transport, TransportAnswer, TransportRequest } from '../core/ports.js';
import { QUEUE_ID_LENGTH_MAX } from '../core/queue-id.js';
import type { RateHeaders } from '../core/rate-headers.js';
import { redactIn } from '../core/redact.js';
import { shownAddress } from '../core/shown-address.js';
import type { CallFailure, CallResult } from './client.js';
import { decodeBody } from './decode-body.js';
import { mediaTypeOf } from './media-type.js';
import { field, outline, present } from './read-json.js';
import { readRateHeaders } from './read-rate-headers.js';
import { readError, readPlainError } from './wire-errors.js';

const MIB = 1024 * 1024;
/** Keeps no state between calls. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Limit for reading an error's body. */
const ERROR_BYTES_MAX = MIB;

/** A 200 whose body has not been read yet. */
export interface GoodAnswer {
  readonly ok: true;
  readonly answer: TransportAnswer;
  readonly mediaType: string;
  /** The compression that the response claims, though none was asked for. */
  readonly compression?: string;
  readonly rate: RateHeaders;
  readonly redact: Redact;
}

/** Removes secrets from a text. */
export type Redact = (text: string) => string;

/**
 * Encodings that change the bytes. Any other name (`identity`, the `aws-chunked` that a store leaves behind) is
 * ignored: JSON has to parse, and audio is recognised by its bytes.
 */
const COMPRESSIONS = /(?:^|[\s,])(?:x-)?(?:gzip|deflate|br|zstd|compress)(?:$|[\s,])/;

/**
 * One request. Everything read from its response goes through `redact` before it is used, cut or recorded, because a
 * service may echo the key.
 *
 * Everything but a 200 ends here, with its body read or discarded.
 */
export async function exchange(
  transport: Transport,
  request: TransportRequest,
  redact: Redact,
): Promise<GoodAnswer | CallFailure> {
  const answer = await transport(request);
  if (answer.kind === 'no_answer') {
    const { sent, code, message } = answer;
    return { ok: false, kind: 'no_answer', sent, code, message, rate: {} };
  }
  const rate = readRateHeaders(answer.headers);
  const mediaType = mediaTypeOf(answer.headers['content-type']);
  const encoding = (answer.headers['content-encoding'] ?? '').trim().toLowerCase();
  const compression = COMPRESSIONS.test(encoding) ? encoding : undefined;
  const good: GoodAnswer = { ok: true, answer, mediaType, rate, redact, ...present({ compression }) };
  if (answer.status === 200) return good;
  if (answer.status >= 300 && answer.status < 400) {
    const { location } = answer.headers;
    const to = location === undefined ? 'nowhere' : shownAddress(redact(location));
    return unusable(good, 'redirect', `the response is a redirect to ${to}, which is not followed`);
  }
  return refusal(good);
}

/** The whole response as JSON, parsed by `read`. */
export async function readJson<T>(
  good: GoodAnswer,
  bytesMax: number,
  read: (body: unknown) => T | undefined,
): Promise<CallResult<T>> {
  const parsed = await parseBody(good, bytesMax);
  if (!parsed.ok) return parsed;
  const value = read(parsed.value);
  if (value === undefined) {
    const message = `the response is JSON of an unexpected form: ${outline(parsed.value)}`;
    return {
      ...unusable(good, 'wrong-type', message),
      ...present({ queueIdSeen: queueIdSeen(parsed.value) }),
    };
  }
  return { ok: true, value, rate: good.rate };
}

async function refusal(good: GoodAnswer): Promise<CallFailure> {
  const { status } = good.answer;
  const parsed = await parseBody(good, ERROR_BYTES_MAX);
  if (!parsed.ok) return parsed;
  const seen = present({ queueIdSeen: queueIdSeen(parsed.value) });
  const error = readError(parsed.value, status) ?? readPlainError(parsed.value, status);
  if (error === undefined) {
    const message = `HTTP ${status}, and the body is JSON, but not an API error`;
    return { ...unusable(good, 'wrong-type', message), ...seen };
  }
  return { ok: false, kind: 'refused', status, sent: true, ...error, ...seen, rate: good.rate };
}

const MAY_BE_JSON =
  /^$|^text\/plain$|^application\/octet-stream$|^(?:application|text)\/(?:[a-z0-9.+-]+\+)?json$/;

/** The job id in the response, even if unusable. A truncated one is too long to be mistaken for the whole. */
function queueIdSeen(body: unknown): string | undefined {
  const id = field(body, 'queue_id');
  if (typeof id === 'number') return String(id);
  return typeof id === 'string' && id !== '' ? id.slice(0, QUEUE_ID_LENGTH_MAX + 1) : undefined;
}

/**
 * JSON is anything that parses, whatever its type: some servers send `text/plain`, `text/html` or `audio/mpeg` for
 * everything. An error with a type that is not JSON's is a page from an intermediary.
 */
async function parseBody(good: GoodAnswer, bytesMax: number): Promise<CallResult<unknown>> {
  const { mediaType, compression } = good;
  const { status } = good.answer;
  if (MAY_BE_JSON.test(mediaType)) return parseText(good, bytesMax);
  const parsed = status === 200 ? await parseText(good, bytesMax, true) : undefined;
  if (parsed?.ok) return parsed;
  if (compression !== undefined) return encoded(good, compression);
  const code = PAGE.test(mediaType) ? 'html' : 'not-json';
  return unusable(good, code, `HTTP ${status}, and the body is ${mediaType}, not JSON`);
}

const PAGE = /^text\/html$|^application\/xhtml\+xml$/;

/** @param doubtful whether to read on only if the body begins like JSON */
async function parseText(good: GoodAnswer, bytesMax: number, doubtful = false): Promise<CallResult<unknown>> {
  const { compression } = good;
  const bytes = await readBody(good, bytesMax, doubtful);
  if (!bytes.ok) return bytes;
  const plain = compression === undefined ? bytes.value : decodeBody(bytes.value, compression, bytesMax);
  if (plain === 'too-long') return tooLong(good, bytesMax);
  const parsed = parseJson(plain) ?? wordsOf(good, plain);
  // After parsing, because the text may contain an escaped secret.
  if (parsed !== undefined) return { ok: true, value: redactIn(parsed.value, good.redact), rate: good.rate };
  if (compression !== undefined) return encoded(good, compression);
  return unusable(good, 'not-json', `HTTP ${good.answer.status}, and the body does not parse as JSON`);
}

interface Parsed {
  readonly value: unknown;
}

function parseJson(bytes: Uint8Array): Parsed | undefined {
  try {
    return { value: JSON.parse(UTF8.decode(bytes)) as unknown };
  } catch {
    return undefined;
  }
}

/**
 * An error in plain words, as if it were a JSON text. What begins like JSON was cut off, and may have named a job; what
 * begins like markup is a page.
 */
function wordsOf({ answer, compression }: GoodAnswer, bytes: Uint8Array): Parsed | undefined {
  if (answer.status < 400 || compression !== undefined) return undefined;
  try {
    const words = UTF8.decode(bytes).trim();
    return /^[{["<]/.test(words) || NAMES_JOB.test(words) ? undefined : { value: words };
  } catch {
    return undefined;
  }
}

const NAMES_JOB = /queue_?id/i;

function encoded(good: GoodAnswer, compression: string): CallFailure {
  return unusable(good, 'encoding', `the response is encoded as ${compression}`);
}

function tooLong(good: GoodAnswer, bytesMax: number): CallFailure {
  return unusable(good, 'too-long', `the response has more than ${bytesMax} bytes`);
}

async function readBody(
  good: GoodAnswer,
  bytesMax: number,
  doubtful: boolean,
): Promise<CallResult<Uint8Array>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const isCompressed = good.compression !== undefined;
  let isJson = !doubtful;
  try {
    for await (const piece of good.answer.body) {
      // Compressed, the first byte says nothing.
      const first = isJson || isCompressed ? undefined : Buffer.from(piece).toString('utf8').trimStart()[0];
      if (first !== undefined && first !== '{' && first !== '[')
        return unusable(good, 'not-json', 'the body is not JSON');
      isJson ||= first !== undefined;
      size += piece.byteLength;
      const most = isJson ? bytesMax : Math.min(bytesMax, ERROR_BYTES_MAX);
      if (size > most) return tooLong(good, most);
      pieces.push(piece);
    }
  } catch (error) {
    return {
      ok: false,
      kind: 'no_answer',
      sent: true,
      code: faultCode(error) || 'body',
      message: `the response was cut off: ${error instanceof Error ? error.message : 'unknown fault'}`,
      rate: good.rate,
    };
  }
  return { ok: true, value: Buffer.concat(pieces), rate: good.rate };
}

/** Also discards the rest of the body. */
export function unusable(good: GoodAnswer, code: Code, message: string): CallFailure {
  good.answer.discard();
  return {
    ok: false,
    kind: 'unusable',
    status: good.answer.status,
    sent: true,
    code,
    message,
    rate: good.rate,
  };
}
