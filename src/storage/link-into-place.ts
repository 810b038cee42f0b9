import { createHash } from 'node:crypto';
import path from 'node:path';
import { faultCode, isLinkless, isSystemFault } from '../core/errors.js';
import type { FolderFiles } from '../core/ports.js';

/**
 * Gives a synced file its final name without ever replacing an existing file: `link` fails if the name is taken, where
 * `rename` would not. Durable when resolved. Throws the `FileFault`.
 *
 * @returns `occupied` if the name is taken
 */
export async function publishFile(
  files: FolderFiles,
  from: string,
  to: string,
): Promise<'published' | 'occupied'> {
  const how = await giveName(files, from, to);
  if (how === 'occupied') return how;
  // With two folders, a power cut may keep either change without the other. Sync the new name first.
  if (path.dirname(from) !== path.dirname(to)) await files.syncDirectory(path.dirname(to));
  if (how === 'linked') await files.remove(from);
  await files.syncDirectory(path.dirname(from));
  return 'published';
}

async function giveName(
  files: FolderFiles,
  from: string,
  to: string,
): Promise<'linked' | 'renamed' | 'occupied'> {
  try {
    await files.link(from, to);
    return 'linked';
  } catch (error) {
    if (faultCode(error) === 'EEXIST') return 'occupied';
    if (!isLinkless(error)) throw error;
    // The file system has no hard links (FAT, some network mounts) or refuses them. The check and the rename are two
    // steps, but the run lock keeps other runs away. If the disk is failing, the rename fails too.
    if ((await files.facts(to)) !== undefined) return 'occupied';
    await files.rename(from, to);
    return 'renamed';
  }
}

/**
 * Makes a file durable that this run did not write: a killed run, version control or the user may not have. Throws the
 * `FileFault`.
 */
export async function makeDurable(files: FolderFiles, file: string): Promise<void> {
  try {
    const handle = await files.open(file, 'append');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    // Read-only: its name can still be made durable.
    if (!['EACCES', 'EPERM'].includes(faultCode(error))) throw error;
  }
  await files.syncDirectory(path.dirname(file));
}

/**
 * Removes a file of ours that is no longer needed. If the disk refuses, it stays: nothing depends on it.
 *
 * @param sha256 it is removed only if it has these bytes
 */
export async function removeLeftover(files: FolderFiles, file: string, sha256?: string): Promise<void> {
  try {
    if (sha256 !== undefined && (await hashFile(files, file))?.sha256 !== sha256) return;
    await files.remove(file);
  } catch (error) {
    if (!isSystemFault(error)) throw error;
  }
}

/**
 * SHA-256 (hex) and size of a file, read in pieces. `undefined` if there is no regular file, or it is behind a link.
 * Throws other faults.
 */
export async function hashFile(
  files: FolderFiles,
  file: string,
): Promise<{ sha256: string; bytes: number } | undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of files.stream(file)) {
      hash.update(piece);
      bytes += piece.byteLength;
    }
  } catch (error) {
    if (NO_FILE.has(faultCode(error))) return undefined;
    throw error;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** SHA-256 (hex) of a file; `undefined` if there is no regular file. */
export type HashOf = (file: string) => Promise<string | undefined>;

/** Reads the file as it is now: for what decides about moving it, or about another copy. */
export function hashedNow(files: FolderFiles): HashOf {
  return async (file) => (await hashFile(files, file))?.sha256;
}

/**
 * For looking where a file is: one that many lines of a lockfile name, or that has many names, is read only once, unless
 * it was modified since. Keep it for one command.
 */
export function hashedOnce(files: FolderFiles): HashOf {
  const hashOf = hashedNow(files);
  const known = new Map<string, Promise<string | undefined>>();
  return async (file) => {
    const facts = await files.facts(file);
    if (facts?.kind !== 'file') return undefined;
    const seen = `${facts.id} ${facts.bytes} ${facts.modifiedMs}`;
    const hash = known.get(seen) ?? hashOf(file);
    known.set(seen, hash);
    return hash;
  };
}

const NO_FILE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EFTYPE', 'ELOOP']);
