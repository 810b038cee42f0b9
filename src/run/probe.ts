import path from 'node:path';
import { faultCode } from '../errors.js';
import type { Files, Random } from '../ports.js';
import { prepareDirectory } from './publish.js';

/** Enough to notice a full disk before money is spent, little enough to be written at once. */
const PROBE_BYTES = 64 * 1024;
const DIRECTORIES_MAX = 32;

/**
 * Tries whether the output folders can take a file, before anything is bought that would have to go there.
 *
 * @returns the folder that cannot, and why
 */
export async function probeStorage(
  files: Files,
  random: Random,
  outputRoot: string,
  stems: readonly string[],
): Promise<{ directory: string; code: string } | undefined> {
  const directories = new Set(stems.map((stem) => path.dirname(path.join(outputRoot, stem))));
  for (const directory of [...directories].slice(0, DIRECTORIES_MAX)) {
    const probe = path.join(directory, `.probe-${Buffer.from(random.bytes(6)).toString('hex')}.part`);
    try {
      if ((await prepareDirectory(files, outputRoot, directory)) === 'outside')
        return { directory, code: 'outside_output_folder' };
      await sweep(files, directory);
      const handle = await files.open(probe, 'exclusive');
      try {
        await handle.write(new Uint8Array(PROBE_BYTES));
        await handle.sync();
      } finally {
        await handle.close();
        await files.remove(probe);
      }
    } catch (error) {
      return { directory, code: faultCode(error) || 'error' };
    }
  }
  return undefined;
}

/** Removes what a run that was killed at this left behind. One that is at it just now does not mind. */
async function sweep(files: Files, directory: string): Promise<void> {
  for (const name of await files.list(directory))
    if (/^\.probe-[0-9a-f]{12}\.part$/.test(name)) await files.remove(path.join(directory, name));
}
