import { type BatchError, faultCode } from '../core/errors.js';
import type { Files, Random } from '../core/ports.js';
import type { Attempt } from './attempt.js';
import { LOCK_VERSION } from './check.js';
import { createFold } from './merge.js';
import type { LockNote } from './format.js';
import { createJournal } from './journal.js';
import { type FileEnd, type LockFile, secure } from './lock-file.js';
import type { LockProblem, NextCommand } from './lock-error.js';
import { checkEndpoint, type ReadLock, readLock } from './read.js';
import { createWriter } from './writer.js';

export interface LockHeader {
  readonly format: 'venice-batch-lock';
  /** As it is written: an older one is brought up to it when it is read. */
  readonly version: typeof LOCK_VERSION;
  /** Base URL of the API that all attempts went to. */
  readonly endpoint: string;
  /** Random, for the lockfile's whole life: 32 hex digits. Salts the key fingerprints. */
  readonly lineage: string;
}

/** The single writer of a lockfile, for one process that holds its guard. */
export interface LockStore {
  readonly header: LockHeader;
  /** Folded, by attempt id, in the order of first appearance. */
  readonly attempts: ReadonlyMap<string, Attempt>;
  /** The newest record of an attempt, also one that is still being written: what the next one is made from. */
  newest(attempt: string): Attempt | undefined;
  /**
   * Appends the attempt as it is now; resolved when it is durable (one sync serves all that wait).
   * `rev` must be higher than what is known. Rejects with the `FileFault` when it could not be made durable;
   * `attempts` then does not show it, and later calls try again from a sound end of the file.
   */
  record(attempt: Attempt): Promise<void>;
  /**
   * Makes sure that the path still names the file that holds all records, and puts them back where it does not. Rejects
   * with the `FileFault`.
   */
  confirm(): Promise<void>;
  /** Why nothing may be bought any more: what others did to the lockfile during the run. */
  trouble(): StoreTrouble | undefined;
  /** Rewrites the file canonically (one line an attempt, sorted; atomic) and closes it. */
  close(): Promise<void>;
  /** Closes without rewriting: nothing was changed, or the disk is in trouble. */
  abandon(): Promise<void>;
}

export type StoreTrouble =
  /** It cannot be used, or is another one: records go into the journal alone. The error says what to do. */
  | { readonly kind: 'displaced'; readonly error: BatchError }
  /** It has attempts that this run did not know when it was planned. */
  | { readonly kind: 'grown' };

export type OpenedLock =
  | { readonly ok: true; readonly store: LockStore; readonly notes: readonly LockNote[] }
  | { readonly ok: false; readonly problem: LockProblem };

/**
 * Opens a lockfile for writing, under its guard. A missing file is created with its first record only. What a
 * run left that did not end cleanly is made durable, its torn end mended.
 *
 * @param options.command for what errors advise
 * @param options.lineage gives 32 random hex digits, for a new lockfile
 */
export async function openLock(
  files: Files,
  path: string,
  options: {
    readonly endpoint: string;
    readonly command: NextCommand;
    readonly lineage: () => string;
    readonly random: Random;
  },
): Promise<OpenedLock> {
  const read = await readLock(files, path);
  if (!read.ok) return { ok: false, problem: read.problems[0] };
  const header: LockHeader = read.header ?? {
    format: 'venice-batch-lock',
    version: LOCK_VERSION,
    endpoint: options.endpoint,
    lineage: options.lineage(),
  };
  const problem = checkEndpoint(header, options.endpoint);
  if (problem !== undefined) return { ok: false, problem };
  const fold = createFold(read.attempts.values());
  try {
    const { command, random } = options;
    const real = await files.real(path);
    const journal = createJournal(files, random, real, header, read.journals);
    const end = endOf(read);
    const file: LockFile = { files, random, path: real, command, header, fold, journal, end, grown: false };
    if (end.kind === 'sound') file.seen = await files.facts(real);
    await secure(file);
    return { ok: true, store: createWriter(file), notes: read.notes };
  } catch (fault) {
    const code = faultCode(fault);
    if (code === '') throw fault;
    return { ok: false, problem: { kind: 'unwritable', code } };
  }
}

function endOf({ header, notes, bytes, journals }: ReadLock & { ok: true }): FileEnd {
  if (header === undefined) return { kind: 'absent' };
  const torn = journals.length > 0 || notes.some((note) => note.kind === 'unterminated');
  return torn ? { kind: 'unsound', bytesMin: bytes, bytesMax: bytes } : { kind: 'sound', bytes };
}
