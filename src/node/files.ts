import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  linkSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { lstat, mkdir, readdir, readlink, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { faultCode } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import { filesBelow } from './files-below.js';
import {
  asHandle,
  factsOf,
  fault,
  openAnything,
  openToRead,
  openToWrite,
  readAll,
  streamOf,
} from './open-file.js';
import { shared } from './shared-turns.js';

/** As many links in a row as Linux follows. */
const LINKS_MAX = 40;

/**
 * The real file system. Operations on names only, or on a few bytes, are synchronous: passing a call to another thread
 * and back costs ten times the call. Operations that wait for the disk (syncs, audio, whole files) are asynchronous.
 */
export const systemFiles: Files = {
  read: async (path, bytesMax, kinds) => {
    const descriptor = kinds === 'pipes' ? await openAnything(path) : openToRead(path, 'follow');
    return readAll(descriptor, bytesMax, path);
  },
  stream: async function* (path, firstByte) {
    yield* streamOf(openToRead(path, 'follow'), firstByte);
  },
  facts: async (path) => {
    const stats = orNothing(() => statSync(path));
    return stats && factsOf(stats);
  },
  real: (path) => realOf(resolve(path), 0),
  list: async (directory) => (await readdir(directory)).sort(),
  hold,
  makeDirectory: makeDurableDirectory,
  open: async (path, mode, access) => asHandle(openToWrite(path, mode, access)),
  rename: async (from, to) => renameSync(from, to),
  link: async (from, to) => linkSync(from, to),
  remove: async (path) => orNothing(() => unlinkSync(path)),
  syncDirectory: shared(syncDirectory),
  canSyncDirectory,
  freeBytes,
  freeFiles,
  below: (root) => filesBelow(systemFiles, root),
};

/** `undefined` on Windows, and for folders that may not be listed. */
function hold(directory: string): ReturnType<NonNullable<Files['hold']>> {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(directory, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0));
  } catch {
    return undefined;
  }
  return {
    isDeleted: () => {
      try {
        return descriptor !== undefined && fstatSync(descriptor).nlink === 0;
      } catch (error) {
        // On a network share.
        return faultCode(error) === 'ESTALE';
      }
    },
    close: () => {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/**
 * `realpath` of the existing part, followed by the rest. A dangling link is still followed: a file created through it
 * would be at its target.
 */
async function realOf(path: string, links: number): Promise<string> {
  const existing = await orUndefined(realpath(path));
  if (existing !== undefined) return existing;
  const parent = dirname(path);
  if (parent === path) return path;
  const realParent = await realOf(parent, links);
  const here = resolve(realParent, basename(path));
  const facts = await orUndefined(lstat(here));
  if (!facts?.isSymbolicLink()) return here;
  if (links >= LINKS_MAX) throw fault('ELOOP', `too many links: ${path}`);
  return realOf(resolve(realParent, await readlink(here)), links + 1);
}

/** The folder's own entry is always made durable: an earlier run may have been killed just before that. */
async function makeDurableDirectory(path: string, access?: 'private'): Promise<void> {
  const target = resolve(path);
  const first = (await makePath(target, access === 'private' ? 0o700 : 0o777)) ?? target;
  for (let made = target; ; made = dirname(made)) {
    await syncParent(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}

/**
 * Creates a folder and its parents. Not with `recursive`, which reports `ENOENT` for a read-only disk.
 *
 * @returns the topmost folder created, if any
 */
async function makePath(path: string, mode: number): Promise<string | undefined> {
  try {
    await mkdir(path, mode);
    return path;
  } catch (error) {
    if (faultCode(error) !== 'ENOENT' || dirname(path) === path) return unlessDirectory(path, error);
  }
  const first = await makePath(dirname(path), mode);
  try {
    await mkdir(path, mode);
  } catch (error) {
    await unlessDirectory(path, error);
  }
  return first ?? path;
}

/** Another process may have created it, or it already existed. */
async function unlessDirectory(path: string, error: unknown): Promise<undefined> {
  if (!(await orUndefined(stat(path)))?.isDirectory()) throw error;
}

/** A parent folder that may be used but not read cannot be synced by this process; all others must be. */
async function syncParent(path: string): Promise<void> {
  try {
    await syncDirectory(path);
  } catch (error) {
    if (faultCode(error) !== 'EACCES' && faultCode(error) !== 'EPERM') throw error;
  }
}

/** Windows cannot open a folder for this, and some file systems (FUSE, network shares) cannot sync one. */
async function syncDirectory(path: string): Promise<void> {
  if (await canSyncDirectory(path)) return;
}

/** Syncs the folder. `false` if its file system cannot: a power cut may then lose its newest entries. */
async function canSyncDirectory(path: string): Promise<boolean> {
  if (process.platform === 'win32') return false;
  const descriptor = openSync(path, 'r');
  try {
    await syncAll(descriptor);
    return true;
  } catch (error) {
    if (UNSYNCABLE.has(faultCode(error))) return false;
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

const UNSYNCABLE: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

const syncAll = promisify(fsync);

/** Some mounts report no size. */
async function freeBytes(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize, blocks } = await statfs(path);
    return blocks > 0 ? bavail * bsize : undefined;
  } catch {
    return undefined;
  }
}

/** Disks that create inodes as needed report none. */
async function freeFiles(path: string): Promise<number | undefined> {
  try {
    const { ffree, files } = await statfs(path);
    return files > 0 ? ffree : undefined;
  } catch {
    return undefined;
  }
}

/** `ENOTDIR`: a part of the path is a file, so the path does not exist either. */
function isNothing(error: unknown): boolean {
  return faultCode(error) === 'ENOENT' || faultCode(error) === 'ENOTDIR';
}

function orNothing<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (isNothing(error)) return undefined;
    throw error;
  }
}

async function orUndefined<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (isNothing(error)) return undefined;
    throw error;
  }
}
