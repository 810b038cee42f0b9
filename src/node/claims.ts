import { closeSync, constants, mkdirSync, openSync, statSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { faultCode } from '../core/errors.js';
import type { Beacon, NameClaim } from '../core/ports.js';
import { idOf } from './open-file.js';

/* Claims that the system frees when a process ends, however it ends. Node has no `flock`, but it has sockets. */

/** Claims a name on this machine: see `Processes.claim`. */
export async function claimName(name: string): Promise<NameClaim> {
  switch (process.platform) {
    case 'linux':
      // In the abstract namespace, so there is no file to delete.
      return claimSocket(`\0venice-batch/${name}`);
    case 'win32':
      return claimSocket(`\\\\.\\pipe\\venice-batch-${name}`);
    case 'darwin':
      return claimFile(join(homedir(), 'Library', 'Caches', 'venice-batch'), name);
    default:
      return { kind: 'unsupported' };
  }
}

async function claimSocket(path: string): Promise<NameClaim> {
  const server = await listen(path);
  if (typeof server !== 'string') return { kind: 'held', free: () => closeServer(server) };
  return server === 'EADDRINUSE' || server === 'EACCES' ? { kind: 'taken' } : { kind: 'unsupported' };
}

/** `O_EXLOCK` of macOS: opening the file also takes a `flock`. */
const EXCLUSIVE_LOCK = 0x20;

function claimFile(folder: string, name: string): NameClaim {
  try {
    mkdirSync(folder, { recursive: true });
    const { O_RDWR, O_CREAT, O_NONBLOCK } = constants;
    const descriptor = openSync(join(folder, name), O_RDWR | O_CREAT | O_NONBLOCK | EXCLUSIVE_LOCK, 0o600);
    return { kind: 'held', free: async () => closeSync(descriptor) };
  } catch (error) {
    return { kind: faultCode(error) === 'EAGAIN' ? 'taken' : 'unsupported' };
  }
}

/** Beacons are needed only on Linux, for containers that share a folder but not their processes. */
export async function openBeacon(path: string): Promise<Beacon | undefined> {
  if (process.platform !== 'linux') return undefined;
  return inFolder(path, undefined, async (short) => {
    const server = await listen(short);
    if (typeof server === 'string') return undefined;
    const id = idAt(path);
    const close = async () => {
      await closeServer(server);
      try {
        unlinkSync(path);
      } catch {
        // Already removed with the server or its folder.
      }
    };
    if (id !== undefined) return { id, close };
    await close();
    return undefined;
  });
}

/** See `Processes.askBeacon`. */
export async function askBeacon(path: string, id: string): Promise<'answers' | 'silent' | 'unknown'> {
  // A different device number means a different mount, through which the kernel does not find the socket's owner.
  if (process.platform !== 'linux' || idAt(path) !== id) return 'unknown';
  return inFolder(path, 'unknown', connectTo);
}

function connectTo(path: string): Promise<'answers' | 'silent' | 'unknown'> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.on('connect', () => {
      socket.destroy();
      resolve('answers');
    });
    socket.on('error', (error) => resolve(faultCode(error) === 'ECONNREFUSED' ? 'silent' : 'unknown'));
  });
}

/** The server, or the error code. It does not keep the process alive, and closes every connection at once. */
function listen(path: string): Promise<Server | string> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.on('error', (error) => resolve(faultCode(error) || 'unknown'));
    server.listen({ path }, () => resolve(server));
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Socket addresses are limited to 107 bytes, so the folder is named by an open descriptor. */
async function inFolder<T>(path: string, otherwise: T, work: (short: string) => Promise<T>): Promise<T> {
  let folder: number;
  try {
    folder = openSync(dirname(path), 'r');
  } catch {
    return otherwise;
  }
  try {
    return await work(`/proc/self/fd/${folder}/${basename(path)}`);
  } finally {
    closeSync(folder);
  }
}

function idAt(path: string): string | undefined {
  try {
    return idOf(statSync(path));
  } catch {
    return undefined;
  }
}
