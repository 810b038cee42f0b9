import { createHash } from 'node:crypto';
import type { Attempt } from '../lockfile/attempt.js';
import { attemptLine, readLine } from '../lockfile/line.js';
import { createTally, sealLine, sealOf, sumOf } from '../lockfile/seal.js';
import { LOG_VERSION, type LogHeader } from './shared-log.js';

/** The first line of each entry. In entry 0 the header precedes it. */
export interface Group {
  /** The number of the entry. */
  readonly entry: number;
  readonly run: string;
  /** Random for each opening of a log, so that no two writers ever produce the same bytes. */
  readonly writer: string;
  /** Name of the machine, for display: see `isHost`. */
  readonly host?: string | undefined;
  /** In the writer's time, ISO 8601. */
  readonly at: string;
  /** SHA-256 of the entry before; empty for the first. */
  readonly after: string;
  readonly records: readonly Attempt[];
}

export type ReadEntry =
  | { readonly ok: true; readonly header?: LogHeader; readonly group: Group }
  | { readonly ok: false; readonly problem: EntryProblem };

export type EntryProblem =
  | { readonly kind: 'damaged'; readonly why: string }
  /** It looks like nothing that was ever written here. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'newer_version'; readonly version: number };

/** `log/00000042.jsonl`: sorting by name keeps entries in order, up to a hundred million. */
export function entryKey(number: number): string {
  return `log/${String(number).padStart(DIGITS, '0')}.jsonl`;
}

/** The number of an entry, by its key. */
export function entryNumber(key: string): number | undefined {
  const digits = /^log\/(\d{8})\.jsonl$/.exec(key)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const DIGITS = 8;

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The bytes of an entry. */
export function encodeEntry(group: Group, header?: LogHeader): Uint8Array {
  const lines = group.records.map(attemptLine);
  const { entry, run, writer, host, at, after } = group;
  const count = countOf(lines);
  const first = sealLine(JSON.stringify({ entry, run, writer, host, at, after, ...count }));
  return encodeLines([...(header === undefined ? [] : [logHeaderLine(header)]), first, ...lines]);
}

export function decodeEntry(number: number, bytes: Uint8Array): ReadEntry {
  const read = decodeSound(number, bytes);
  const isForeign = !read.ok && read.problem.kind === 'damaged' && !isOurs(bytes);
  return isForeign ? { ok: false, problem: { kind: 'foreign' } } : read;
}

/** Whether it may be an entry, or what is left of one. A file that was emptied or zeroed may have been one. */
function isOurs(bytes: Uint8Array): boolean {
  if (bytes.every((byte) => byte === 0)) return true;
  return /^\{"|"(?:entry|attempt|sum)":|venice-batch-log/.test(Buffer.from(bytes).toString('latin1'));
}

function decodeSound(number: number, bytes: Uint8Array): ReadEntry {
  const lines = decodeLines(bytes);
  if (lines === undefined) return damaged('it does not end with a whole line');
  const head = number === 0 ? decodeHeader(lines.shift()) : undefined;
  if (head !== undefined && !('header' in head)) return { ok: false, problem: head };
  const first = sealedObject(lines.shift());
  if (first === undefined) return damaged('its first line does not match its checksum');
  if (first.entry !== number) return damaged(`it claims to be entry ${String(first.entry)}`);
  const records = decodeRecords(lines, first);
  if (records === undefined) return damaged('its records are not those that its first line counts');
  const { run, writer, host, at, after } = first;
  if (!isText(run) || !isText(writer) || !isText(at) || !isText(after))
    return damaged('its first line lacks a field');
  const group = { entry: number, run, writer, at, after, records, ...(isHost(host) && { host }) };
  return { ok: true, group, ...(head && { header: head.header }) };
}

export function logHeaderLine({ format, version, endpoint, lineage }: LogHeader): string {
  return sealLine(JSON.stringify({ format, version, endpoint, lineage }));
}

export function decodeHeader(line: string | undefined): { readonly header: LogHeader } | EntryProblem {
  const value = sealedObject(line);
  if (value?.format !== 'venice-batch-log') return { kind: 'damaged', why: 'it has no header of a log' };
  const { version, endpoint, lineage } = value;
  if (typeof version === 'number' && version > LOG_VERSION) return { kind: 'newer_version', version };
  if (version !== LOG_VERSION || !isText(endpoint) || !isText(lineage))
    return { kind: 'damaged', why: 'its header lacks a field' };
  return { header: { format: 'venice-batch-log', version, endpoint, lineage } };
}

/** How many records follow, and a checksum over theirs. */
export function countOf(lines: readonly string[]): { readonly records: number; readonly digest: string } {
  const tally = createTally();
  for (const line of lines) tally.add(sumOf(line));
  const { lines: records, digest } = tally.mark();
  return { records, digest };
}

/** The attempts in the lines; `undefined` if they do not match the count and checksum. */
export function decodeRecords(
  lines: readonly string[],
  counted: Readonly<Record<string, unknown>>,
): readonly Attempt[] | undefined {
  const tally = createTally();
  const records: Attempt[] = [];
  for (const text of lines) {
    const line = readLine(text);
    if (line.kind !== 'attempt' || line.sum === undefined) return undefined;
    tally.add(line.sum);
    records.push(line.attempt);
  }
  const mark = tally.mark();
  return mark.lines === counted.records && mark.digest === counted.digest ? records : undefined;
}

/** The object in a line, if its checksum is valid. */
export function sealedObject(line: string | undefined): Readonly<Record<string, unknown>> | undefined {
  const seal = line === undefined ? undefined : sealOf(line);
  if (seal?.right !== true) return undefined;
  try {
    const value = JSON.parse(seal.json) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export function encodeLines(lines: readonly string[]): Uint8Array {
  return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
}

/** `undefined` if the bytes are not complete lines of UTF-8. */
export function decodeLines(bytes: Uint8Array): string[] | undefined {
  try {
    const lines = new TextDecoder('utf-8', { fatal: true }).decode(bytes).split('\n');
    return lines.pop() === '' ? lines : undefined;
  } catch {
    return undefined;
  }
}

function damaged(why: string): ReadEntry {
  return { ok: false, problem: { kind: 'damaged', why } };
}

/** A name that is safe to display unescaped. */
export function isHost(value: unknown): value is string {
  return isText(value) && /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
