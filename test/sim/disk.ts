import type { Rng } from './random.js';

/**
 * The disk. What processes see (`bytes`, entries) is separate from what survives a power loss (`synced`, durable
 * entries). Synchronous and without faults: `sim-files.ts` makes a `Files` port of it. Byte arrays are never changed in
 * place, so snapshots are free.
 */
export interface Inode {
  bytes: Uint8Array;
  /** As of the last sync. */
  synced: Uint8Array;
  /** Ranges dropped by a failed sync. A later successful sync does not bring them back (`fsyncgate`). */
  readonly dropped: (readonly [from: number, to: number])[];
  modifiedMs: number;
  /** Unique to this inode. */
  readonly number: number;
}

export type Entry = Inode | 'directory';

/** A change of directory entries, atomic: `undefined` removes. For a rename, first the new name, then the old one. */
type EntryChange = readonly (readonly [path: string, to: Inode | undefined])[];

export interface Disk {
  readonly entries: ReadonlyMap<string, Entry>;
  /** Symbolic links by path, with their absolute targets. Created from outside, and durable at once. */
  readonly links: ReadonlyMap<string, string>;
  makeDirectory(path: string): void;
  change(change: EntryChange): void;
  syncDirectory(path: string): void;
  /** Replaces a folder by a link, from outside. */
  hide(path: string, target: string): void;
  /** Removes the link and restores the folder. */
  unhide(path: string): void;
  /** The power fails: whatever was not synced is kept, torn or lost at random. */
  losePower(): void;
  /** The worst that a power loss now could leave of the file; `undefined` if that is nothing, or not certain. */
  certain(path: string): Uint8Array | undefined;
  /** All versions that the entries may leave of the file after a power loss now, each as synced. */
  possible(path: string): readonly (Uint8Array | undefined)[];
  /** Whether one of the paths has such a file, synced, whatever a power loss now leaves of the entries. */
  survives(paths: readonly string[], isIt: (synced: Uint8Array) => boolean): boolean;
}

export function createDisk(rng: Rng): Disk {
  let entries = new Map<string, Entry>();
  let durable = new Map<string, Entry>();
  let pending: EntryChange[] = [];
  const links = new Map<string, string>();

  const applyTo = (target: Map<string, Entry>, change: EntryChange) => {
    for (const [path, to] of change) {
      if (to === undefined) target.delete(path);
      else target.set(path, to);
    }
  };

  return {
    get entries() {
      return entries;
    },
    links,
    hide: (path, target) => links.set(path, target),
    unhide: (path) => links.delete(path),
    makeDirectory: (path) => {
      for (const part of ancestors(path)) {
        entries.set(part, 'directory');
        durable.set(part, 'directory');
      }
    },
    change: (change) => {
      applyTo(entries, change);
      pending.push(change);
    },
    syncDirectory: (directory) => {
      const rest: EntryChange[] = [];
      for (const change of pending) {
        const last = change.at(-1)!;
        if (folderOf(last[0]) === directory) applyTo(durable, change);
        else if (folderOf(change[0]![0]) === directory) {
          // A move into this folder: the old name, in the other folder, may come back.
          applyTo(durable, [change[0]!]);
          rest.push([last]);
        } else rest.push(change);
      }
      pending = rest;
    },
    losePower: () => {
      applySome(rng, pending, (change) => applyTo(durable, change));
      pending = [];
      for (const entry of durable.values()) if (entry !== 'directory') tear(rng, entry);
      entries = new Map(durable);
      durable = new Map(entries);
    },
    possible: (path) => {
      const inodes = new Set([durable.get(path)]);
      for (const change of pending) for (const [at, to] of change) if (at === path) inodes.add(to);
      return [...inodes].map((inode) => (inode === 'directory' ? undefined : inode?.synced));
    },
    survives: (paths, isIt) => {
      const concerned = pending.filter((change) => change.some(([path]) => paths.includes(path)));
      return outcomes(concerned).every((kept) => {
        const entriesThen = new Map(paths.map((path) => [path, durable.get(path)]));
        for (const change of kept) applyTo(entriesThen as Map<string, Entry>, change);
        return paths.some((path) => {
          const inode = entriesThen.get(path);
          return inode !== undefined && inode !== 'directory' && isIt(inode.synced);
        });
      });
    },
    certain: (path) => {
      const inode = durable.get(path);
      if (inode === undefined || inode === 'directory') return undefined;
      if (pending.some((change) => change.some(([at, to]) => at === path && to !== inode))) return undefined;
      return startsWith(inode.bytes, inode.synced) || inode.dropped.length > 0 ? inode.synced : undefined;
    },
  };
}

