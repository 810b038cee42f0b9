import { basename, dirname, join } from 'node:path';
import type { Files, Processes, Random } from '../core/ports.js';
import { replaceFile } from './atomic-write.js';
import { type FolderIdentity, requireInPlace } from './lock-folder.js';

/*
 * The folder beside the lockfile for files that only this program uses: the run lock, the journal, files being written.
 * It contains a `.gitignore` for itself, so that `git clean`, `git stash -u` and `git add` leave it alone.
 */

export const PRIVATE_FOLDER = '.venice-batch';

/**
 * A path in the lockfile's private folder.
 *
 * @param lockPath absolute, links resolved
 * @param suffix appended to the lockfile's name: `.guard`
 */
export function privatePath(lockPath: string, suffix: string): string {
  return join(dirname(lockPath), PRIVATE_FOLDER, `${basename(lockPath)}${suffix}`);
}

/** A file with this exact name in the lockfile's private folder. */
export function privateFile(lockPath: string, name: string): string {
  return join(dirname(lockPath), PRIVATE_FOLDER, name);
}

/** A unique path in the private folder for a file that is renamed once it is complete. */
export function scratchPath(random: Random, lockPath: string): string {
  return privatePath(lockPath, `.${randomHex(random)}.tmp`);
}

/** 32 hex digits. */
export function randomHex(random: Random): string {
  return Buffer.from(random.bytes(16)).toString('hex');
}

/**
 * Creates the lockfile's folder and the private folder in it. Throws `ELOOP` if that is a symbolic link, which a
 * repository may contain to redirect files elsewhere.
 *
 * @param lockPath absolute, links resolved
 * @param inFolder the lockfile's folder: throws `ESTALE` if there is none or another one, and creates none
 */
export async function makePrivateFolder(
  files: Files,
  random: Random,
  lockPath: string,
  inFolder?: FolderIdentity,
): Promise<void> {
  const folder = dirname(privatePath(lockPath, ''));
  if ((await files.real(folder)) !== folder)
    throw Object.assign(new Error(`a symbolic link in place of ${folder}`), { code: 'ELOOP', path: folder });
  // Last: creating the private folder would create its parents as well.
  if (inFolder !== undefined) await requireInPlace({ files, lockPath, folder: inFolder });
  await files.makeDirectory(folder);
  const ignore = join(folder, '.gitignore');
  // Empty: torn by a crash.
  if (((await files.facts(ignore))?.bytes ?? 0) > 0) return;
  try {
    await replaceFile(files, ignore, [new TextEncoder().encode('*\n')], scratchPath(random, lockPath));
  } catch (fault) {
    // Another process did the same, and removed our scratch file when it got the run lock.
    if (((await files.facts(ignore))?.bytes ?? 0) === 0) throw fault;
  }
}

/** A path in the private folder for a socket, as short as socket addresses must be. */
export function socketPath(lockPath: string, nonce: string): string {
  return join(dirname(privatePath(lockPath, '')), `${nonce}.sock`);
}

const SCRATCH = /^\.[0-9a-f]{32}\.tmp$/;
const SOCKET = /^[0-9a-f]{32}\.sock$/;

/** Removes leftovers of killed processes. Requires the run lock. */
export async function sweepPrivateFolder(
  files: Files,
  processes: Processes,
  lockPath: string,
): Promise<void> {
  const folder = dirname(privatePath(lockPath, ''));
  try {
    for (const name of await files.list(folder)) {
      const path = join(folder, name);
      const isScratch =
        name.startsWith(basename(lockPath)) && SCRATCH.test(name.slice(basename(lockPath).length));
      if (isScratch || (SOCKET.test(name) && (await isSilent(files, processes, path))))
        await files.remove(path);
    }
  } catch {
    // It stays until the next time: this must not keep the new holder from the run lock.
  }
}

async function isSilent(files: Files, processes: Processes, path: string): Promise<boolean> {
  const id = (await files.facts(path))?.id;
  return id !== undefined && (await processes.askBeacon(path, id)) === 'silent';
}
