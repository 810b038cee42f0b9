import { dirname } from 'node:path';
import { BatchError, EXIT, isSystemFault } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import { shellWord } from '../core/shell.js';
import type { NextCommand } from './lock-error.js';
import { type FolderIdentity, isInPlace } from './lock-folder.js';

interface NamedFile {
  readonly files: Files;
  /** Absolute, links resolved when the run began. */
  readonly path: string;
  /** Absolute, as the user named it. */
  readonly named: string;
  /** Its folder when the run began: see `LockFolder`. */
  readonly folder: FolderIdentity | undefined;
  readonly command: NextCommand;
}

/**
 * Whether the lockfile's folder was moved or unmounted, or another one took its place. Nothing is written at its path
 * then. What this run records reaches the journal in the moved folder, where the next run finds it.
 */
export async function movedAway({
  files,
  path,
  folder,
  command,
}: NamedFile): Promise<BatchError | undefined> {
  if (await isInPlace({ files, lockPath: path, folder })) return undefined;
  const place = shellWord(dirname(path));
  const isOther = (await files.facts(dirname(path))) !== undefined;
  const other = isOther ? `move the other folder at ${place} away, then ` : '';
  return new BatchError(
    'lockfile-replaced',
    `${place}, the folder of the lockfile, was moved, unmounted or replaced during the run${isOther ? ': another folder is there now' : ''}`,
    {
      exitCode: EXIT.lockfile,
      hint: `what this run bought is recorded in that folder, wherever it is now: ${other}put it back at ${place}; then: ${command('run')}`,
    },
  );
}

/**
 * Whether the name leads to another file by now, because a link on the way was replaced. The records are safe in the
 * file where the run began, but the next run would not find them.
 */
export async function ledAway({
  files,
  path,
  named,
  command,
}: Omit<NamedFile, 'folder'>): Promise<BatchError | undefined> {
  try {
    if ((await files.real(named)) === path) return undefined;
    // Some disks return a file's name in another spelling once it exists.
    const there = await files.facts(named);
    if (there !== undefined && there.id === (await files.facts(path))?.id) return undefined;
  } catch (fault) {
    // A link that cannot be followed must not prevent the record.
    if (!isSystemFault(fault)) throw fault;
  }
  return new BatchError(
    'lockfile-replaced',
    `${shellWord(named)} no longer leads to ${shellWord(path)}, the lockfile of this run`,
    {
      exitCode: EXIT.lockfile,
      hint: `restore the link, then: ${command('run')}; or join both files: venice-batch lock merge ${shellWord(named)} ${shellWord(path)}`,
    },
  );
}
