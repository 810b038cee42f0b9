import path from 'node:path';
import { isSystemFault } from '../core/errors.js';
import type { Files, Random } from '../core/ports.js';
import { replaceFile } from '../lockfile/atomic-write.js';
import { makePrivateFolder, privateFile, scratchPath } from '../lockfile/private-folder.js';

/** Analysis results of audio files by SHA-256. Missing ones are computed again. */
export interface AudioCache {
  read(kind: string, sha256: string): Promise<unknown>;
  /** Ignores disk errors: they only cost time later. */
  write(kind: string, sha256: string, value: unknown): Promise<void>;
}

const ENTRY_BYTES_MAX = 1024 * 1024;

/**
 * Opens the folder `.venice-batch/audio` beside the lockfile.
 *
 * @param lockPath absolute
 */
export async function openAudioCache(files: Files, random: Random, lockPath: string): Promise<AudioCache> {
  const real = await files.real(lockPath);
  const fileOf = (kind: string, sha256: string) =>
    privateFile(real, path.join('audio', `${sha256}.${kind}.json`));
  return {
    async read(kind, sha256) {
      try {
        const bytes = await files.read(fileOf(kind, sha256), ENTRY_BYTES_MAX);
        return JSON.parse(new TextDecoder().decode(bytes));
      } catch (error) {
        if (error instanceof SyntaxError || isSystemFault(error)) return undefined;
        throw error;
      }
    },
    async write(kind, sha256, value) {
      const file = fileOf(kind, sha256);
      const bytes = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
      try {
        // A repository may contain a link that leads elsewhere.
        if ((await files.real(path.dirname(file))) !== path.dirname(file)) return;
        // The lockfile's folder was moved during the run: it must not be created again.
        if ((await files.facts(path.dirname(real))) === undefined) return;
        await makePrivateFolder(files, random, real);
        await files.makeDirectory(path.dirname(file));
        await replaceFile(files, file, [bytes], scratchPath(random, real));
      } catch (error) {
        if (!isSystemFault(error)) throw error;
      }
    },
  };
}
