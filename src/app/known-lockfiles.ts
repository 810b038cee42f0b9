import path from 'node:path';
import { faultCode, isSystemFault } from '../core/errors.js';
import type { Files, Random } from '../core/ports.js';
import { makePrivateFolder, privateFile } from '../lockfile/private-folder.js';

/*
 * Which lockfiles the manifests of a folder were used with, in the private folder beside them. A run under another
 * lockfile finds them there, wherever they are.
 */

export interface KnownLockfile {
  /** Absolute, links resolved. */
  readonly manifest: string;
  /** Absolute, links resolved. */
  readonly lockfile: string;
  readonly endpoint: string;
}

const BYTES_MAX = 256 * 1024;
const NAMED_MAX = 200;

/** Remembers a lockfile. Does nothing in a folder that cannot be written: the run does not depend on it. */
export async function rememberLockfile(files: Files, random: Random, used: KnownLockfile): Promise<void> {
  const line = new TextEncoder().encode(`\n${JSON.stringify(used)}\n`);
  const known = await knownLockfiles(files, used.manifest);
  if (known.length >= NAMED_MAX || known.some((one) => isSame(one, used))) return;
  try {
    await makePrivateFolder(files, random, used.manifest);
    const place = pathFor(used.manifest);
    // A larger file could not be read again.
    if (((await files.facts(place))?.bytes ?? 0) + line.length <= BYTES_MAX) await append(files, place, line);
  } catch (fault) {
    if (!isSystemFault(fault)) throw fault;
  }
}

/** The lockfiles remembered in the manifest's folder, for all of its manifests. */
export async function knownLockfiles(files: Files, manifest: string): Promise<readonly KnownLockfile[]> {
  try {
    const text = new TextDecoder().decode(await files.read(pathFor(manifest), BYTES_MAX));
    return text.split('\n').flatMap(entryOf).slice(0, NAMED_MAX);
  } catch (fault) {
    if (!isSystemFault(fault)) throw fault;
    return [];
  }
}

function pathFor(manifest: string): string {
  return privateFile(manifest, 'lockfiles');
}

function isSame(a: KnownLockfile, b: KnownLockfile): boolean {
  return a.manifest === b.manifest && a.lockfile === b.lockfile && a.endpoint === b.endpoint;
}

/** A line that a crash has torn names nothing. */
function entryOf(line: string): readonly KnownLockfile[] {
  try {
    const { manifest, lockfile, endpoint } = (JSON.parse(line) ?? {}) as Record<string, unknown>;
    if (typeof manifest !== 'string' || typeof lockfile !== 'string' || typeof endpoint !== 'string')
      return [];
    return path.isAbsolute(lockfile) ? [{ manifest, lockfile, endpoint }] : [];
  } catch {
    return [];
  }
}

async function append(files: Files, place: string, line: Uint8Array): Promise<void> {
  const handle = await files.open(place, 'append').catch((fault) => {
    if (faultCode(fault) !== 'ENOENT') throw fault;
    return files.open(place, 'exclusive');
  });
  try {
    await handle.write(line);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
