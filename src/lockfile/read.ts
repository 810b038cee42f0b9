import { basename, dirname, join } from 'node:path';
import { faultCode } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import type { Attempt } from './attempt.js';
import type { LockHeader } from './header.js';
import { readJournals } from './journal.js';
import { type LockProblem, lockError, type NextCommand } from './lock-error.js';
import { type LockNote, parseLock } from './lock-text.js';
import { createFold } from './merge.js';

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
      /** Paths of the journals whose records are included. */
      readonly journals: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly [LockProblem, ...LockProblem[]] };

export type UsableLock = Extract<ReadLock, { ok: true }>;

/**
 * Reads a lockfile, and the journals of runs that did not end cleanly. Needs no run lock and changes nothing. A disk
 * error is returned as a problem, not thrown.
 */
export async function readLock(files: Files, path: string): Promise<ReadLock> {
  const read = await readLockAlone(files, path);
  if (!read.ok) return read.problems[0].kind === 'not_a_lockfile' ? overwritten(files, path, read) : read;
  try {
    const journals = await readJournals(files, await files.real(path), read.header, LOCK_BYTES_MAX);
    if (!journals.ok) return unreadable(journals.fault, journals.path);
    if (journals.paths.length === 0) return read;
    const fold = createFold([...read.attempts.values(), ...journals.records]);
    const header = read.header ?? journals.header;
    const notes = [...read.notes, ...restoredBy(fold.attempts, read.attempts)];
    return { ...read, ...(header && { header }), attempts: fold.attempts, notes, journals: journals.paths };
  } catch (fault) {
    return unreadable(fault);
  }
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

/** Without its header, a lockfile is restored from its journals only if it is empty: anything else may be another file. */
async function overwritten(files: Files, path: string, read: ReadLock & { ok: false }): Promise<ReadLock> {
  try {
    const journals = await readJournals(files, await files.real(path), undefined, LOCK_BYTES_MAX);
    if (!journals.ok || journals.header === undefined) return read;
    if ((await files.facts(path))?.bytes !== 0)
      return { ok: false, problems: [{ kind: 'not_a_lockfile', line: 1, journal: journals.paths[0] }] };
    const { attempts } = createFold(journals.records);
    const notes = restoredBy(attempts, new Map());
    return { ok: true, header: journals.header, attempts, notes, bytes: 0, journals: journals.paths };
  } catch (fault) {
    return unreadable(fault);
  }
}

function restoredBy(
  all: ReadonlyMap<string, Attempt>,
  alone: ReadonlyMap<string, Attempt>,
): readonly LockNote[] {
  const restored = [...all.values()].filter(({ attempt, rev }) => (alone.get(attempt)?.rev ?? 0) < rev);
  return restored.length === 0 ? [] : [{ kind: 'restored', attempts: restored.length }];
}

/** Reads a lockfile without its journals. */
export async function readLockAlone(files: Files, path: string): Promise<ReadLock> {
  let bytes: Uint8Array;
  try {
    bytes = await files.read(path, LOCK_BYTES_MAX);
  } catch (fault) {
    if (faultCode(fault) === 'ENOENT') return absent(files, path);
    return unreadable(fault);
  }
  const { header, attempts, problems, notes } = parseLock(decode(bytes));
  const [first, ...others] = problems;
  if (first !== undefined) return { ok: false, problems: [first, ...others] };
  return { ok: true, ...(header && { header }), attempts, notes, bytes: bytes.length, journals: [] };
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
