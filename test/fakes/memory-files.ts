import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import type { FileFacts, FileFault, FileHandle, Files } from '../../src/ports.js';

/**
 * A disk in memory that tells what is written from what is durable. File contents become durable by
 * `sync`, names (created, linked, renamed, removed) by `syncDirectory`. A crash keeps a seeded part of the rest:
 * any part of the pending changes of names, any beginning of the unsynced bytes, perhaps followed by zeros, as
 * file systems leave them.
 */
export interface MemoryDisk {
  readonly files: Files;
  /** Operations begun so far: each call of a method of `files` or of a handle is one. */
  operations(): number;
  /**
   * Is asked before each operation. A code makes it fail (a failing write leaves half of its bytes); `'halt'` stops
   * this and every later operation for ever, as if the process had been killed. What it returns may be awaited:
   * so a test decides who goes on.
   */
  intercept(before: (operation: DiskOperation) => Verdict | Promise<Verdict>): void;
  /** Resolves when an operation was halted. */
  readonly halted: Promise<void>;
  /** The disk as a crash now may leave it; equal seeds give equal disks. This one stays as it is. */
  crash(seed: number): MemoryDisk;
  /** Of every file, its path and its text, as the running system sees them. */
  texts(): Readonly<Record<string, string>>;
  /** Puts a durable file in place, as somebody else's doing. */
  put(path: string, content: string | Uint8Array): void;
}

export interface DiskOperation {
  /** From 0. */
  readonly index: number;
  readonly name: string;
  readonly path: string;
}

export type Verdict = string | undefined;

/** @param initial durable files by absolute path; their folders come with them */
export function createMemoryDisk(initial: Readonly<Record<string, string>> = {}): MemoryDisk {
  const directories = new Map<string, Directory>([['/', newDirectory()]]);
  for (const [path, text] of Object.entries(initial)) putDurable(directories, path, encode(text));
  return diskOver(directories);
}

interface Inode {
  content: Uint8Array;
  /** So many of the first bytes of `content` are durable. */
  synced: number;
  /** Durable content from before a truncation that is not durable yet. */
  before?: Uint8Array | undefined;
  modifiedMs: number;
}

/** What one operation did to the names of a folder, at once or not at all: `undefined` means the name is gone. */
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
    files: filesOver(directories, step),
    operations: () => count,
    intercept(hook) {
      before = hook;
    },
    halted,
    crash: (seed) => diskOver(survivors(directories, seeded(seed))),
    texts: () => textsOf(directories),
    put: (path, content) =>
      putDurable(directories, path, typeof content === 'string' ? encode(content) : content),
  };
}

type Step = (name: string, path: string, partly?: () => void) => Promise<void>;

function filesOver(directories: Directories, step: Step): Files {
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

  return {
    async read(path, bytesMax) {
      await step('read', path);
      const { content } = mustHave(path, 'read');
      if (content.length > bytesMax) throw fault('EFBIG', 'read', path);
      return content.slice();
    },
    async *stream(path) {
      await step('stream', path);
      const { content } = mustHave(path, 'stream');
      for (let at = 0; at < content.length; at += 1 << 20) yield content.slice(at, at + (1 << 20));
    },
    async facts(path): Promise<FileFacts | undefined> {
      await step('facts', path);
      if (directories.has(path)) return { kind: 'directory', bytes: 0, modifiedMs: 0 };
      const inode = lookUp(path);
      return inode && { kind: 'file', bytes: inode.content.length, modifiedMs: inode.modifiedMs };
    },
    async real(path) {
      await step('real', path);
      return path;
    },
    async list(directory) {
      await step('list', directory);
      const found = directories.get(directory);
      if (found === undefined) throw fault('ENOENT', 'list', directory);
      const folders = [...directories.keys()].filter((path) => path !== '/' && dirname(path) === directory);
      return [...found.names.keys(), ...folders.map((path) => basename(path))].sort();
    },
    async makeDirectory(path) {
      await step('makeDirectory', path);
      if (lookUp(path) !== undefined) throw fault('EEXIST', 'makeDirectory', path);
      addDirectories(directories, path);
    },
    async open(path, mode) {
      await step('open', path);
      if (directories.has(path)) throw fault('EISDIR', 'open', path);
      const parent = parentOf(path, 'open');
      let inode = lookUp(path);
      if (inode === undefined) {
        inode = { content: new Uint8Array(0), synced: 0, modifiedMs: 0 };
        change(parent, new Map([[basename(path), inode]]));
      } else if (mode === 'exclusive') throw fault('EEXIST', 'open', path);
      else if (mode === 'truncate') truncate(inode);
      return handleOf(inode, path, step);
    },
    async rename(from, to) {
      await step('rename', from);
      const inode = mustHave(from, 'rename');
      if (directories.has(to)) throw fault('EISDIR', 'rename', to);
      const [source, target] = [parentOf(from, 'rename'), parentOf(to, 'rename')];
      if (lookUp(to) === inode) return;
      if (source === target) {
        change(
          source,
          new Map<string, Inode | undefined>([
            [basename(from), undefined],
            [basename(to), inode],
          ]),
        );
      } else {
        change(target, new Map([[basename(to), inode]]));
        change(source, new Map([[basename(from), undefined]]));
      }
    },
    async link(from, to) {
      await step('link', to);
      const inode = mustHave(from, 'link');
      const parent = parentOf(to, 'link');
      if (lookUp(to) !== undefined || directories.has(to)) throw fault('EEXIST', 'link', to);
      change(parent, new Map([[basename(to), inode]]));
    },
    async remove(path) {
      await step('remove', path);
      if (lookUp(path) === undefined) return;
      change(parentOf(path, 'remove'), new Map([[basename(path), undefined]]));
    },
    async syncDirectory(path) {
      await step('syncDirectory', path);
      const directory = directories.get(path);
      if (directory === undefined) throw fault('ENOENT', 'syncDirectory', path);
      for (const pending of directory.pending) apply(directory.durable, pending);
      directory.pending = [];
    },
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

/** Folders are durable at once, as `Files` promises of them. */
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

/** Numbers in [0, 1) that follow from the seed. */
export function seeded(seed: number): () => number {
  let count = 0;
  return () => {
    count += 1;
    return createHash('sha256').update(`${seed} ${count}`).digest().readUInt32BE(0) / 2 ** 32;
  };
}
