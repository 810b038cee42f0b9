import path from 'node:path';
import { faultCode } from '../core/errors.js';
import type { Files, FolderFiles, Random } from '../core/ports.js';
import { hashFile, publishFile } from './link-into-place.js';
import type { Output } from './output.js';
import { KEPT_SUFFIX } from './place-file.js';

/** Enough to notice a full disk before money is spent, and small enough for one write. */
const PROBE_BYTES = 64 * 1024;
/** Each folder costs a few syncs. Beyond this many, only check that a file can be created. */
const THOROUGH_MAX = 32;
/** What a probe file contains, to tell one left by a killed run from a file of the user's. */
const MARK = Buffer.from('venice-batch tried here whether audio can be stored; this file may be removed\n');
const NAME = /^\.probe-[0-9a-f]{12}.*\.(?:part|done)$/su;
const SUFFIX_BYTES = '.part'.length;
/** The longest suffix that a take's file name can have after its stem. */
const STEM_SUFFIX_BYTES = `.00000000${KEPT_SUFFIX}`.length;

export interface Probed {
  /** The first folder that cannot store a file, and why. */
  readonly fault?: { readonly directory: string; readonly code: string };
  /** The first folder whose file system cannot sync folders. */
  readonly unsynced?: string;
}

/**
 * Goes through all steps of storing a file in each output folder, before anything is bought that would be stored there.
 *
 * @param how `nearest`: creates no folders, and tests the nearest existing parent instead. `make`: creates the folders,
 *   and tests those that did not exist.
 * @param bytesMin free space below which not everything can be stored
 */
export async function probeStorage(
  all: Files,
  output: Output,
  random: Random,
  { stems, how, bytesMin = 0 }: { stems: readonly string[]; how: 'nearest' | 'make'; bytesMin?: number },
): Promise<Probed> {
  const directories = new Set(stems.map((stem) => path.dirname(path.join(output.root, stem))));
  const names = stems.map((stem) => path.basename(stem));
  const probeIn = (directory: string) => probePath(random, directory, names);
  const tried = new Set<string>();
  let unsynced: string | undefined;
  for (const directory of directories) {
    try {
      const place = how === 'make' ? await made(output, directory) : await nearest(all, output, directory);
      if (place === undefined || tried.has(place.directory)) continue;
      tried.add(place.directory);
      if (tried.size > THOROUGH_MAX) {
        await takesFile(place.files, probeIn(place.directory));
        continue;
      }
      if (!(await hasRoom(all, place.directory, bytesMin, stems.length + directories.size)))
        return { fault: { directory, code: 'ENOSPC' } };
      await storeProbe(place.files, probeIn(place.directory));
      if ((await all.canSyncDirectory?.(place.directory)) === false) unsynced ??= place.directory;
    } catch (error) {
      return { fault: { directory, code: faultCode(error) || 'error' } };
    }
  }
  return unsynced === undefined ? {} : { unsynced };
}

/**
 * A disk can run out of files (inodes) before it runs out of bytes. Some network file systems always report 0 free files:
 * there the probe itself shows whether a file can be made.
 */
async function hasRoom(all: Files, directory: string, bytesMin: number, filesMin: number): Promise<boolean> {
  const freeBytes = await all.freeBytes?.(directory);
  const freeFiles = await all.freeFiles?.(directory);
  const tooFewBytes = freeBytes !== undefined && freeBytes < bytesMin;
  const tooFewFiles = freeFiles !== undefined && freeFiles > 0 && freeFiles < filesMin;
  return !tooFewBytes && !tooFewFiles;
}

interface Place {
  readonly files: FolderFiles;
  readonly directory: string;
}

/** The folder, or its nearest existing parent. Anything else there, such as a file, fails the probe. */
async function nearest(all: Files, { files, root }: Output, directory: string): Promise<Place> {
  const rootExists = (await files.facts(root)) !== undefined;
  const view = rootExists ? files : all;
  for (let at = rootExists ? directory : root; ; at = path.dirname(at))
    if (path.dirname(at) === at || (await view.facts(at)) !== undefined)
      return { files: view, directory: at };
}

/** Returns `undefined` if the folder existed before, when it was already tested. */
async function made({ files }: Output, directory: string): Promise<Place | undefined> {
  if ((await files.facts(directory)) !== undefined) return undefined;
  await files.makeDirectory(directory);
  return { files, directory };
}

/** The minimum that storing needs, without waiting for the disk. */
async function takesFile(files: FolderFiles, probe: string): Promise<void> {
  const part = `${probe}.part`;
  await (await files.open(part, 'exclusive')).close();
  await files.remove(part);
}

/**
 * As long as the longest name that will be needed, and with the same characters: some file systems allow only 143
 * bytes, or only the characters of one language.
 */
function probePath(random: Random, directory: string, names: readonly string[]): string {
  const longest = names.reduce((most, name) => Math.max(most, Buffer.byteLength(name)), 0);
  const bytesMax = longest + STEM_SUFFIX_BYTES - SUFFIX_BYTES;
  let name = `.probe-${Buffer.from(random.bytes(6)).toString('hex')}`;
  for (const character of new Set(names.join('')))
    if (!PLAIN.test(character) && Buffer.byteLength(name + character) <= Math.max(bytesMax, NAME_BYTES))
      name += character;
  return path.join(directory, name + '-'.repeat(Math.max(0, bytesMax - Buffer.byteLength(name))));
}

/** Every file system allows names of this length. */
const NAME_BYTES = 100;
/** Every file system allows these characters. */
const PLAIN = /[\w.-]/;

async function storeProbe(files: FolderFiles, probe: string): Promise<void> {
  const directory = path.dirname(probe);
  await sweep(files, directory);
  const [part, done] = [`${probe}.part`, `${probe}.done`];
  const handle = await files.open(part, 'exclusive');
  try {
    try {
      await handle.write(Buffer.concat([MARK, new Uint8Array(PROBE_BYTES - MARK.length)]));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publishFile(files, part, done);
    await hashFile(files, done);
  } finally {
    await files.remove(part);
    await files.remove(done);
  }
  await files.syncDirectory(directory);
}

/** Removes probe files of killed runs. A run that is probing right now is not disturbed by this. */
async function sweep(files: FolderFiles, directory: string): Promise<void> {
  for (const name of await files.list(directory))
    if (NAME.test(name) && (await isProbe(files, path.join(directory, name))))
      await files.remove(path.join(directory, name));
}

async function isProbe(files: FolderFiles, file: string): Promise<boolean> {
  const facts = await files.facts(file);
  if (facts?.kind !== 'file' || facts.bytes > PROBE_BYTES) return false;
  const bytes = Buffer.from(await files.read(file, PROBE_BYTES));
  // A run may have been killed before the first byte, or in the middle.
  return (
    MARK.subarray(0, bytes.length).equals(bytes.subarray(0, MARK.length)) &&
    bytes.subarray(MARK.length).every((byte) => byte === 0)
  );
}
