import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import type { FileFacts, FileFault, FileHandle, Files } from '../../src/core/ports.js';
import { type Ways, waysThrough } from './ways.js';

/**
 * An in-memory disk that distinguishes what is written from what is durable. File contents become durable by `sync`,
 * names (created, linked, renamed, removed) by `syncDirectory`. A crash keeps a seeded part of the rest, as file
 * systems do: any subset of the pending changes of names, and any prefix of the unsynced bytes, perhaps followed by
 * zeros.
 */
export interface MemoryDisk {
  readonly files: Files;
  /** Operations begun so far: each call of a method of `files` or of a handle is one. */
  operations(): number;
  /**
   * Called before each operation. A code makes it fail (a failing write leaves half of its bytes); `'halt'` stops this
   * and every later operation forever, as if the process had been killed. The result may be a promise, which lets a
   * test decide the order.
   */
  intercept(before: (operation: DiskOperation) => Verdict | Promise<Verdict>): void;
  /** Resolves when an operation was halted. */
  readonly halted: Promise<void>;
  /** The disk as a crash now could leave it; equal seeds give equal disks. Does not change this one. */
  crash(seed: number): MemoryDisk;
  /** The path and text of every file, as the running system sees them. */
  texts(): Readonly<Record<string, string>>;
  /** Removes a file for good, as another program would. */
  drop(path: string): void;
  /** Creates a durable file, as another program would. */
  put(path: string, content: string | Uint8Array): void;
  /** Creates a symbolic link, as another program would; `undefined` removes it. Hides whatever was there. */
  symlink(path: string, target: string | undefined): void;
}

export interface DiskOperation {
  /** From 0. */
  readonly index: number;
  readonly name: string;
  readonly path: string;
}

export type Verdict = string | undefined;

/** @param initial durable files by absolute path; their folders are created */
export function createMemoryDisk(initial: Readonly<Record<string, string>> = {}): MemoryDisk {
  const directories = new Map<string, Directory>([['/', newDirectory()]]);
  for (const [path, text] of Object.entries(initial)) putDurable(directories, path, encode(text));
  return diskOver(directories);
}

interface Inode {
  content: Uint8Array;
  /** How many of the first bytes of `content` are durable. */
  synced: number;
  /** Durable content from before a truncation that is not yet durable. */
  before?: Uint8Array | undefined;
  modifiedMs: number;
}

/** What one operation did to the names of a folder, atomically: `undefined` means the name is gone. */
type NameChange = ReadonlyMap<string, Inode | undefined>;

interface Directory {
  readonly names: Map<string, Inode>;
  readonly durable: Map<string, Inode>;
  pending: NameChange[];
}

type Directories = Map<string, Directory>;

function diskOver(directories: Directories): MemoryDisk {
  let count = 0;
  let dead = false;
  const links = new Map<string, string>();
  let before: (operation: DiskOperation) => Verdict | Promise<Verdict> = () => undefined;
  let halt = () => {};
  const halted = new Promise<void>((resolve) => {
    halt = resolve;
  });

  async function step(name: string, path: string, partly?: () => void): Promise<void> {
    const index = count;
    count += 1;
    const verdict = dead ? 'halt' : await before({ index, name, path });
    if (verdict === 'halt' || dead) {
      dead = true;
      halt();
      return new Promise(() => {});
    }
    if (verdict !== undefined) {
      partly?.();
      throw fault(verdict, name, path);
    }
  }

  return {
    files: filesOver(directories, step, waysThrough(links)),
    operations: () => count,
    intercept(hook) {
      before = hook;
    },
    halted,
    crash: (seed) => diskOver(survivors(directories, seeded(seed))),
    texts: () => textsOf(directories),
    drop: (path) => {
      const directory = directories.get(dirname(path));
      directory?.names.delete(basename(path));
      directory?.durable.delete(basename(path));
    },
    put: (path, content) =>
      putDurable(directories, path, typeof content === 'string' ? encode(content) : content),
    symlink: (path, target) => {
      if (target === undefined) links.delete(path);
      else links.set(path, target);
    },
  };
}

type Step = (name: string, path: string, partly?: () => void) => Promise<void>;

/** Numbers files, to tell two names of one file from two files. */
const numbers = new WeakMap<Inode, number>();
let lastNumber = 0;

function idOf(inode: Inode): string {
  const known = numbers.get(inode) ?? ++lastNumber;
  numbers.set(inode, known);
  return String(known);
}

