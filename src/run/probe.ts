import path from 'node:path';
import { faultCode } from '../errors.js';
import type { Files, FolderFiles, Random } from '../ports.js';
import type { Output } from './output.js';

/** Enough to notice a full disk before money is spent, little enough to be written at once. */
const PROBE_BYTES = 64 * 1024;
const DIRECTORIES_MAX = 32;

/**
 * Tries whether the output folders can take a file, before anything is bought that would have to go there. A folder
 * that does not exist yet is not made, as nothing may come of it: the nearest one above it is tried instead.
 *
 * @returns the folder that cannot, and why
 */
export async function probeStorage(
  all: Files,
  { files, root }: Output,
  random: Random,
  stems: readonly string[],
): Promise<{ directory: string; code: string } | undefined> {
  const directories = new Set(stems.map((stem) => path.dirname(path.join(root, stem))));
  const tried = new Set<string>();
  for (const directory of [...directories].slice(0, DIRECTORIES_MAX)) {
    try {
      const rootStands = (await files.facts(root)) !== undefined;
      const standing = await nearestStanding(rootStands ? files : all, rootStands ? directory : root);
      if (tried.has(standing)) continue;
      tried.add(standing);
      await writeProbe(rootStands ? files : all, random, standing);
    } catch (error) {
      return { directory, code: faultCode(error) || 'error' };
    }
  }
  return undefined;
}

/** The folder, or the first above it that exists. What is none, a file for one, refuses the probe. */
async function nearestStanding(files: FolderFiles, directory: string): Promise<string> {
  const parent = path.dirname(directory);
  if (parent === directory || (await files.facts(directory)) !== undefined) return directory;
  return nearestStanding(files, parent);
}

async function writeProbe(files: FolderFiles, random: Random, directory: string): Promise<void> {
  await sweep(files, directory);
  const probe = path.join(directory, `.probe-${Buffer.from(random.bytes(6)).toString('hex')}.part`);
  const handle = await files.open(probe, 'exclusive');
  try {
    await handle.write(new Uint8Array(PROBE_BYTES));
    await handle.sync();
  } finally {
    await handle.close();
    await files.remove(probe);
  }
}

/** Removes what a run that was killed at this left behind. One that is at it just now does not mind. */
async function sweep(files: FolderFiles, directory: string): Promise<void> {
  for (const name of await files.list(directory))
    if (/^\.probe-[0-9a-f]{12}\.part$/.test(name)) await files.remove(path.join(directory, name));
}
