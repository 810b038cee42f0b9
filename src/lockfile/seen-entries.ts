import { dirname } from 'node:path';
import { faultCode } from '../core/errors.js';
import type { Files, Random } from '../core/ports.js';
import { replaceFile } from './atomic-write.js';
import { makePrivateFolder, privatePath, scratchPath } from './private-folder.js';

/*
 * How many entries of the shared log this machine has read. A log that is shorter now has lost entries, and perhaps
 * claims of other machines after them. The lockfile shows only whether attempts are missing. Kept in the private folder,
 * because the number would differ in every clone.
 */

export interface Seen {
  /** Of the log: another one at the same address begins at 0. */
  readonly lineage: string;
  readonly entries: number;
}

const BYTES_MAX = 4096;

/**
 * 0 if nothing is known. Throws the `FileFault`.
 *
 * @param lockPath absolute, links resolved
 * @param lineages that the log may have
 */
export async function readSeen(files: Files, lockPath: string, lineages: readonly string[]): Promise<number> {
  try {
    const text = new TextDecoder().decode(await files.read(seenPath(lockPath), BYTES_MAX));
    const { lineage, entries } = JSON.parse(text) as Partial<Seen>;
    return Number.isSafeInteger(entries) && lineages.includes(String(lineage)) ? Number(entries) : 0;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || faultCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** Requires the run lock. Throws the `FileFault`. */
export async function writeSeen(files: Files, random: Random, lockPath: string, seen: Seen): Promise<void> {
  // The lockfile's folder was moved during the run: it must not be created again.
  if ((await files.facts(dirname(lockPath))) === undefined) return;
  await makePrivateFolder(files, random, lockPath);
  const text = new TextEncoder().encode(`${JSON.stringify(seen)}\n`);
  await replaceFile(files, seenPath(lockPath), [text], scratchPath(random, lockPath));
}

/** @param lockPath absolute, links resolved */
export function seenPath(lockPath: string): string {
  return privatePath(lockPath, '.entries');
}
