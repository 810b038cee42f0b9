import type { Attempt, AttemptState } from '../../src/lockfile/attempt.js';
import type { Disk } from './disk.js';

/**
 * The lockfile as the judge reads it: written from its contract, without the program's own reader, and cheap enough to
 * be read at every request. While the file only grows, nothing is parsed twice.
 */
export interface LockView {
  readonly attempts: ReadonlyMap<string, ViewedAttempt>;
  /** The newest record of each job, by queue_id. */
  readonly jobs: ReadonlyMap<string, Attempt>;
  /** Complete lines that are not records. */
  readonly badLines: number;
  /** Number of header lines. */
  readonly headers: number;
  /** Forbidden changes of state. */
  readonly illegalSteps: readonly string[];
}

export interface ViewedAttempt {
  /** By the highest rev. */
  readonly latest: Attempt;
  readonly queueIds: ReadonlySet<string>;
}

export interface LockReader {
  /** `undefined` means no file. */
  read(bytes: Uint8Array | undefined): LockView;
}

interface Parsed {
  bytes: Uint8Array;
  /** Up to and including the last line end. */
  parsedBytes: number;
  readonly attempts: Map<string, { latest: Attempt; queueIds: Set<string> }>;
  readonly jobs: Map<string, Attempt>;
  badLines: number;
  headers: number;
  readonly illegalSteps: string[];
  /** Of several machines, each of which may add its newest record long after the ones before it. */
  readonly isLog: boolean;
}

/** A view that grows line by line, for records that are not in one file. */
export interface GrowingView extends LockView {
  add(line: string): void;
}

export function createGrowingView(): GrowingView {
  const parsed = nothing(true);
  return Object.assign(parsed, { add: (line: string) => take(parsed, line) });
}

export function createLockReader(): LockReader {
  let parsed = nothing();
  return {
    read: (bytes = EMPTY) => {
      if (bytes === parsed.bytes) return parsed;
      if (!extendsParsed(parsed, bytes)) parsed = nothing();
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      const text = Buffer.from(
        bytes.buffer,
        bytes.byteOffset + parsed.parsedBytes,
        end - parsed.parsedBytes,
      ).toString();
      for (const line of text.split('\n')) if (line !== '') take(parsed, line);
      parsed.bytes = bytes;
      parsed.parsedBytes = end;
      return parsed;
    },
  };
}

/** As it is now. */
export function lockfileHere(disk: Disk, path: string): LockView {
  const entry = disk.entries.get(path);
  return createLockReader().read(entry === 'directory' ? undefined : entry?.bytes);
}

const EMPTY = new Uint8Array(0);
const NEWLINE = 10;

function nothing(isLog = false): Parsed {
  return {
    bytes: EMPTY,
    parsedBytes: 0,
    attempts: new Map(),
    jobs: new Map(),
    badLines: 0,
    headers: 0,
    illegalSteps: [],
    isLog,
  };
}

function extendsParsed({ bytes: known, parsedBytes }: Parsed, bytes: Uint8Array): boolean {
  if (bytes.length < parsedBytes) return false;
  return Buffer.compare(known.subarray(0, parsedBytes), bytes.subarray(0, parsedBytes)) === 0;
}

function take(parsed: Parsed, line: string): void {
  const record = parseLine(line);
  if (record === undefined) {
    parsed.badLines += 1;
    return;
  }
  if (record.attempt === undefined) {
    if (!('end' in record)) parsed.headers += 1;
    return;
  }
  takeJob(parsed, record);
  const known = parsed.attempts.get(record.attempt);
  if (known === undefined) {
    parsed.attempts.set(record.attempt, { latest: record, queueIds: new Set(idsOf(record)) });
    return;
  }
  for (const id of idsOf(record)) known.queueIds.add(id);
  const isSameJob = record.queue_id === known.latest.queue_id;
  const files = isSameJob ? filesOf(record) - filesOf(known.latest) : 0;
  if (files < 0 || (files === 0 && record.rev < known.latest.rev)) return;
  if (files > 0 || record.rev > known.latest.rev) {
    // A clean end leaves only the last line of each attempt, so steps may be missing.
    const isStep = record.rev === known.latest.rev + 1;
    const isLegal =
      STEPS[known.latest.state]?.includes(record.state) ||
      isFound(known.latest, record) ||
      (parsed.isLog && (files > 0 || settlesDoubt(known.latest, record) || isKept(known.latest, record)));
    if (isStep && !isLegal)
      parsed.illegalSteps.push(`${known.latest.state} -> ${record.state} of ${record.attempt}`);
    known.latest = record;
  } else if (strength(record) > strength(known.latest) || isLaterText(record, known.latest))
    known.latest = record;
}

