import { basename, dirname, join } from 'node:path';
import { faultCode } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import type { Attempt, AttemptState } from './attempt.js';
import { createFold, isNewerThan } from './fold-attempts.js';
import { belongsTo, type JournalText, readJournals } from './journal.js';
import { type LockProblem, lockError, type NextCommand } from './lock-error.js';
import { joinHeaders, type LockHeader } from './lock-header.js';
import { type LockNote, parseLock } from './lock-text.js';

/** States in which nothing is in flight or in doubt. */
export const SETTLED: ReadonlySet<AttemptState> = new Set(['done', 'rejected', 'failed', 'lost']);

/** Larger lockfiles are neither read nor written. */
export const LOCK_BYTES_MAX = 256 * 1024 * 1024;

/**
 * What a read-only command needs from a lockfile. If the file does not exist, `header` is absent and there are no
 * attempts.
 */
export type ReadLock =
  | {
      readonly ok: true;
      readonly header?: LockHeader;
      readonly attempts: ReadonlyMap<string, Attempt>;
      readonly notes: readonly LockNote[];
      /** Size of the file; 0 if it does not exist. */
      readonly bytes: number;
      /** Paths of the journals of killed runs whose records are included. */
      readonly journals: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly [LockProblem, ...LockProblem[]] };

export type UsableLock = Extract<ReadLock, { ok: true }>;

/**
 * Reads a lockfile, the journals of runs that did not end cleanly, and the copy that the last clean end left. Needs no
 * run lock and changes nothing. A disk error is returned as a problem, not thrown.
 */
export async function readLock(files: Files, path: string): Promise<ReadLock> {
  const { read, bytes, header } = await readWithBytes(files, path);
  if (!read.ok && !MAY_HAVE_COPY.has(read.problems[0].kind)) return read;
  try {
    const journals = await readJournals(files, await files.real(path), LOCK_BYTES_MAX, bytes);
    if (!read.ok && header !== undefined) return journals.ok ? cutOff(read, header, journals.all) : read;
    if (!journals.ok) return unreadable(journals.fault, journals.path);
    if (!read.ok) return overwritten(read, journals.all);
    return read.header === undefined
      ? restoreMissing(read, journals.all)
      : restore(read, read.header, journals.all);
  } catch (fault) {
    return unreadable(fault);
  }
}

/** What the lockfile lacks is restored: a record only ever adds to what is known. */
function restore(read: UsableLock, header: LockHeader, all: readonly JournalText[]): ReadLock {
  const journals = all.filter((journal) => belongsTo(header, journal));
  if (journals.length === 0) return read;
  const fold = createFold([...read.attempts.values(), ...journals.flatMap(({ records }) => records)]);
  const headers = [header, ...journals.flatMap((journal) => journal.header ?? [])];
  const [log, other] = [...new Set(headers.flatMap((one) => one.log ?? []))];
  if (log !== undefined && other !== undefined)
    return { ok: false, problems: [twoLogs(header, journals, [log, other])] };
  const notes = [...read.notes, ...restoredBy(fold.attempts, read.attempts)];
  const paths = journals.filter(({ copy }) => !copy).map(({ path }) => path);
  return { ...read, header: headers.reduce(joinHeaders), attempts: fold.attempts, notes, journals: paths };
}

function twoLogs(
  header: LockHeader,
  journals: readonly JournalText[],
  logs: readonly [string, string],
): LockProblem {
  const journal = journals.find((one) => one.header?.log !== undefined && one.header.log !== header.log);
  return { kind: 'two_logs', line: 1, logs, journal: header.log === undefined ? undefined : journal?.path };
}

/** A missing lockfile is restored if the journals, and the copy of the last clean end, are certain to say all of it. */
function restoreMissing(read: UsableLock, all: readonly JournalText[]): ReadLock {
  const [first] = all;
  if (first === undefined) return read;
  const { header } = first;
  if (header !== undefined && all.every((one) => one.whole && belongsTo(header, one)))
    return restore(read, header, all);
  return { ok: false, problems: [{ kind: 'journal_unsound', journal: first.path }] };
}

const MAY_HAVE_COPY: ReadonlySet<LockProblem['kind']> = new Set(['not_a_lockfile', 'incomplete']);

