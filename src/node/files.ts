import {
  closeSync,
  fdatasync,
  fsync,
  linkSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { lstat, mkdir, open, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { faultCode } from '../errors.js';
import type { FileFault, FileHandle, Files } from '../ports.js';

const PIECE_BYTES = 256 * 1024;
/** Up to so many bytes are written at once: a few records, not audio. */
const SMALL_BYTES = 16 * 1024;
/** As many links in a row as Linux follows. */
const LINKS_MAX = 40;

/**
 * The real file system. What touches names only, or a few bytes, is done on the spot: to hand a call to another thread
 * and back costs ten times the call. What waits for the disk (syncs, audio, whole files) is handed over.
 */
export const systemFiles: Files = {
  read: readBounded,
  stream: streamFile,
  facts: async (path) => {
    const facts = orNothing(() => statSync(path));
    if (facts === undefined) return undefined;
    const kind = facts.isFile() ? 'file' : facts.isDirectory() ? 'directory' : 'other';
    return { kind, bytes: facts.size, modifiedMs: facts.mtimeMs };
  },
  real: (path) => realOf(resolve(path), 0),
  list: async (directory) => (await readdir(directory)).sort(),
  makeDirectory: makeDurableDirectory,
  open: async (path, mode) => {
    const flags = { exclusive: 'wx', truncate: 'w', append: 'a' } as const;
    return asHandle(openSync(path, flags[mode]));
  },
  rename: async (from, to) => renameSync(from, to),
  link: async (from, to) => linkSync(from, to),
  remove: async (path) => orNothing(() => unlinkSync(path)),
  syncDirectory: shared(syncDirectory),
};

async function readBounded(path: string, bytesMax: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  // Counted while reading: the size that `stat` tells is wrong for pipes, devices and growing files.
  for await (const piece of streamFile(path)) {
    size += piece.byteLength;
    if (size > bytesMax) throw fault('EFBIG', `file of more than ${bytesMax} bytes: ${path}`);
    pieces.push(piece);
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

async function* streamFile(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    // The size is a hint: pipes and devices tell none, and a file may grow meanwhile.
    let leftBytes = (await handle.stat()).size;
    for (;;) {
      const pieceBytes = Math.min(PIECE_BYTES, Math.max(leftBytes, 4_096));
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(pieceBytes), 0, pieceBytes);
      if (bytesRead === 0) return;
      leftBytes -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/**
 * `realpath` of the part that exists, then the rest as it stands. A link to nothing is followed all the same: a file
 * created through it would come to lie where it points.
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

/** The entry of the folder itself is always made durable: an earlier run may have been killed just before that. */
async function makeDurableDirectory(path: string): Promise<void> {
  const target = resolve(path);
  const first = (await makePath(target)) ?? target;
  for (let made = target; ; made = dirname(made)) {
    await syncParent(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}

/**
 * Creates a folder and those above it. Not by `recursive`, which tells `ENOENT` for a disk that may not be written.
 *
 * @returns the topmost that was created, if any
 */
async function makePath(path: string): Promise<string | undefined> {
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    if (faultCode(error) !== 'ENOENT' || dirname(path) === path) return unlessDirectory(path, error);
  }
  const first = await makePath(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    await unlessDirectory(path, error);
  }
  return first ?? path;
}

/** Somebody else may have made it, or it was there before. */
async function unlessDirectory(path: string, error: unknown): Promise<undefined> {
  if (!(await orUndefined(stat(path)))?.isDirectory()) throw error;
}

/** A folder above ours that we may use but not read cannot be synced by us; all others must be. */
async function syncParent(path: string): Promise<void> {
  try {
    await syncDirectory(path);
  } catch (error) {
    if (faultCode(error) !== 'EACCES' && faultCode(error) !== 'EPERM') throw error;
  }
}

/** Calls for one path that come while it is worked on share the next turn: the one under way may have missed them. */
function shared(work: (path: string) => Promise<void>): (path: string) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();
  const start = (path: string): Promise<void> => {
    waiting.delete(path);
    const turn = work(path).finally(() => {
      if (running.get(path) === turn) running.delete(path);
    });
    running.set(path, turn);
    return turn;
  };
  return (path) => {
    const before = running.get(path);
    const next = waiting.get(path) ?? before?.catch(() => {}).then(() => start(path));
    if (next === undefined) return start(path);
    waiting.set(path, next);
    return next;
  };
}

/** Windows cannot open a folder for this, and has no other way. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const descriptor = openSync(path, 'r');
  try {
    await syncAll(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const syncAll = promisify(fsync);
const syncData = promisify(fdatasync);
const writeSome = promisify(write);

function asHandle(descriptor: number): FileHandle {
  return {
    write: async (bytes) => {
      for (let done = 0; done < bytes.byteLength; ) {
        done +=
          bytes.byteLength <= SMALL_BYTES
            ? writeSync(descriptor, bytes, done)
            : (await writeSome(descriptor, bytes, done)).bytesWritten;
      }
    },
    sync: () => syncData(descriptor),
    close: async () => closeSync(descriptor),
  };
}

/** `ENOTDIR`: a part of the path is a file, so nothing is there either. */
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

function fault(code: string, message: string): FileFault {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
