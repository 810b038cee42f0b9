import { REQUEST_FIELDS } from '../core/audio-request.js';
import type { Attempt } from './attempt.js';
import { attemptFault, endMarkFault, headerFault } from './check.js';
import type { LockHeader } from './lock-header.js';
import { LOCK_VERSION, LOCK_VERSION_SHARED, withVersion } from './lock-header.js';
import { type EndMark, sealLine, sealOf } from './seal.js';

export type Line =
  | { readonly kind: 'blank' }
  /** `version`: the file's, if older than ours. */
  | { readonly kind: 'header'; readonly header: LockHeader; readonly version: number }
  /** `sum`: its valid checksum; absent in version 1. */
  | { readonly kind: 'attempt'; readonly attempt: Attempt; readonly sum?: string }
  | { readonly kind: 'end'; readonly mark: EndMark }
  /** The checksum does not match. Holds what the line says, if it can be read at all. */
  | {
      readonly kind: 'checksum';
      readonly attempt?: Attempt;
      readonly header?: LockHeader;
      readonly sum?: string;
    }
  | { readonly kind: 'newer_version'; readonly version: number }
  | { readonly kind: 'conflict_marker' }
  | { readonly kind: 'duplicate_key'; readonly key: string }
  /** `json`: it is complete JSON, so not a torn write. */
  | { readonly kind: 'bad'; readonly why: string; readonly json: boolean };

/** We never write longer lines: even the longest escaped paths stay far below. */
const LINE_LENGTH_MAX = 256 * 1024;

/** Reads one line, without its line feed. A carriage return at its end is accepted (git on Windows). */
export function readLine(text: string): Line {
  if (text.length > LINE_LENGTH_MAX)
    return { kind: 'bad', why: `is longer than ${LINE_LENGTH_MAX} characters`, json: true };
  if (text.trim() === '') return { kind: 'blank' };
  if (CONFLICT_MARKER.test(text)) return { kind: 'conflict_marker' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'bad', why: 'is not JSON', json: false };
  }
  // A raw U+FFFD stands for bytes that were not UTF-8. We always escape it.
  if (text.includes(REPLACEMENT)) return { kind: 'bad', why: 'is not UTF-8', json: true };
  if (!isObject(value)) return { kind: 'bad', why: 'is not an object', json: true };
  const seal = sealOf(text);
  // Deleting the last member keeps V8's shared object shape.
  if (seal !== undefined) delete value.sum;
  const line = lineOf(value, seal);
  if (!isSound(line)) return line;
  const key = duplicateKey(text, seal?.json ?? text, value);
  return key === undefined ? line : { kind: 'duplicate_key', key };
}

/** Whether its fields are valid, so that it is also not nested too deep to be written again. */
function isSound(line: Line): boolean {
  if (line.kind === 'checksum') return line.attempt !== undefined || line.header !== undefined;
  return line.kind === 'attempt' || line.kind === 'header';
}

type Seal = ReturnType<typeof sealOf>;

/** What a line says, apart from its checksum. Only with a valid checksum can an unknown field be a newer release's. */
function lineOf(value: Record<string, unknown>, seal: Seal): Line {
  if (Object.hasOwn(value, 'format')) return headerOf(value, seal);
  if (Object.hasOwn(value, 'end')) return endOf(value, seal);
  const fault = attemptFault(value, seal === undefined ? 'refused' : 'carried');
  const attempt = value as unknown as Attempt;
  if (seal?.right === false)
    return { kind: 'checksum', sum: seal.sum, ...(fault === undefined && { attempt }) };
  if (fault !== undefined) return { kind: 'bad', why: fault, json: true };
  return { kind: 'attempt', attempt, ...(seal && { sum: seal.sum }) };
}

/** The attempt as a line, without line feed. Equal attempts give equal lines. Unknown fields come last, by name. */
export function attemptLine(attempt: Attempt): string {
  const ordered = pick(attempt, ATTEMPT_ORDER);
  ordered.parts = pick(attempt.parts, REQUEST_FIELDS);
  ordered.at = pick(attempt.at, AT_ORDER);
  if (attempt.file !== undefined) ordered.file = pick(attempt.file, FILE_ORDER);
  if (attempt.kept !== undefined) ordered.kept = pick(attempt.kept, FILE_ORDER);
  if (attempt.limits !== undefined) ordered.limits = pick(attempt.limits, LIMITS_ORDER);
  if (attempt.reason !== undefined) ordered.reason = pick(attempt.reason, REASON_ORDER);
  return sealLine(escapeReplacement(JSON.stringify(ordered)));
}

