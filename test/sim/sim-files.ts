import type { FileHandle, Files } from '../../src/ports.js';
import type { Disk, Entry, Inode } from './disk.js';
import { ancestors, createInode, failSync, folderOf, syncInode } from './disk.js';
import type { SimProcess, Sort } from './process.js';
import type { Rng } from './random.js';

/** How often, per operation, each fault of the disk strikes. */
export interface DiskRates {
  readonly ioError: number;
  /** The disk fills up, for a while. */
  readonly full: number;
  /** The folder is read-only, for a while. */
  readonly readOnly: number;
  /** The operation takes seconds. */
  readonly slow: number;
}

/** What all processes share of the disk: its troubles, and who watches. */
export interface DiskWorld {
  readonly disk: Disk;
  readonly rng: Rng;
  readonly nowMs: () => number;
  /** All zero once faults are off. */
  rates: DiskRates;
  /** By file system: the rescue folders are on another one. */
  readonly fullUntilMs: Map<string, number>;
  readonly readOnlyUntilMs: Map<string, number>;
  /** Each change of the disk, before it happens; `bytes` where some are written. */
  readonly onChange: (path: string, bytes?: Uint8Array) => void;
}

const MS_MAX = 2;
const TROUBLE_MS_MAX = 90_000;

export function createSimFiles(world: DiskWorld, simProcess: SimProcess): Files {
  const { disk, rng } = world;
  const act = <T>(effect: () => T, sort?: Sort): Promise<T> =>
    simProcess.act(
      rng.chance(world.rates.slow) ? rng.between(100, 20_000) : rng.next() * MS_MAX,
      effect,
      sort,
    );

  const fileAt = (path: string): Inode => {
    const entry = disk.entries.get(path);
    if (entry === undefined) throw fault('ENOENT');
    if (entry === 'directory') throw fault('EISDIR');
    return entry;
  };
  const reading = <T>(effect: () => T) =>
    act(() => {
      if (rng.chance(world.rates.ioError)) throw fault('EIO');
      return effect();
    });
  /** A change of entries: fails whole. */
  const changing = <T>(path: string, needsSpace: boolean, effect: () => T) =>
    act(() => {
      strike(world, path, needsSpace);
      if (disk.entries.get(folderOf(path)) !== 'directory') throw fault('ENOENT');
      world.onChange(path);
      return effect();
    }, 'names');

  return {
    read: (path, bytesMax) =>
      reading(() => {
        const { bytes } = fileAt(path);
        if (bytes.length > bytesMax) throw fault('EFBIG');
        return bytes;
      }),
    stream: async function* (path) {
      const { bytes } = await reading(() => fileAt(path));
      if (bytes.length > 0) yield bytes;
    },
    facts: (path) => reading(() => factsOf(disk.entries.get(path))),
    real: (path) => reading(() => path),
    list: (directory) =>
      reading(() => {
        if (disk.entries.get(directory) !== 'directory') throw fault('ENOENT');
        return [...disk.entries.keys()]
          .filter((path) => path !== '/' && folderOf(path) === directory)
          .map((path) => path.slice(directory.length + 1));
      }),
    makeDirectory: (path) =>
      act(() => {
        if (disk.entries.get(path) === 'directory') return;
        strike(world, path, true);
        if (ancestors(path).some((part) => typeof disk.entries.get(part) === 'object'))
          throw fault('ENOTDIR');
        world.onChange(path);
        disk.makeDirectory(path);
      }),
    open: async (path, mode) => {
      const inode = await changing(path, !disk.entries.has(path), () => openInode(world, path, mode));
      return handleOf(world, act, path, inode);
    },
    rename: (from, to) =>
      changing(to, false, () => {
        const inode = fileAt(from);
        if (disk.entries.get(to) === 'directory') throw fault('EISDIR');
        // Two names of one file: POSIX has rename do nothing.
        if (disk.entries.get(to) !== inode)
          disk.change([
            [to, inode],
            [from, undefined],
          ]);
      }),
    link: (from, to) =>
      changing(to, true, () => {
        const inode = fileAt(from);
        if (disk.entries.has(to)) throw fault('EEXIST');
        disk.change([[to, inode]]);
      }),
    remove: (path) =>
      act(() => {
        if (!disk.entries.has(path)) return;
        strike(world, path, false);
        fileAt(path);
        world.onChange(path);
        disk.change([[path, undefined]]);
      }, 'names'),
    syncDirectory: (path) =>
      act(() => {
        if (rng.chance(world.rates.ioError)) throw fault('EIO');
        if (disk.entries.get(path) !== 'directory') throw fault('ENOENT');
        disk.syncDirectory(path);
      }, 'names'),
  };
}

function openInode(world: DiskWorld, path: string, mode: 'exclusive' | 'truncate' | 'append'): Inode {
  const existing = world.disk.entries.get(path);
  if (existing === 'directory') throw fault('EISDIR');
  if (existing !== undefined && mode === 'exclusive') throw fault('EEXIST');
  if (existing !== undefined) {
    if (mode === 'truncate') existing.bytes = new Uint8Array(0);
    return existing;
  }
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
          // What fitted is there.
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

/** The troubles of a write. */
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

function factsOf(entry: Entry | undefined) {
  if (entry === undefined) return undefined;
  if (entry === 'directory') return { kind: 'directory', bytes: 0, modifiedMs: 0 } as const;
  return { kind: 'file', bytes: entry.bytes.length, modifiedMs: entry.modifiedMs } as const;
}

function fault(code: string): Error & { code: string } {
  return Object.assign(new Error(`simulated ${code}`), { code });
}
