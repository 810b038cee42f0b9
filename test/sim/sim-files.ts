import type { FileFacts, FileHandle, Files } from '../../src/core/ports.js';
import { type Ways, waysThrough } from '../fakes/ways.js';
import type { Disk, Entry, Inode } from './disk.js';
import { ancestors, createInode, failSync, folderOf, syncInode } from './disk.js';
import { led, type MovedFolder } from './moved-folder.js';
import type { SimProcess, Sort } from './process.js';
import type { Rng } from './random.js';

/** How often each disk fault occurs, per operation. */
export interface DiskRates {
  readonly ioError: number;
  /** The disk is full for a while. */
  readonly full: number;
  /** The folder is read-only for a while. */
  readonly readOnly: number;
  /** The operation takes seconds. */
  readonly slow: number;
}

/** What all processes share of the disk: its faults and its observers. */
export interface DiskWorld {
  readonly disk: Disk;
  readonly rng: Rng;
  readonly movedFolder: MovedFolder;
  readonly nowMs: () => number;
  /** All zero once faults are off. */
  rates: DiskRates;
  /** By file system: the rescue folders are on another one. */
  readonly fullUntilMs: Map<string, number>;
  readonly readOnlyUntilMs: Map<string, number>;
  /** Called before each change of the disk, with `bytes` if some are written. */
  readonly onChange: (path: string, bytes?: Uint8Array) => void;
  /** Called for each read of a file. */
  readonly onRead: (path: string) => void;
  /** Called when a process resolves its output folder. */
  readonly onRoot: (simProcess: SimProcess) => void;
}

const MS_MAX = 2;
const TROUBLE_MS_MAX = 90_000;

/** @param way How paths are resolved: through links, or below a folder. */
export function createSimFiles(world: DiskWorld, simProcess: SimProcess, way?: Ways['follow']): Files {
  const { disk, rng } = world;
  const ways = waysThrough(disk.links);
  const find: Ways['follow'] = (path, last) => led(world.movedFolder, (way ?? ways.follow)(path, last));
  const act = <T>(effect: () => T, sort?: Sort): Promise<T> =>
    simProcess.act(
      rng.chance(world.rates.slow) ? rng.between(100, 20_000) : rng.next() * MS_MAX,
      effect,
      sort,
    );

  const fileAt = (path: string): Inode => {
    const entry = disk.entries.get(path);
    if (disk.links.has(path)) throw fault('ELOOP');
    if (entry === undefined) throw fault('ENOENT');
    if (entry === 'directory') throw fault('EISDIR');
    return entry;
  };
  const reading = <T>(effect: () => T) =>
    act(() => {
      if (rng.chance(world.rates.ioError)) throw fault('EIO');
      return effect();
    });
  const contentAt = (path: string): Uint8Array => {
    const found = find(path, 'follow');
    const { bytes } = fileAt(found);
    world.onRead(found);
    return bytes;
  };
  /** A change of entries fails as a whole. */
  const changing = <T>(path: string, needsSpace: boolean, effect: (found: string) => T) =>
    act(() => {
      const found = find(path, 'keep');
      strike(world, found, needsSpace && !disk.entries.has(found));
      if (disk.entries.get(folderOf(found)) !== 'directory') throw fault('ENOENT');
      world.onChange(found);
      return effect(found);
    }, 'names');

  return {
    read: (path, bytesMax) =>
      reading(() => {
        const bytes = contentAt(path);
        if (bytes.length > bytesMax) throw fault('EFBIG');
        return bytes;
      }),
    stream: async function* (path, firstByte = 0) {
      const bytes = (await reading(() => contentAt(path))).slice(firstByte);
      if (bytes.length > 0) yield bytes;
    },
    facts: (path) =>
      reading(() => {
        const found = find(path, way === undefined ? 'follow' : 'keep');
        return disk.links.has(found)
          ? { ...NO_FILE, kind: 'other' }
          : factsOf(found, disk.entries.get(found));
      }),
    real: (path) => reading(() => ways.follow(path, 'follow')),
    hold: (path) => {
      const found = find(path, 'follow');
      return { isDeleted: () => !disk.entries.has(found), close: () => {} };
    },
    list: (directory) =>
      reading(() => {
        const found = find(directory, 'follow');
        if (disk.entries.get(found) !== 'directory') throw fault('ENOENT');
        return [...disk.entries.keys()]
          .filter((path) => path !== '/' && folderOf(path) === found)
          .map((path) => path.slice(found.length + 1));
      }),
    makeDirectory: (path) =>
      act(() => {
        const found = find(path, 'follow');
        if (disk.entries.get(found) === 'directory') return;
        strike(world, found, true);
        if (ancestors(found).some((part) => typeof disk.entries.get(part) === 'object'))
          throw fault('ENOTDIR');
        world.onChange(found);
        disk.makeDirectory(found);
      }),
    open: async (path, mode) => {
      const inode = await changing(path, true, (found) => openInode(world, found, mode));
      return handleOf(world, act, path, inode);
    },
    rename: (from, to) =>
      changing(to, false, (target) => {
        const source = find(from, 'keep');
        const inode = fileAt(source);
        world.onChange(source);
        if (disk.entries.get(target) === 'directory') throw fault('EISDIR');
        // Two names of one file: POSIX rename does nothing.
        if (disk.entries.get(target) !== inode)
          disk.change([
            [target, inode],
            [source, undefined],
          ]);
      }),
    link: (from, to) =>
      changing(to, true, (target) => {
        const inode = fileAt(find(from, 'keep'));
        if (disk.entries.has(target) || disk.links.has(target)) throw fault('EEXIST');
        disk.change([[target, inode]]);
      }),
    remove: (path) =>
      act(() => {
        const found = find(path, 'keep');
        if (!disk.entries.has(found)) return;
        strike(world, found, false);
        fileAt(found);
        world.onChange(found);
        disk.change([[found, undefined]]);
      }, 'names'),
    syncDirectory: (path) =>
      act(() => {
        const found = find(path, 'follow');
        if (rng.chance(world.rates.ioError)) throw fault('EIO');
        if (disk.entries.get(found) !== 'directory') throw fault('ENOENT');
        disk.syncDirectory(found);
      }, 'names'),
    below: (root) =>
      reading(() => {
        world.onRoot(simProcess);
        return createSimFiles(world, simProcess, ways.below(root));
      }),
  };
}