/** What is missing may be newer than the journal, so the user decides. */
function cutOff(
  read: Extract<ReadLock, { ok: false }>,
  header: LockHeader,
  all: readonly JournalText[],
): ReadLock {
  const [problem, ...others] = read.problems;
  const journal = all.find((one) => belongsTo(header, one))?.path;
  if (journal === undefined || problem.kind !== 'incomplete') return read;
  return { ok: false, problems: [{ ...problem, journal }, ...others] };
}

/** The file may have been newer than the journal, so the user decides. */
function overwritten(read: ReadLock, all: readonly JournalText[]): ReadLock {
  const journal = all.find(({ header }) => header !== undefined)?.path;
  if (journal === undefined) return read;
  return { ok: false, problems: [{ kind: 'not_a_lockfile', line: 1, journal }] };
}

/**
 * The same for a command that cannot do without it. Throws `BatchError` (9).
 *
 * @param endpoint that the lockfile has to belong to; absent: any
 */
export async function requireLock(
  files: Files,
  path: string,
  command: NextCommand,
  endpoint?: string,
): Promise<UsableLock> {
  const read = await readLock(files, path);
  if (!read.ok) throw lockError(read.problems[0], path, command);
  const foreign = endpoint === undefined ? undefined : read.header && checkEndpoint(read.header, endpoint);
  if (foreign !== undefined) throw lockError(foreign, path, command);
  return read;
}

function restoredBy(
  all: ReadonlyMap<string, Attempt>,
  alone: ReadonlyMap<string, Attempt>,
): readonly LockNote[] {
  const restored = [...all.values()].filter((one) => isNewerThan(one, alone.get(one.attempt)));
  if (restored.length === 0) return [];
  const places = new Map<string, string>();
  for (const { attempt, file } of restored) {
    const before = alone.get(attempt)?.file?.path;
    if (before !== undefined && before !== file?.path) places.set(attempt, before);
  }
  return [{ kind: 'restored', attempts: restored.length, ...(places.size > 0 && { places }) }];
}

/** Reads a lockfile without its journals. */
export async function readLockAlone(files: Files, path: string): Promise<ReadLock> {
  return (await readWithBytes(files, path)).read;
}

async function readWithBytes(
  files: Files,
  path: string,
): Promise<{
  readonly read: ReadLock;
  readonly bytes?: Uint8Array;
  readonly header?: LockHeader | undefined;
}> {
  let bytes: Uint8Array;
  try {
    bytes = await files.read(path, LOCK_BYTES_MAX);
  } catch (fault) {
    return { read: faultCode(fault) === 'ENOENT' ? await absent(files, path) : unreadable(fault) };
  }
  const { header, attempts, problems, notes } = parseLock(decode(bytes));
  const [first, ...others] = problems;
  if (first !== undefined) return { read: { ok: false, problems: [first, ...others] }, bytes, header };
  return {
    read: { ok: true, ...(header && { header }), attempts, notes, bytes: bytes.length, journals: [] },
    bytes,
  };
}

function unreadable(fault: unknown, journal?: string): ReadLock {
  const code = faultCode(fault);
  if (code === '') throw fault;
  return { ok: false, problems: [{ kind: 'unreadable', code, ...(journal !== undefined && { journal }) }] };
}

async function absent(files: Files, path: string): Promise<ReadLock> {
  const problem = await linkToNothing(files, path);
  return problem === undefined
    ? { ok: true, attempts: new Map(), notes: [], bytes: 0, journals: [] }
    : { ok: false, problems: [problem] };
}

/**
 * Whether the lockfile is a dangling symbolic link. Writing through it would create a file at a place that someone else
 * chose.
 */
export async function linkToNothing(files: Files, path: string): Promise<LockProblem | undefined> {
  try {
    if ((await files.facts(path)) !== undefined) return undefined;
    const [real, folder] = [await files.real(path), await files.real(dirname(path))];
    return real === join(folder, basename(path)) ? undefined : { kind: 'unreadable', code: 'ELOOP' };
  } catch (fault) {
    const code = faultCode(fault);
    if (code === '') throw fault;
    return { kind: 'unreadable', code };
  }
}

/** A lockfile belongs to the endpoint it was made with: a `queue_id` means nothing anywhere else. */
export function checkEndpoint(header: LockHeader, endpoint: string): LockProblem | undefined {
  return header.endpoint === endpoint
    ? undefined
    : { kind: 'other_endpoint', endpoint: header.endpoint, wanted: endpoint };
}

/** Bytes that are not UTF-8 become U+FFFD, which never occurs raw in a valid line. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}