/** One job may be named by several attempts, and one attempt may have several jobs. */
function takeJob({ jobs }: Parsed, record: Attempt): void {
  if (record.queue_id === undefined) return;
  const known = jobs.get(record.queue_id);
  const wins =
    known === undefined ||
    (filesOf(record) - filesOf(known) || record.rev - known.rev || strength(record) - strength(known)) > 0 ||
    isLaterText(record, known);
  if (wins) jobs.set(record.queue_id, record);
}

function strength({ state }: Attempt): number {
  return -STRENGTH.indexOf(state);
}

/** Two machines may record one state of one job, each with the bytes that it got. Source: the lockfile's contract. */
function isLaterText(record: Attempt, known: Attempt): boolean {
  const isEqual =
    record.rev === known.rev && record.state === known.state && filesOf(record) === filesOf(known);
  return isEqual && JSON.stringify(record) > JSON.stringify(known);
}

/** A record that names the stored file wins over any other of the same job. Source: the lockfile's contract. */
export function filesOf({ file }: Attempt): number {
  return file === undefined ? 0 : 1;
}

/**
 * A user may settle an attempt for which another machine has a job: a record that knows the job wins over any that does
 * not. And a machine that has the file takes back what another has given up. Source: the lockfile's contract.
 */
function isFound(before: Attempt, after: Attempt): boolean {
  if (!GIVEN_UP.has(before.state)) return false;
  if (before.queue_id === undefined) return after.queue_id !== undefined;
  return (after.state === 'stored' || after.state === 'done') && after.queue_id === before.queue_id;
}

/** One machine recorded the doubt, and another, where the user named the job, has fetched its audio meanwhile. */
function settlesDoubt(before: Attempt, after: Attempt): boolean {
  return before.state === 'in_doubt' && before.queue_id === undefined && after.queue_id !== undefined;
}

/** One machine found nothing, and another has a download that failed the checks: the user may accept it there. */
function isKept(before: Attempt, after: Attempt): boolean {
  return before.state === 'lost' && after.kept !== undefined && after.queue_id === before.queue_id;
}

/** Unverified: a machine without the file, for which the service had nothing more, and an earlier download was kept. */
const GIVEN_UP: ReadonlySet<AttemptState> = new Set(['rejected', 'failed', 'lost', 'unverified']);

function parseLine(line: string): Attempt | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Attempt)
      : undefined;
  } catch {
    return undefined;
  }
}

function idsOf(record: Attempt): readonly string[] {
  return record.queue_id === undefined ? [] : [record.queue_id];
}

/** Of equal revs, the first of these wins. Source: the lockfile's contract. */
const STRENGTH: readonly AttemptState[] = [
  'done',
  'stored',
  'unverified',
  'lost',
  'failed',
  'queued',
  'in_doubt',
  'rejected',
  'intent',
];

/** The states that may follow each state, including by `resolve`. */
const STEPS: Readonly<Record<AttemptState, readonly AttemptState[]>> = {
  intent: ['queued', 'in_doubt', 'rejected', 'lost'],
  in_doubt: ['in_doubt', 'queued', 'rejected', 'lost'],
  queued: ['queued', 'stored', 'failed', 'lost', 'unverified'],
  unverified: ['unverified', 'queued', 'stored', 'failed', 'lost'],
  stored: ['stored', 'done', 'queued'],
  done: ['done'],
  rejected: ['rejected'],
  failed: ['failed'],
  lost: ['lost'],
};
