import { basename, dirname, join } from 'node:path';
import type { Files, Processes, Random } from '../core/ports.js';
import { replaceFile } from './atomic-write.js';

/*
 * Beside the lockfile stands a folder for what only this program uses: the guard, the journal, files being written. It
 * ignores itself, so that `git clean`, `git stash -u` and `git add` leave it alone.
 */

export const PRIVATE_FOLDER = '.venice-batch';

/**
 * A path in the private folder of a lockfile.
 *
 * @param lockPath absolute, links resolved
 * @param suffix follows the lockfile's name: `.guard`
 */
export function privatePath(lockPath: string, suffix: string): string {
  return join(dirname(lockPath), PRIVATE_FOLDER, `${basename(lockPath)}${suffix}`);
}

/** A file of that name in the private folder of a lockfile, whatever the lockfile is called. */
export function privateFile(lockPath: string, name: string): string {
  return join(dirname(lockPath), PRIVATE_FOLDER, name);
}

/** A path in the private folder that nobody else uses: for a file that is renamed when it is whole. */
export function scratchPath(random: Random, lockPath: string): string {
  return privatePath(lockPath, `.${randomHex(random)}.tmp`);
}

/** 32 hex digits. */
export function randomHex(random: Random): string {
  return Buffer.from(random.bytes(16)).toString('hex');
}

/**
 * Creates the folder of a lockfile and the private one in it. Throws `ELOOP` where that is a symbolic link: it would have
 * come with a repository, to have files written elsewhere.
 *
 * @param lockPath absolute, links resolved
 */
export async function makePrivateFolder(files: Files, random: Random, lockPath: string): Promise<void> {
  const folder = dirname(privatePath(lockPath, ''));
  if ((await files.real(folder)) !== folder)
    throw Object.assign(new Error(`a symbolic link in place of ${folder}`), { code: 'ELOOP', path: folder });
  await files.makeDirectory(folder);
  const ignore = join(folder, '.gitignore');
  // Empty: a crash tore it.
  if (((await files.facts(ignore))?.bytes ?? 0) > 0) return;
  try {
    await replaceFile(files, ignore, [new TextEncoder().encode('*\n')], scratchPath(random, lockPath));
  } catch (fault) {
    // Another process did the same, and swept our scratch file away when it had the guard.
    if (((await files.facts(ignore))?.bytes ?? 0) === 0) throw fault;
  }
}

/** A path in the private folder for a socket, as short as the address of a socket has to be. */
export function socketPath(lockPath: string, nonce: string): string {
  return join(dirname(privatePath(lockPath, '')), `${nonce}.sock`);
}

const SCRATCH = /^\.[0-9a-f]{32}\.tmp$/;
const SOCKET = /^[0-9a-f]{32}\.sock$/;

/** Removes leftovers of killed processes. Only for the holder of the lock. */
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
    // It stays behind until the next time: no fault may keep the guard from whoever has just got it.
  }
}

async function isSilent(files: Files, processes: Processes, path: string): Promise<boolean> {
  const id = (await files.facts(path))?.id;
  return id !== undefined && (await processes.askBeacon(path, id)) === 'silent';
}