function filesOver(
  directories: Directories,
  step: Step,
  ways: Ways,
  way: Ways['follow'] = ways.follow,
): Files {
  const isLink = (path: string) => ways.follow(path, 'keep') !== ways.follow(path, 'follow');
  const lookUp = (path: string) => directories.get(dirname(path))?.names.get(basename(path));
  const mustHave = (path: string, name: string): Inode => {
    const inode = lookUp(path);
    if (inode !== undefined) return inode;
    throw fault(directories.has(path) ? 'EISDIR' : 'ENOENT', name, path);
  };
  const parentOf = (path: string, name: string): Directory => {
    const parent = directories.get(dirname(path));
    if (parent === undefined) throw fault('ENOENT', name, path);
    return parent;
  };
  const confined = way !== ways.follow;

  return {
    async read(path, bytesMax) {
      await step('read', path);
      const { content } = mustHave(way(path, 'follow'), 'read');
      if (content.length > bytesMax) throw fault('EFBIG', 'read', path);
      return content.slice();
    },
    async *stream(path, firstByte = 0) {
      await step('stream', path);
      const { content } = mustHave(way(path, 'follow'), 'stream');
      for (let at = firstByte; at < content.length; at += 1 << 20) yield content.slice(at, at + (1 << 20));
    },
    async facts(path): Promise<FileFacts | undefined> {
      await step('facts', path);
      const found = way(path, confined ? 'keep' : 'follow');
      const about = { bytes: 0, modifiedMs: 0, id: found, isPrivate: true };
      if (confined && isLink(found)) return { kind: 'other', ...about };
      if (directories.has(found)) return { kind: 'directory', ...about };
      const inode = lookUp(found);
      if (inode === undefined) return undefined;
      const { content, modifiedMs } = inode;
      return { kind: 'file', bytes: content.length, modifiedMs, id: idOf(inode), isPrivate: true };
    },
    async real(path) {
      await step('real', path);
      return ways.follow(path, 'follow');
    },
    async list(directory) {
      await step('list', directory);
      const real = way(directory, 'follow');
      const found = directories.get(real);
      if (found === undefined) throw fault('ENOENT', 'list', directory);
      const folders = [...directories.keys()].filter((path) => path !== '/' && dirname(path) === real);
      return [...found.names.keys(), ...folders.map((path) => basename(path))].sort();
    },
    async makeDirectory(path) {
      await step('makeDirectory', path);
      const found = way(path, 'follow');
      if (lookUp(found) !== undefined) throw fault('EEXIST', 'makeDirectory', path);
      addDirectories(directories, found);
    },
    async open(path, mode) {
      await step('open', path);
      const found = way(path, 'keep');
      if (isLink(found)) throw fault(mode === 'exclusive' ? 'EEXIST' : 'ELOOP', 'open', path);
      if (directories.has(found)) throw fault('EISDIR', 'open', path);
      const parent = parentOf(found, 'open');
      let inode = lookUp(found);
      if (inode === undefined) {
        if (mode === 'append') throw fault('ENOENT', 'open', path);
        inode = { content: new Uint8Array(0), synced: 0, modifiedMs: 0 };
        change(parent, new Map([[basename(found), inode]]));
      } else if (mode === 'exclusive') throw fault('EEXIST', 'open', path);
      else if (mode === 'truncate') truncate(inode);
      return handleOf(inode, path, step);
    },
    async rename(from, to) {
      await step('rename', from);
      const [old, next] = [way(from, 'keep'), way(to, 'keep')];
      const inode = mustHave(old, 'rename');
      if (directories.has(next)) throw fault('EISDIR', 'rename', to);
      const [source, target] = [parentOf(old, 'rename'), parentOf(next, 'rename')];
      if (lookUp(next) === inode) return;
      if (source === target) {
        change(
          source,
          new Map<string, Inode | undefined>([
            [basename(old), undefined],
            [basename(next), inode],
          ]),
        );
      } else {
        change(target, new Map([[basename(next), inode]]));
        change(source, new Map([[basename(old), undefined]]));
      }
    },
    async link(from, to) {
      await step('link', to);
      const [old, next] = [way(from, 'keep'), way(to, 'keep')];
      const inode = mustHave(old, 'link');
      const parent = parentOf(next, 'link');
      if (lookUp(next) !== undefined || directories.has(next) || isLink(next))
        throw fault('EEXIST', 'link', to);
      change(parent, new Map([[basename(next), inode]]));
    },
    async remove(path) {
      await step('remove', path);
      const found = way(path, 'keep');
      if (lookUp(found) === undefined) return;
      change(parentOf(found, 'remove'), new Map([[basename(found), undefined]]));
    },
    async syncDirectory(path) {
      await step('syncDirectory', path);
      const directory = directories.get(way(path, 'follow'));
      if (directory === undefined) throw fault('ENOENT', 'syncDirectory', path);
      for (const pending of directory.pending) apply(directory.durable, pending);
      directory.pending = [];
    },
    below: async (root) => filesOver(directories, step, ways, ways.below(root)),
  };
}