/** The header as a line, without line feed. */
export function headerLine(header: LockHeader): string {
  return sealLine(escapeReplacement(JSON.stringify(pick(header, HEADER_ORDER))));
}

/** The end mark as a line, without line feed. */
export function endLine({ end, lines, digest }: EndMark): string {
  return sealLine(JSON.stringify({ end, lines, digest }));
}

const CONFLICT_MARKER = /^(?:(?:<{7,}|>{7,}|\|{7,})(?:\s|$)|={7,}\s*$)/;
const REPLACEMENT = '\ufffd';

function escapeReplacement(json: string): string {
  return json.includes(REPLACEMENT) ? json.replaceAll(REPLACEMENT, '\\ufffd') : json;
}

const HEADER_ORDER: readonly (keyof LockHeader)[] = [
  'format',
  'version',
  'endpoint',
  'lineage',
  'was',
  'log',
];
const ATTEMPT_ORDER: readonly (keyof Attempt)[] = [
  'track',
  'take',
  'attempt',
  'rev',
  'state',
  'queue_id',
  'model',
  'duration_seconds',
  'quote_micro_usd',
  'refunded',
  'refund_ground',
  'reason',
  'file',
  'kept',
  'accepted',
  'move_to',
  'replaces',
  'stem',
  'extra',
  'digest',
  'parts',
  'key',
  'at',
  'run_ms',
  'limits',
  'run',
  'log_rev',
];
const AT_ORDER: readonly (keyof Attempt['at'])[] = [
  'intent',
  'in_doubt',
  'rejected',
  'queued',
  'ready',
  'failed',
  'lost',
  'unverified',
  'stored',
  'done',
];
const FILE_ORDER = ['path', 'bytes', 'sha256', 'media_type'] as const;
const LIMITS_ORDER = ['retrieve', 'complete'] as const;
const REASON_ORDER = ['code', 'status'] as const;

function pick<T extends object>(value: T, order: readonly (keyof T)[]): Partial<Record<keyof T, unknown>> {
  const picked: Partial<Record<keyof T, unknown>> = {};
  for (const name of order) {
    if (value[name] !== undefined) picked[name] = value[name];
  }
  const names = Object.keys(value) as (keyof T)[];
  if (names.length === Object.keys(picked).length) return picked;
  for (const name of names.filter((one) => !order.includes(one)).sort()) picked[name] = value[name];
  return picked;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function headerOf(value: Record<string, unknown>, seal: Seal): Line {
  const { version } = value;
  if (
    value.format === 'venice-batch-lock' &&
    Number.isInteger(version) &&
    (version as number) > LOCK_VERSION_SHARED
  ) {
    return { kind: 'newer_version', version: version as number };
  }
  const fault = headerFault(value, seal === undefined ? 'refused' : 'carried');
  if (fault !== undefined) return { kind: 'bad', why: fault, json: true };
  const header = withVersion(value as unknown as LockHeader);
  if (seal === undefined ? (version as number) >= LOCK_VERSION : !seal.right)
    return { kind: 'checksum', header };
  return { kind: 'header', header, version: version as number };
}

function endOf(value: Record<string, unknown>, seal: Seal): Line {
  if (seal?.right !== true) return { kind: 'checksum' };
  const fault = endMarkFault(value);
  return fault === undefined
    ? { kind: 'end', mark: value as unknown as EndMark }
    : { kind: 'bad', why: fault, json: true };
}

/** `JSON.parse` silently keeps the last of two equal keys, and the other may have been a `queue_id`. */
function duplicateKey(text: string, json: string, value: unknown): string | undefined {
  // If the line round-trips, no key was lost. True of every line that we wrote.
  if (JSON.stringify(value) === json) return undefined;
  const open: (Set<string> | undefined)[] = [];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|[{}[\]]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token.endsWith(':')) {
      const key = JSON.parse(token.slice(0, -1)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
