import { createHash } from 'node:crypto';
import path from 'node:path';
import { faultCode } from '../errors.js';
import type { Files } from '../ports.js';

/** A name for a file that may not take the place it wanted: tells which request it was made from. */
export function asideStem(stem: string, digest: string): string {
  return `${stem}.${digest.replace(/^v\d+:/, '').slice(0, 8)}`;
}

/**
 * Gives a synced file its final name without ever replacing what is there: `link` fails where something
 * stands, `rename` would not. Durable when resolved. Throws the `FileFault`.
 *
 * @returns `occupied` when something already has that name
 */
export async function publishFile(files: Files, from: string, to: string): Promise<'published' | 'occupied'> {
  const how = await giveName(files, from, to);
  if (how === 'occupied') return how;
  // In two folders a loss of power may keep either change without the other: the new name comes first.
  if (path.dirname(from) !== path.dirname(to)) await files.syncDirectory(path.dirname(to));
  if (how === 'linked') await files.remove(from);
  await files.syncDirectory(path.dirname(from));
  return 'published';
}

async function giveName(files: Files, from: string, to: string): Promise<'linked' | 'renamed' | 'occupied'> {
  try {
    await files.link(from, to);
    return 'linked';
  } catch (error) {
    if (faultCode(error) === 'EEXIST') return 'occupied';
    if (!LINKLESS.has(faultCode(error))) throw error;
    // A file system without hard links (FAT, some network mounts): the check and the rename are two steps,
    // but the guard keeps other runs away.
    if ((await files.facts(to)) !== undefined) return 'occupied';
    await files.rename(from, to);
    return 'renamed';
  }
}

const LINKLESS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/** SHA-256 (hex) and size of a file, read in pieces; `undefined` where no file is. Throws other faults. */
export async function hashFile(
  files: Files,
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
    if (faultCode(error) === 'ENOENT' || faultCode(error) === 'EISDIR') return undefined;
    throw error;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/**
 * The folder of an output file, created if need be.
 *
 * @returns `outside` when links lead out of the output root: nothing is written there
 */
export async function prepareDirectory(
  files: Files,
  outputRoot: string,
  directory: string,
): Promise<'ready' | 'outside'> {
  // Looked at before it is made, since making it would already write outside.
  if (await leadsOutside(files, outputRoot, directory)) return 'outside';
  await files.makeDirectory(directory);
  return 'ready';
}

/** Whether links lead from a folder of the output root, existing or not, to a place outside of it. */
export async function leadsOutside(files: Files, outputRoot: string, directory: string): Promise<boolean> {
  const root = await files.real(outputRoot);
  const real = await files.real(directory);
  return real !== root && !real.startsWith(root.endsWith(path.sep) ? root : root + path.sep);
}
