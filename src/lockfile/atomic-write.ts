import { dirname } from 'node:path';
import { isLinkless } from '../core/errors.js';
import type { FileFacts, FileHandle, Files } from '../core/ports.js';

/*
 * Whole files, durable, or not at all. `scratch` is a path on the same
 * file system that nobody else uses: it holds random digits. All throw the `FileFault` of what failed.
 */

/**
 * Makes `path` hold exactly these bytes, whatever was there, in one step.
 *
 * @returns what the new file is
 */
export async function replaceFile(
  files: Files,
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  scratch: string,
): Promise<FileFacts | undefined> {
  let facts: FileFacts | undefined;
  try {
    await writeScratch(files, scratch, pieces);
    facts = await files.facts(scratch);
    await files.rename(scratch, path);
  } catch (fault) {
    await removeQuietly(files, scratch);
    throw fault;
  }
  await files.syncDirectory(dirname(path));
  return facts;
}

/** Creates `path` with `bytes` in one step; throws `EEXIST`, and changes nothing, where there is something. */
export async function createFile(
  files: Files,
  path: string,
  bytes: Uint8Array,
  scratch: string,
  access?: 'private',
): Promise<void> {
  try {
    await writeScratch(files, scratch, [bytes], access);
    await files.link(scratch, path);
  } catch (fault) {
    if (!isLinkless(fault)) throw fault;
    await createInPlace(files, path, bytes, access);
  } finally {
    await removeQuietly(files, scratch);
  }
  await files.syncDirectory(dirname(path));
}

/**
 * Creates `path` and removes it again if it cannot be written whole. In a folder that others write to, it follows no
 * link that one of them put there. A crash can leave a torn file.
 */
export async function createInPlace(
  files: Files,
  path: string,
  bytes: Uint8Array,
  access?: 'private',
): Promise<void> {
  const handle = await files.open(path, 'exclusive', access);
  try {
    await writeAndClose(handle, [bytes]);
  } catch (fault) {
    await removeQuietly(files, path);
    throw fault;
  }
}

/** For what is only in the way: a failure must not hide the fault that led here. */
export async function removeQuietly(files: Files, path: string): Promise<void> {
  try {
    await files.remove(path);
  } catch {
    // It stays behind until the next one.
  }
}

async function writeScratch(
  files: Files,
  scratch: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  access?: 'private',
): Promise<void> {
  await writeAndClose(await files.open(scratch, 'exclusive', access), pieces);
}

async function writeAndClose(
  handle: FileHandle,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  try {
    for await (const piece of pieces) await handle.write(piece);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
