import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { faultCode } from '../core/errors.js';
import type { FileFault, Files, FolderFiles } from '../core/ports.js';
import { asHandle, factsOf, fault, idOf, openToRead, openToWrite, readAll, streamOf } from './open-file.js';
import { shared } from './shared-turns.js';

/*
 * Access to untrusted names (from a lockfile) below one folder, without following links. Node has no `openat`. On Linux
 * every folder on the way is opened in turn as `/proc/self/fd/N/name`, and the last one is used the same way: whatever
 * others change in the path meanwhile, the call happens in the folder that was checked. Elsewhere the folders are
 * checked before the call and again after it: an effect in a wrong folder cannot be ruled out, but it is never taken
 * for a success.
 */

/**
 * Opens a folder only as a starting point for paths, so read permission is not needed. The same value on all of Node's
 * Linux platforms.
 */
const O_PATH = 0o10000000;
const AS_FOLDER = O_PATH | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);
const DESCRIPTORS = '/proc/self/fd';

/** A folder found without following a link, for one call. */
interface Found {
  /** Path prefix for names in the folder. */
  readonly at: string;
  /** Throws `ESTALE` if the path to it has changed. */
  check(): void;
  close(): void;
}

/** Finds `names` below the root, one by one. */
type Find = (names: readonly string[]) => Found;

/**
 * `Files.below` over the whole file system.
 *
 * @param byDescriptor for tests: as if the system had no such paths
 */
export async function filesBelow(
  all: Files,
  root: string,
  byDescriptor = hasDescriptorPaths(),
): Promise<FolderFiles> {
  const real = await all.real(root);
  const pin = pinnedTo(resolve(root));
  const find = byDescriptor ? findByDescriptor(real, pin.check) : findByName(real, pin.check);
  // A root that does not exist yet is remembered once it does.
  orAbsent(() => find([]).close());
  return viewOf(all, resolve(root), real, find, pin.isKnown);
}

function hasDescriptorPaths(): boolean {
  try {
    return process.platform === 'linux' && lstatSync(DESCRIPTORS).isDirectory();
  } catch {
    return false;
  }
}

function staleFault(root: string): FileFault {
  return Object.assign(fault('ESTALE', `another folder took the place of ${root}, or of one below it`), {
    path: root,
  });
}

/**
 * Throws `ESTALE` for a different folder than the first one, or if the root's name leads to another one by now: users
 * and later runs look for the files there.
 */
function pinnedTo(root: string): Pin {
  let id: string | undefined;
  return {
    check: (stats) => {
      id ??= idOf(stats);
      if (id !== idOf(stats) || id !== idAt(root)) throw staleFault(root);
    },
    isKnown: () => id !== undefined,
  };
}

interface Pin {
  check(stats: Stats): void;
  isKnown(): boolean;
}

function idAt(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && idOf(stats);
}

function findByDescriptor(root: string, pin: (stats: Stats) => void): Find {
  return (names) => {
    let descriptor = openFolder(root);
    try {
      pin(fstatSync(descriptor));
      for (const name of names) {
        const next = openFolder(`${DESCRIPTORS}/${descriptor}/${name}`);
        closeSync(descriptor);
        descriptor = next;
      }
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    return { at: `${DESCRIPTORS}/${descriptor}`, check: () => {}, close: () => closeSync(descriptor) };
  };
}

function openFolder(path: string): number {
  try {
    return openSync(path, AS_FOLDER);
  } catch (error) {
    if (faultCode(error) === 'ENOTDIR' && lstatSync(path).isSymbolicLink()) throw linkFault(path);
    throw error;
  }
}

function findByName(root: string, pin: (stats: Stats) => void): Find {
  const ids = (names: readonly string[]): readonly string[] => {
    const stats = [root, ...names.map((_, at) => join(root, ...names.slice(0, at + 1)))].map(folderAt);
    pin(stats[0]!);
    return stats.map(idOf);
  };
  return (names) => {
    const before = ids(names);
    return {
      at: join(root, ...names),
      check: () => {
        if (ids(names).join() !== before.join()) throw staleFault(root);
      },
      close: () => {},
    };
  };
}

function folderAt(path: string): Stats {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) throw linkFault(path);
  if (!stats.isDirectory()) throw fault('ENOTDIR', `not a folder: ${path}`);
  return stats;
}

function linkFault(path: string): Error {
  return fault('ELOOP', `a symbolic link in the way: ${path}`);
}

