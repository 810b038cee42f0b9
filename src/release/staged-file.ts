import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Files } from '../core/ports.js';
import { checksum } from './zip.js';

/** A file of a release, already on disk. */
export interface StagedFile {
  /** Relative to the release folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly crc32: number;
}

/** Writes a file of a release, synced. Creates its folder if needed. */
export async function stageFile(
  files: Files,
  folder: string,
  name: string,
  content: Uint8Array | string,
): Promise<StagedFile> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const file = path.join(folder, ...name.split('/'));
  if (name.includes('/')) await files.makeDirectory(path.dirname(file));
  await writeFile(files, file, [bytes]);
  await files.syncDirectory(path.dirname(file));
  return {
    path: name,
    bytes: bytes.byteLength,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    crc32: checksum(bytes),
  };
}

/** Writes a new file, synced. */
export async function writeFile(
  files: Files,
  file: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const handle = await files.open(file, 'exclusive');
  try {
    for await (const piece of pieces) await handle.write(piece);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
