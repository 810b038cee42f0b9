import { join } from 'node:path';
import type { Files, Random } from '../core/ports.js';
import { type AudioStore, audioKey } from './audio-store.js';
import { asStoreFault, requireRoot } from './folder-store.js';
import { downloadTo, nameOnce, partName, requireSame, sumOf, writeSynced } from './hashed.js';

/** Audio in a folder that several machines mount. */
export function createFolderAudio(files: Files, random: Random, root: string): AudioStore {
  const pathOf = (sha256: string) => join(root, ...audioKey(sha256).split('/'));
  const has = async (sha256: string) => {
    await requireRoot(files, root);
    return (await files.facts(pathOf(sha256))) !== undefined;
  };
  const foundIn = async (sha256: string) => (await sumOf(files.stream(pathOf(sha256)))).sha256;
  const verify = async (sha256: string) => requireSame(await foundIn(sha256), sha256);

  return {
    address: `file://${root}`,
    put: async (path, sha256, bytes) => {
      if (await guarded(() => has(sha256))) {
        await guarded(() => verify(sha256));
        return 'stored';
      }
      const draft = join(root, 'audio', partName(random));
      try {
        const sum = await guarded(() => writeSynced(files, draft, files.stream(path)));
        if (sum.sha256 !== sha256 || sum.bytes !== bytes) {
          await files.remove(draft);
          return 'changed';
        }
        const to = pathOf(sha256);
        await guarded(async () => {
          await files.makeDirectory(join(to, '..'));
          if ((await nameOnce(files, draft, to)) === 'exists') await verify(sha256);
        });
        return 'stored';
      } catch (error) {
        // On a full disk it would take the space that the log needs.
        await files.remove(draft).catch(() => {});
        throw error;
      }
    },
    download: async (sha256, bytes, to) => {
      if ((await to.files.facts(to.path)) !== undefined) return 'exists';
      if (!(await guarded(() => has(sha256)))) return 'absent';
      return downloadTo(to, { sha256, bytes }, random, files.stream(pathOf(sha256)));
    },
    has: (sha256) => guarded(() => has(sha256)),
    holds: (sha256) => guarded(async () => (await has(sha256)) && (await foundIn(sha256)) === sha256),
    close: async () => {},
  };
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStoreFault(error);
  }
}