function viewOf(all: Files, root: string, real: string, find: Find, wasThere: () => boolean): FolderFiles {
  const namesOf = (path: string) => namesBelow(root, path);
  const { inFolder, at } = callsIn(find, namesOf);
  const read = (path: string) => at(path, (found) => openToRead(found, 'refuse'));
  const syncDirectory = shared(async (path) => {
    const found = find(namesOf(path));
    try {
      await all.syncDirectory(found.at);
      found.check();
    } finally {
      found.close();
    }
  });
  return {
    read: async (path, bytesMax) => readAll(read(path), bytesMax, path),
    stream: async function* (path, firstByte) {
      yield* streamOf(read(path), firstByte);
    },
    facts: async (path) =>
      orAbsent(() =>
        namesOf(path).length === 0
          ? inFolder([], (found) => factsOf(lstatSync(`${found}${sep}.`)))
          : at(path, (found) => factsOf(lstatSync(found))),
      ),
    list: async (directory) => inFolder(namesOf(directory), (found) => readdirSync(found).sort()),
    makeDirectory: (path, access) =>
      makeFolders(all, real, namesOf(path), { find, wasThere, syncDirectory, access, root }),
    open: async (path, mode, access) => asHandle(at(path, (found) => openToWrite(found, mode, access))),
    rename: async (from, to) => at(from, (source) => at(to, (target) => renameSync(source, target))),
    link: async (from, to) =>
      at(from, (source) => {
        // Some systems would link the target of a symbolic link.
        if (!lstatSync(source).isFile()) throw fault('EFTYPE', `not a regular file: ${from}`);
        at(to, (target) => linkSync(source, target));
      }),
    remove: async (path) => orAbsent(() => at(path, unlinkSync)),
    syncDirectory,
  };
}

function namesBelow(root: string, path: string): readonly string[] {
  const way = relative(root, resolve(path));
  const names = way === '' ? [] : way.split(sep);
  // On Windows, the relative path to another drive is absolute.
  if (names[0] === '..' || resolve(way) === way) throw fault('EXDEV', `not below ${root}: ${path}`);
  return names;
}

function callsIn(find: Find, namesOf: (path: string) => readonly string[]) {
  /** Runs `work`, which must be synchronous, in the folder that was found. */
  const inFolder = <T>(names: readonly string[], work: (folder: string) => T): T => {
    const found = find(names);
    try {
      const result = work(found.at);
      found.check();
      return result;
    } finally {
      found.close();
    }
  };
  /** Runs `work` on the path, whose last part may be anything or not exist. */
  const at = <T>(path: string, work: (path: string) => T): T => {
    const names = namesOf(path);
    const last = names.at(-1);
    if (last === undefined) throw fault('EISDIR', `a folder: ${path}`);
    return inFolder(names.slice(0, -1), (folder) => work(`${folder}${sep}${last}`));
  };
  return { inFolder, at };
}

interface Making {
  readonly find: Find;
  /** The root existed before: if it does not now, it was moved or deleted, and another one would not be it. */
  readonly wasThere: () => boolean;
  readonly syncDirectory: (path: string) => Promise<void>;
  readonly access: 'private' | undefined;
  /** The prefix of all paths. */
  readonly root: string;
}

/** Creates one folder after another. Makes the entries of new folders, and of the last one, durable. */
async function makeFolders(
  all: Files,
  real: string,
  names: readonly string[],
  { find, wasThere, syncDirectory, access, root }: Making,
): Promise<void> {
  const isThere = (count: number): boolean => {
    const found = orAbsent(() => find(names.slice(0, count)));
    found?.close();
    return found !== undefined;
  };
  if (wasThere() && !isThere(0)) throw staleFault(root);
  if (names.length === 0 || !isThere(0)) await all.makeDirectory(real, access);
  find([]).close();
  for (let count = 1; count <= names.length; count += 1) {
    const isNew = !isThere(count);
    if (isNew) makeFolder(find(names.slice(0, count - 1)), names[count - 1]!, access);
    if (isNew || count === names.length)
      await syncDirectory(join(root, ...names.slice(0, count - 1))).catch(unlessForbidden);
  }
  find(names).close();
}

function makeFolder(parent: Found, name: string, access: 'private' | undefined): void {
  try {
    mkdirSync(`${parent.at}${sep}${name}`, access === 'private' ? 0o700 : 0o777);
    parent.check();
  } catch (error) {
    // Another call created it meanwhile, or it is not a folder, which the next check finds.
    if (faultCode(error) !== 'EEXIST') throw error;
  } finally {
    parent.close();
  }
}

/** A folder that may be used but not read cannot be synced by this process. */
function unlessForbidden(error: unknown): void {
  if (faultCode(error) !== 'EACCES' && faultCode(error) !== 'EPERM') throw error;
}

function orAbsent<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (faultCode(error) === 'ENOENT' || faultCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