function openInode(world: DiskWorld, path: string, mode: 'exclusive' | 'truncate' | 'append'): Inode {
  const existing = world.disk.entries.get(path);
  if (world.disk.links.has(path)) throw fault(mode === 'exclusive' ? 'EEXIST' : 'ELOOP');
  if (existing === 'directory') throw fault('EISDIR');
  if (existing !== undefined && mode === 'exclusive') throw fault('EEXIST');
  if (existing !== undefined) {
    if (mode === 'truncate') existing.bytes = new Uint8Array(0);
    return existing;
  }
  if (mode === 'append') throw fault('ENOENT');
  const inode = createInode(world.nowMs());
  world.disk.change([[path, inode]]);
  return inode;
}

type Act = <T>(effect: () => T) => Promise<T>;

function handleOf(world: DiskWorld, act: Act, path: string, inode: Inode): FileHandle {
  let open = true;
  const usable = () => {
    if (!open) throw fault('EBADF');
  };
  return {
    write: (bytes) => {
      const copy = new Uint8Array(bytes);
      return act(() => {
        usable();
        world.onChange(path, copy);
        try {
          strike(world, path, true);
        } catch (error) {
          // Whatever fitted is written.
          append(inode, copy.subarray(0, world.rng.below(copy.length + 1)), world.nowMs());
          throw error;
        }
        append(inode, copy, world.nowMs());
      });
    },
    sync: () =>
      act(() => {
        usable();
        if (world.rng.chance(world.rates.ioError)) {
          failSync(inode);
          throw fault('EIO');
        }
        syncInode(inode);
      }),
    close: () =>
      act(() => {
        usable();
        open = false;
        if (world.rng.chance(world.rates.ioError)) throw fault('EIO');
      }),
  };
}

function append(inode: Inode, bytes: Uint8Array, nowMs: number): void {
  inode.modifiedMs = nowMs;
  if (inode.bytes.length === 0) {
    inode.bytes = bytes;
    return;
  }
  const joined = new Uint8Array(inode.bytes.length + bytes.length);
  joined.set(inode.bytes);
  joined.set(bytes, inode.bytes.length);
  inode.bytes = joined;
}

/** The faults of a write. */
function strike(world: DiskWorld, path: string, needsSpace: boolean): void {
  const { rng, rates, fullUntilMs, readOnlyUntilMs } = world;
  const nowMs = world.nowMs();
  const fileSystem = path.split('/', 3).join('/');
  if (rng.chance(rates.full)) fullUntilMs.set(fileSystem, nowMs + rng.below(TROUBLE_MS_MAX));
  if (rng.chance(rates.readOnly)) readOnlyUntilMs.set(fileSystem, nowMs + rng.below(TROUBLE_MS_MAX));
  if (nowMs < (readOnlyUntilMs.get(fileSystem) ?? 0)) throw fault('EROFS');
  if (needsSpace && nowMs < (fullUntilMs.get(fileSystem) ?? 0)) throw fault('ENOSPC');
  if (rng.chance(rates.ioError)) throw fault('EIO');
}

const NO_FILE = { bytes: 0, modifiedMs: 0, id: '', isPrivate: true } as const;

function factsOf(path: string, entry: Entry | undefined): FileFacts | undefined {
  if (entry === undefined) return undefined;
  if (entry === 'directory') return { ...NO_FILE, kind: 'directory', id: path };
  const { bytes, modifiedMs, number } = entry;
  return { kind: 'file', bytes: bytes.length, modifiedMs, id: String(number), isPrivate: true };
}

function fault(code: string): Error & { code: string } {
  return Object.assign(new Error(`simulated ${code}`), { code });
}
