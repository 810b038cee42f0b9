import type { Attempt } from './attempt.js';
import { attemptFault, headerFault, LOCK_VERSION } from './check.js';
import type { LockHeader } from './store.js';

/** What one line of a lockfile turns out to be. */
export type Line =
  | { readonly kind: 'blank' }
  | { readonly kind: 'header'; readonly header: LockHeader }
  | { readonly kind: 'attempt'; readonly attempt: Attempt }
  | { readonly kind: 'newer_version'; readonly version: number }
  | { readonly kind: 'conflict_marker' }
  | { readonly kind: 'duplicate_key'; readonly key: string }
  /** `json`: it is whole, so no torn write made it. */
  | { readonly kind: 'bad'; readonly why: string; readonly json: boolean };

/** Reads one line, without its line feed. A carriage return at its end is forgiven (git on Windows). */
export function readLine(text: string): Line {
  if (text.trim() === '') return { kind: 'blank' };
  if (CONFLICT_MARKER.test(text)) return { kind: 'conflict_marker' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'bad', why: 'is not JSON', json: false };
  }
  // Raw, it stands for bytes that were not UTF-8: what we write has it escaped.
  if (text.includes(REPLACEMENT)) return { kind: 'bad', why: 'is not UTF-8', json: true };
  const line = isHeaderLike(value) ? headerOf(value) : attemptOf(value);
  if (line.kind !== 'attempt' && line.kind !== 'header') return line;
  const key = duplicateKey(text, value);
  return key === undefined ? line : { kind: 'duplicate_key', key };
}

/** The attempt as a line, without its line feed. Equal attempts give equal lines. */
export function attemptLine(attempt: Attempt): string {
  const ordered = pick(attempt, ATTEMPT_ORDER);
  ordered.parts = pick(attempt.parts, PARTS_ORDER);
  ordered.at = pick(attempt.at, AT_ORDER);
  if (attempt.file !== undefined) ordered.file = pick(attempt.file, FILE_ORDER);
  if (attempt.reason !== undefined) ordered.reason = pick(attempt.reason, REASON_ORDER);
  return escapeReplacement(JSON.stringify(ordered));
}

/** The header as a line, without its line feed. */
export function headerLine(header: LockHeader): string {
  return JSON.stringify(pick(header, ['format', 'version', 'endpoint', 'lineage']));
}

const CONFLICT_MARKER = /^(?:(?:<{7,}|>{7,}|\|{7,})(?:\s|$)|={7,}\s*$)/;
const REPLACEMENT = '\ufffd';

function escapeReplacement(json: string): string {
  return json.includes(REPLACEMENT) ? json.replaceAll(REPLACEMENT, '\\ufffd') : json;
}

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
  'move_to',
  'stem',
  'digest',
  'parts',
  'key',
  'at',
  'run_ms',
];
const PARTS_ORDER: readonly (keyof Attempt['parts'])[] = [
  'model',
  'prompt',
  'lyrics_prompt',
  'duration_seconds',
  'force_instrumental',
  'lyrics_optimizer',
  'loop',
  'voice',
  'language_code',
  'speed',
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
const REASON_ORDER = ['code', 'status'] as const;

function pick<T extends object>(value: T, order: readonly (keyof T)[]): Partial<Record<keyof T, unknown>> {
  const picked: Partial<Record<keyof T, unknown>> = {};
  for (const name of order) {
    if (value[name] !== undefined) picked[name] = value[name];
  }
  return picked;
}

function isHeaderLike(value: unknown): value is { version: unknown } {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'format');
}

function headerOf(value: { version: unknown; format?: unknown }): Line {
  const { version } = value;
  if (
    value.format === 'venice-batch-lock' &&
    Number.isInteger(version) &&
    (version as number) > LOCK_VERSION
  ) {
    return { kind: 'newer_version', version: version as number };
  }
  const fault = headerFault(value);
  return fault === undefined
    ? { kind: 'header', header: value as unknown as LockHeader }
    : { kind: 'bad', why: fault, json: true };
}

function attemptOf(value: unknown): Line {
  const fault = attemptFault(value);
  return fault === undefined
    ? { kind: 'attempt', attempt: value as Attempt }
    : { kind: 'bad', why: fault, json: true };
}

/** `JSON.parse` silently keeps the last of two equal keys: one of them may have been a `queue_id`. */
function duplicateKey(text: string, value: unknown): string | undefined {
  // Nothing fell out of a line that comes back as it was: true of every line that we wrote.
  if (JSON.stringify(value) === text) return undefined;
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
