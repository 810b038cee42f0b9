import { readdir, rmdir, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { privatePath } from '../lockfile/private-folder.js';
import type { Session } from '../session/session.js';

/**
 * Removes the folders that were created only for the lock if nothing was recorded: the private one beside the lockfile,
 * and the sandbox's. Each is removed only if it is empty; a run that starts meanwhile creates them again.
 */
export async function removeIdleFolders({ settings }: Pick<Session, 'settings'>): Promise<void> {
  const { sandbox, sandboxDirectory, lockfilePath } = settings;
  if (await exists(lockfilePath.value)) return;
  const folder = path.dirname(privatePath(lockfilePath.value, ''));
  const left = await readdir(folder).catch(() => ['?']);
  if (left.every((name) => name === '.gitignore')) {
    if (left.length > 0) await unlink(path.join(folder, '.gitignore')).catch(() => {});
    await rmdir(folder).catch(() => {});
  }
  if (sandbox) await rmdir(sandboxDirectory).catch(() => {});
}

/** A folder that cannot be checked counts as existing. */
async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    (fault: NodeJS.ErrnoException) => fault.code !== 'ENOENT' && fault.code !== 'ENOTDIR',
  );
}