let inodes = 0;

export function createInode(nowMs: number): Inode {
  const empty = new Uint8Array(0);
  inodes += 1;
  return { bytes: empty, synced: empty, dropped: [], modifiedMs: nowMs, number: inodes };
}

export function syncInode(inode: Inode): void {
  inode.synced = inode.dropped.length === 0 ? inode.bytes : withHoles(inode);
}

/** A failed sync: the kernel reports it once and forgets the pages. */
export function failSync(inode: Inode): void {
  if (inode.bytes.length > inode.synced.length) inode.dropped.push([inode.synced.length, inode.bytes.length]);
}

function withHoles(inode: Inode): Uint8Array {
  const bytes = inode.bytes.slice();
  for (const [from, to] of inode.dropped) bytes.fill(0, from, to);
  return bytes;
}

/** Keeps a prefix of each folder's changes, as a file system journal would: all, none or some. */
function applySome(rng: Rng, pending: readonly EntryChange[], apply: (change: EntryChange) => void): void {
  const luck = rng.pick(['all', 'none', 'some'] as const);
  if (luck === 'none') return;
  const cutOff = new Set<string>();
  for (const change of pending) {
    const folders = change.map(([path]) => folderOf(path));
    const lost = folders.some((folder) => cutOff.has(folder)) || (luck === 'some' && rng.chance(0.4));
    if (lost) for (const folder of folders) cutOff.add(folder);
    else apply(change);
  }
}

/** Every possible choice of changes kept: a prefix per folder; a change of two folders in both or neither. */
function outcomes(pending: readonly EntryChange[]): readonly (readonly EntryChange[])[] {
  let choices: { readonly kept: readonly EntryChange[]; readonly cutOff: ReadonlySet<string> }[] = [
    { kept: [], cutOff: new Set() },
  ];
  for (const change of pending) {
    const folders = change.map(([path]) => folderOf(path));
    choices = choices.flatMap(({ kept, cutOff }) => {
      const lost = { kept, cutOff: new Set([...cutOff, ...folders]) };
      return folders.some((folder) => cutOff.has(folder))
        ? [lost]
        : [lost, { kept: [...kept, change], cutOff }];
    });
  }
  return choices.map(({ kept }) => kept);
}

const PAGE_BYTES = 4096;

/** What becomes of unsynced bytes: kept, lost, cut somewhere, or only counted in the length. */
function tear(rng: Rng, inode: Inode): void {
  const { synced } = inode;
  const bytes = inode.dropped.length === 0 ? inode.bytes : withHoles(inode);
  if (bytes === synced) return;
  const appended = startsWith(bytes, synced);
  const base = appended ? synced.length : 0;
  const cut = base + rng.below(bytes.length - base + 1);
  switch (rng.pick(['kept', 'lost', 'cut', 'zeros', 'hole'] as const)) {
    case 'kept':
      inode.bytes = bytes;
      break;
    case 'lost':
      inode.bytes = synced;
      break;
    case 'cut':
      inode.bytes = bytes.slice(0, cut);
      break;
    case 'zeros':
      inode.bytes = bytes.slice();
      inode.bytes.fill(0, cut);
      break;
    case 'hole': {
      // An unwritten page before a written one.
      const end = cut - (cut % PAGE_BYTES);
      inode.bytes = bytes.slice();
      inode.bytes.fill(0, Math.max(base, end - PAGE_BYTES), Math.max(base, end));
    }
  }
  inode.synced = inode.bytes;
  inode.dropped.length = 0;
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  if (bytes === start) return true;
  if (bytes.length < start.length) return false;
  return Buffer.compare(bytes.subarray(0, start.length), start) === 0;
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

/** The path itself and every parent folder, outermost first. */
export function ancestors(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return ['/', ...parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)];
}
