import { faultCode } from '../core/errors.js';
import type { Files, Random } from '../core/ports.js';
import { createFold } from './fold-attempts.js';
import { createJournal } from './journal.js';
import type { LockProblem, NextCommand } from './lock-error.js';
import type { FileEnd, LockFile } from './lock-file.js';
import { heldFolderOf } from './lock-folder.js';
import { withVersion } from './lock-header.js';
import type { LockStore } from './lock-store.js';
import type { LockNote } from './lock-text.js';
import { checkEndpoint, readLock, type UsableLock } from './read.js';
import { secure } from './secure.js';
import { createWriter } from './writer.js';

export type OpenedLock =
  | { readonly ok: true; readonly store: LockStore; readonly notes: readonly LockNote[] }
  | { readonly ok: false; readonly problem: LockProblem };

export interface OpenLockOptions {
  readonly endpoint: string;
  /** For the advice in errors. */
  readonly command: NextCommand;
  /** Generates 32 random hex digits for a new lockfile. */
  readonly lineage: () => string;
  /** Address of the shared log that the lockfile is a copy of. */
  readonly log?: string | undefined;
  /** Ids of attempts to leave out. */
  readonly without?: ReadonlySet<string> | undefined;
  readonly random: Random;
}

/**
 * Opens a lockfile for writing, under the run lock. A missing file is created only with its first record. What a run
 * that did not end cleanly left is made durable, and a torn end is repaired.
 */
export async function openLock(files: Files, path: string, options: OpenLockOptions): Promise<OpenedLock> {
  const read = await readLock(files, path);
  if (!read.ok) return { ok: false, problem: read.problems[0] };
  const header = withVersion({
    format: 'venice-batch-lock',
    endpoint: options.endpoint,
    lineage: read.header?.lineage ?? options.lineage(),
    ...read.header,
    ...(options.log === undefined ? {} : { log: options.log }),
  });
  const problem = checkEndpoint(header, options.endpoint);
  if (problem !== undefined) return { ok: false, problem };
  const kept = [...read.attempts.values()].filter(({ attempt }) => options.without?.has(attempt) !== true);
  const fold = createFold(kept);
  try {
    const { command, random } = options;
    const real = await files.real(path);
    const folder = await heldFolderOf(files, real);
    const journal = createJournal({ files, lockPath: real, folder }, random, header, read.journals);
    const end = endOf(read);
    const file: LockFile = {
      files,
      random,
      path: real,
      named: path,
      folder,
      command,
      header,
      fold,
      journal,
      end,
      grown: false,
    };
    if (end.kind === 'sound') file.seen = await files.facts(real);
    await secure(file);
    return { ok: true, store: createWriter(file), notes: read.notes };
  } catch (fault) {
    const code = faultCode(fault);
    if (code === '') throw fault;
    return { ok: false, problem: { kind: 'unwritable', code } };
  }
}

function endOf({ header, notes, bytes, journals }: UsableLock): FileEnd {
  if (header === undefined) return { kind: 'absent' };
  const torn = journals.length > 0 || notes.length > 0;
  return torn ? { kind: 'unsound', bytesMin: bytes, bytesMax: bytes } : { kind: 'sound', bytes };
}
