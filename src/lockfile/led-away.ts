import { BatchError, EXIT, isSystemFault } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import { shellWord } from '../core/shell.js';
import type { NextCommand } from './lock-error.js';

interface NamedFile {
  readonly files: Files;
  /** Absolute, links resolved when the run began. */
  readonly path: string;
  /** Absolute, as the user named it. */
  readonly named: string;
  readonly command: NextCommand;
}

/**
 * Whether the name leads to another file by now, because a link on the way was replaced. The records are safe in the
 * file where the run began, but the next run would not find them.
 */
export async function ledAway({ files, path, named, command }: NamedFile): Promise<BatchError | undefined> {
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
