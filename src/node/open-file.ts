import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  open,
  openSync,
  read,
  type Stats,
  write,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import type { FileFacts, FileFault, FileHandle } from '../core/ports.js';

const PIECE_BYTES = 256 * 1024;
/** Writes up to this size are synchronous: a few records, not audio. */
const SMALL_BYTES = 16 * 1024;
/** Absent on Windows. */
const NOFOLLOW = constants.O_NOFOLLOW ?? 0;
const NONBLOCK = constants.O_NONBLOCK ?? 0;

/**
 * The descriptor of a readable regular file; the caller closes it.
 *
 * @param links whether to follow a symbolic link at the end of the path
 */
export function openToRead(path: string, links: 'follow' | 'refuse'): number {
  // Without NONBLOCK, opening a pipe waits for a writer that may never come.
  const flags = constants.O_RDONLY | NONBLOCK | (links === 'follow' ? 0 : NOFOLLOW);
  return ifRegular(openSync(path, flags), path);
}

/** The descriptor of anything readable; waits for a pipe's writer. The caller closes it. */
export function openAnything(path: string): Promise<number> {
  return openLater(path, 'r');
}

/** The descriptor of a writable file; the caller closes it. Never follows a symbolic link. */
export function openToWrite(
  path: string,
  mode: 'exclusive' | 'truncate' | 'append',
  access?: 'private',
): number {
  const flags = constants.O_WRONLY | NOFOLLOW | NONBLOCK | WRITE_FLAGS[mode];
  return ifRegular(openSync(path, flags, access === 'private' ? 0o600 : 0o666), path);
}

const WRITE_FLAGS = {
  exclusive: constants.O_CREAT | constants.O_EXCL,
  truncate: constants.O_CREAT | constants.O_TRUNC,
  append: constants.O_APPEND,
} as const;

/** Checked on the open file, because the path may change between a check and the opening. */
function ifRegular(descriptor: number, path: string): number {
  const stats = fstatSync(descriptor);
  if (stats.isFile()) return descriptor;
  closeSync(descriptor);
  if (stats.isDirectory()) throw fault('EISDIR', `a folder: ${path}`, path);
  throw fault('EFTYPE', `not a regular file: ${path}`, path);
}

const openLater = promisify(open);
const readSome = promisify(read);
const writeSome = promisify(write);
const syncData = promisify(fdatasync);

/** The rest of an open file, or everything from `firstByte` on. Closes it at the end. */
export async function* streamOf(descriptor: number, firstByte?: number): AsyncGenerator<Uint8Array> {
  // A pipe can only be read from its current position.
  let position = firstByte ?? null;
  try {
    // The size is a hint: a pipe has none, and a file may grow meanwhile.
    let leftBytes = fstatSync(descriptor).size;
    for (;;) {
      const pieceBytes = Math.min(PIECE_BYTES, Math.max(leftBytes, 4_096));
      const buffer = Buffer.allocUnsafeSlow(pieceBytes);
      const { bytesRead } = await readSome(descriptor, buffer, 0, pieceBytes, position);
      if (bytesRead === 0) return;
      if (position !== null) position += bytesRead;
      leftBytes -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The whole content of an open file, which is then closed. Throws `EFBIG` beyond the limit. */
export async function readAll(descriptor: number, bytesMax: number, path: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  // Counted while reading: `stat` reports a wrong size for pipes and growing files.
  for await (const piece of streamOf(descriptor)) {
    size += piece.byteLength;
    if (size > bytesMax) throw fault('EFBIG', `file of more than ${bytesMax} bytes: ${path}`);
    pieces.push(piece);
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

export function asHandle(descriptor: number): FileHandle {
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

export function factsOf(stats: Stats): FileFacts {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
  const isPrivate =
    process.getuid === undefined || (stats.uid === process.getuid() && (stats.mode & 0o077) === 0);
  return { kind, bytes: stats.size, modifiedMs: stats.mtimeMs, id: idOf(stats), isPrivate };
}

export function idOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

export function fault(code: string, message: string, path?: string): FileFault {
  return Object.assign(new Error(`${code}: ${message}`), { code, ...(path !== undefined && { path }) });
}