function handleOf(inode: Inode, path: string, step: Step): FileHandle {
  let open = true;
  const checkOpen = (name: string) => {
    if (!open) throw fault('EBADF', name, path);
  };
  const append = (bytes: Uint8Array) => {
    inode.content = Buffer.concat([inode.content, bytes]);
    inode.modifiedMs += 1;
  };
  return {
    async write(bytes) {
      await step('write', path, () => append(bytes.slice(0, bytes.length >> 1)));
      checkOpen('write');
      append(bytes);
    },
    async sync() {
      await step('sync', path);
      checkOpen('sync');
      inode.synced = inode.content.length;
      inode.before = undefined;
    },
    async close() {
      await step('close', path);
      checkOpen('close');
      open = false;
    },
  };
}

function truncate(inode: Inode): void {
  inode.before ??= inode.content.slice(0, inode.synced);
  inode.content = new Uint8Array(0);
  inode.synced = 0;
  inode.modifiedMs += 1;
}

function change(directory: Directory, names: NameChange): void {
  apply(directory.names, names);
  directory.pending.push(names);
}

function apply(names: Map<string, Inode>, changes: NameChange): void {
  for (const [name, inode] of changes) {
    if (inode === undefined) names.delete(name);
    else names.set(name, inode);
  }
}

function newDirectory(): Directory {
  return { names: new Map(), durable: new Map(), pending: [] };
}

/** Folders are durable at once, as `Files` promises. */
function addDirectories(directories: Directories, path: string): void {
  for (let at = path; !directories.has(at); at = dirname(at)) directories.set(at, newDirectory());
}

function putDurable(directories: Directories, path: string, content: Uint8Array): void {
  addDirectories(directories, dirname(path));
  const directory = directories.get(dirname(path));
  const inode: Inode = { content, synced: content.length, modifiedMs: 0 };
  directory?.names.set(basename(path), inode);
  directory?.durable.set(basename(path), inode);
}

function survivors(directories: Directories, random: () => number): Directories {
  const kept = new Map<Inode, Inode>();
  const keep = (inode: Inode): Inode => {
    const known = kept.get(inode);
    if (known !== undefined) return known;
    const content = survivingContent(inode, random);
    const survivor = { content, synced: content.length, modifiedMs: inode.modifiedMs };
    kept.set(inode, survivor);
    return survivor;
  };
  const result: Directories = new Map();
  for (const [path, directory] of directories) {
    const names = new Map(directory.durable);
    for (const pending of directory.pending) if (random() < 0.5) apply(names, pending);
    const survivor = newDirectory();
    for (const [name, inode] of names) {
      survivor.names.set(name, keep(inode));
      survivor.durable.set(name, keep(inode));
    }
    result.set(path, survivor);
  }
  return result;
}

function survivingContent(inode: Inode, random: () => number): Uint8Array {
  if (inode.before !== undefined && random() < 0.5) return inode.before;
  const unsynced = inode.content.length - inode.synced;
  const length = inode.synced + Math.floor(random() * (unsynced + 1));
  const zeros = random() < 0.25 ? Math.floor(random() * (inode.content.length - length + 1)) : 0;
  return Buffer.concat([inode.content.slice(0, length), new Uint8Array(zeros)]);
}

function textsOf(directories: Directories): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [path, directory] of directories) {
    for (const [name, inode] of directory.names) {
      texts[path === '/' ? `/${name}` : `${path}/${name}`] = new TextDecoder().decode(inode.content);
    }
  }
  return texts;
}

function fault(code: string, name: string, path: string): FileFault {
  return Object.assign(new Error(`${code}: ${name} ${path}`), { code });
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Numbers in [0, 1), determined by the seed. */
export function seeded(seed: number): () => number {
  let count = 0;
  return () => {
    count += 1;
    return createHash('sha256').update(`${seed} ${count}`).digest().readUInt32BE(0) / 2 ** 32;
  };
}
