import { dirname, join } from 'node:path';
import { describeFault, faultCode } from '../core/errors.js';
import type { Files, Random } from '../core/ports.js';
import { OBJECT_BYTES_MAX, type ObjectStore, type PutAnswer, StoreFault } from './object-store.js';

/**
 * A folder that several machines mount. An object is written under a unique name, synced, and given its final name with
 * `link`, which fails if that name is taken. So an object is either complete or absent.
 */
export function createFolderStore(files: Files, random: Random, root: string): ObjectStore {
  const pathOf = (key: string) => join(root, ...key.split('/'));

  async function put(key: string, bytes: Uint8Array): Promise<PutAnswer> {
    await requireRoot(files, root);
    const path = pathOf(key);
    const draft = join(dirname(path), `.${Buffer.from(random.bytes(12)).toString('hex')}.tmp`);
    await files.makeDirectory(dirname(path));
    await write(files, draft, bytes);
    try {
      return await publish(files, draft, path);
    } finally {
      await files.remove(draft).catch(() => {});
    }
  }

  return {
    address: `file://${root}`,
    putIfAbsent: async (key, bytes) => {
      try {
        return await put(key, bytes);
      } catch (error) {
        const fault = inTheWay(error, key) ?? asStoreFault(error);
        if (fault.kind === 'unreachable') return { kind: 'unknown', why: fault };
        throw fault;
      }
    },
    get: (key) =>
      guarded(async () => {
        try {
          return await files.read(pathOf(key), OBJECT_BYTES_MAX);
        } catch (error) {
          if (faultCode(error) !== 'ENOENT') throw inTheWay(error, key) ?? error;
          await requireRoot(files, root);
          return undefined;
        }
      }),
    list: (prefix) => guarded(() => listBelow(files, root, prefix)),
    close: async () => {},
  };
}

async function write(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  const handle = await files.open(path, 'exclusive');
  try {
    await handle.write(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function publish(files: Files, draft: string, path: string): Promise<PutAnswer> {
  let kind: 'created' | 'exists' = 'created';
  try {
    await files.link(draft, path);
  } catch (error) {
    if (faultCode(error) === 'EEXIST') kind = 'exists';
    else throw linkFault(error);
  }
  // Also for another writer's object, whose name may not be durable yet.
  await files.syncDirectory(dirname(path));
  return { kind };
}

function linkFault(error: unknown): unknown {
  const code = faultCode(error);
  if (!NO_LINKS.has(code)) return error;
  return new StoreFault('unsupported', `its file system has no hard links, or refuses them (${code})`);
}

const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Never created: an unmounted folder looks like an empty one. */
export async function requireRoot(files: Files, root: string): Promise<void> {
  if ((await files.facts(root))?.kind !== 'directory')
    throw new StoreFault('missing', 'there is no such folder; is the share mounted?');
}

/** Keys are in folders one level deep. */
async function listBelow(files: Files, root: string, prefix: string): Promise<readonly string[]> {
  await requireRoot(files, root);
  const folder = prefix.slice(0, prefix.lastIndexOf('/'));
  try {
    const names = await files.list(join(root, folder));
    return names
      .filter((name) => !name.startsWith('.'))
      .map((name) => `${folder}/${name}`)
      .filter((key) => key.startsWith(prefix))
      .sort();
  } catch (error) {
    if (faultCode(error) === 'ENOENT') return [];
    throw inTheWay(error, prefix) ?? error;
  }
}

/** Something else has the name of an object, or of its folder. */
function inTheWay(error: unknown, key: string): StoreFault | undefined {
  const folder = key.slice(0, key.lastIndexOf('/'));
  const what = {
    EISDIR: `${key} is a folder`,
    EFTYPE: `${key} is not a regular file`,
    ENOTDIR: `${folder} is not a folder`,
    EEXIST: `${folder} is not a folder`,
  }[faultCode(error)];
  return what === undefined ? undefined : new StoreFault('foreign', `${what}: venice-batch did not write it`);
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStoreFault(error);
  }
}

/** Turns a disk error into a store fault. Rethrows anything else. */
export function asStoreFault(error: unknown): StoreFault {
  if (error instanceof StoreFault) return error;
  const code = faultCode(error);
  if (code === '') throw error;
  const message = `${describeFault(code).what} (${code})`;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return new StoreFault('denied', message);
  return new StoreFault('unreachable', message);
}
