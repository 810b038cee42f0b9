import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { faultCode } from '../core/errors.js';
import type { FolderFiles, Random } from '../core/ports.js';
import { publishFile } from '../storage/link-into-place.js';
import { audioKey, type NewFile } from './audio-store.js';
import { StoreFault } from './object-store.js';

/** Result of hashing some bytes. */
export interface Sum {
  readonly sha256: string;
  readonly bytes: number;
}

/** Reads to the end. */
export async function sumOf(pieces: AsyncIterable<Uint8Array>): Promise<Sum> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/**
 * The same pieces, as long as they are correct. The last one is passed on only if the hash of all is right, so the
 * receiver never gets a complete but wrong object.
 *
 * @param changed called, before the stream ends with an error, if they are not
 */
export async function* onlyIf(
  expected: Sum,
  pieces: AsyncIterable<Uint8Array>,
  changed: () => void,
): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256');
  let bytes = 0;
  let held: Uint8Array | undefined;
  for await (const piece of pieces) {
    if (held !== undefined) yield held;
    hash.update(piece);
    bytes += piece.length;
    held = Uint8Array.from(piece);
  }
  if (bytes !== expected.bytes || hash.digest('hex') !== expected.sha256) {
    changed();
    throw new Error('the file was changed');
  }
  if (held !== undefined) yield held;
}

/**
 * Downloads into a new file under a random name, and gives it its own name if its hash is right. Throws a `StoreFault`
 * (`altered`) if it is not.
 */
export async function downloadTo(
  { files, path }: NewFile,
  { sha256, bytes }: Sum,
  random: Random,
  pieces: AsyncIterable<Uint8Array>,
): Promise<'downloaded' | 'exists'> {
  const part = join(dirname(path), partName(random));
  try {
    requireSame((await writeSynced(files, part, upTo(pieces, bytes))).sha256, sha256);
    if ((await publishFile(files, part, path)) === 'published') return 'downloaded';
    await files.remove(part);
    return 'exists';
  } catch (error) {
    await files.remove(part).catch(() => {});
    throw error;
  }
}

export function partName(random: Random): string {
  return `.${Buffer.from(random.bytes(12)).toString('hex')}.part`;
}

export function requireSame(found: string, sha256: string): void {
  if (found !== sha256)
    throw new StoreFault(
      'altered',
      `${audioKey(sha256)} was damaged or replaced in the store: delete it there; the next run on a machine that has the intact file uploads it again`,
    );
}

/** Ends after the first piece beyond the limit: an object of any size must not fill the disk. */
async function* upTo(pieces: AsyncIterable<Uint8Array>, bytesMax: number): AsyncIterable<Uint8Array> {
  let bytes = 0;
  for await (const piece of pieces) {
    yield piece;
    bytes += piece.length;
    if (bytes > bytesMax) return;
  }
}

/** Writes a new file and syncs it. */
export async function writeSynced(
  files: FolderFiles,
  path: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<Sum> {
  await files.makeDirectory(dirname(path));
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await files.open(path, 'exclusive');
  try {
    for await (const piece of pieces) {
      hash.update(piece);
      bytes += piece.length;
      await handle.write(piece);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Gives a synced file its final name, unless that is taken. Removes the first name. */
export async function nameOnce(files: FolderFiles, from: string, to: string): Promise<'named' | 'exists'> {
  let found: 'named' | 'exists' = 'named';
  try {
    await files.link(from, to);
  } catch (error) {
    if (faultCode(error) !== 'EEXIST') throw error;
    found = 'exists';
  }
  await files.remove(from);
  await files.syncDirectory(dirname(to));
  return found;
}
