import { dirname } from 'node:path';
import { isLinkless } from '../core/errors.js';
import type { FileFacts, FileHandle, Files } from '../core/ports.js';

/*
 * Writes whole, durable files, or nothing. `scratch` is a path on the same file system that no other process uses: it
 * contains random digits. All functions throw the `FileFault` of what failed.
 */

/**
 * Replaces the content of `path` in one step, whether or not it exists.
 *
 * @param check called right before that step; if it throws, nothing is changed
 * @returns the facts of the new file
 */
export async function replaceFile(
  files: Files,
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  scratch: string,
  check?: () => Promise<void>,
): Promise<FileFacts | undefined> {
  let facts: FileFacts | undefined;
  try {
    await writeScratch(files, scratch, pieces);
    facts = await files.facts(scratch);
    await check?.();
    await files.rename(scratch, path);
  } catch (fault) {
    await removeQuietly(files, scratch);
    throw fault;
  }
  await files.syncDirectory(dirname(path));
  return facts;
}

/** Creates `path` with `bytes` in one step. Throws `EEXIST`, and changes nothing, if it exists. */
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
 * Creates `path`, and removes it again if it cannot be written completely. In a folder that others can write to, it
 * does not follow links they may have created. A crash can leave a torn file.
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

/** Removes a file on a best-effort basis. A failure must not hide the error that led here. */
export async function removeQuietly(files: Files, path: string): Promise<void> {
  try {
    await files.remove(path);
  } catch {
    // The file stays until the next clean-up.
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
