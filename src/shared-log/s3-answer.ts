import type { TransportAnswer } from '../core/ports.js';
import { StoreFault, type StoreFaultKind } from './object-store.js';

const ERROR_BYTES_MAX = 64 * 1024;

const EXPIRED: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'TokenRefreshRequired',
  'ExpiredTokenException',
]);
const MISSING: ReadonlySet<string> = new Set(['NoSuchBucket', 'PermanentRedirect']);

export interface S3Error {
  readonly status: number;
  /** Empty if the body is not an S3 error: a proxy page or a truncated response. */
  readonly code: string;
  readonly fault: StoreFault;
}

/** Describes an unsuccessful response. */
export async function readS3Error(answer: TransportAnswer): Promise<S3Error> {
  const { status, headers } = answer;
  const text = await textOf(answer);
  const code = /<Code>([A-Za-z0-9.]{1,80})<\/Code>/.exec(text)?.[1] ?? '';
  const region = headers['x-amz-bucket-region'] ?? /<Region>([a-z0-9-]{1,40})<\/Region>/.exec(text)?.[1];
  const hint =
    region === undefined
      ? hintFor(code, text)
      : `; the bucket is in ${region}: add region=${region} to the address`;
  const message = `HTTP ${status}${code === '' ? '' : ` ${code}`}${hint}`;
  return { status, code, fault: new StoreFault(kindOf(status, code), message) };
}

function hintFor(code: string, text: string): string {
  if (code === '') return text === '' ? '' : ', not from S3: check the endpoint, and any proxy';
  if (code === 'RequestTimeTooSkewed') return '; the clock of this machine is wrong: set it';
  if (code === 'SignatureDoesNotMatch')
    return '; AWS_SECRET_ACCESS_KEY is wrong, or a proxy changed the request';
  if (code === 'InvalidObjectState')
    return '; a life-cycle rule archived the object: restore it, and switch the rule off';
  if (/Object Lock/i.test(text)) return '; the bucket has a default retention (Object Lock): use one without';
  return '';
}

function kindOf(status: number, code: string): StoreFaultKind {
  if (EXPIRED.has(code)) return 'expired';
  if (MISSING.has(code)) return 'missing';
  if (status === 401 || status === 403) return 'denied';
  if (status === 408 || status === 409 || status === 429 || code === 'RequestTimeout') return 'unreachable';
  // A 404 that did not come from S3: it does not say whether the object exists.
  if (status >= 500) return status === 501 ? 'unsupported' : 'unreachable';
  return 'unsupported';
}

/** The body of a response, up to a limit; a longer or truncated one is an error. */
export async function bodyOf(answer: TransportAnswer, bytesMax: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of answer.body) {
      length += piece.length;
      if (length > bytesMax) throw new StoreFault('unsupported', `an object of more than ${bytesMax} bytes`);
      pieces.push(piece);
    }
  } catch (error) {
    answer.discard();
    if (error instanceof StoreFault) throw error;
    throw new StoreFault('unreachable', `the response was cut off (${messageOf(error)})`);
  }
  if (!answer.framed) throw new StoreFault('unreachable', 'a response without a length');
  return Buffer.concat(pieces);
}

async function textOf(answer: TransportAnswer): Promise<string> {
  try {
    return new TextDecoder().decode(await bodyOf(answer, ERROR_BYTES_MAX));
  } catch {
    return '';
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One page of `ListObjectsV2`. */
export function readS3List(text: string): { readonly keys: readonly string[]; readonly next?: string } {
  if (!text.includes('<ListBucketResult'))
    throw new StoreFault('unsupported', 'the response to a list request is not a list of objects');
  const keys = text
    .split('<Contents>')
    .slice(1)
    .flatMap((part) => between(part, '<Key>', '</Key>') ?? [])
    .map(unescapeXml);
  const isCut = /<IsTruncated>\s*true\s*<\/IsTruncated>/.test(text);
  const next = between(text, '<NextContinuationToken>', '</NextContinuationToken>');
  if (!isCut) return { keys };
  if (next === undefined)
    throw new StoreFault('unsupported', 'a truncated list of objects names no continuation');
  return { keys, next: unescapeXml(next) };
}

/** The text between two tags. Linear, unlike a regular expression on a text in which tags are never closed. */
export function between(text: string, open: string, close: string): string | undefined {
  const start = text.indexOf(open);
  const end = start < 0 ? -1 : text.indexOf(close, start + open.length);
  return end < 0 ? undefined : text.slice(start + open.length, end);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

export function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
  });
}
