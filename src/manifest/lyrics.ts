import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Files } from '../ports.js';
import type { MergedTrack } from './merge.js';
import { readTextFile, type TextFile } from './text-file.js';

const LYRICS_BYTES_MAX = 1024 * 1024;
const READS_MAX = 16;

/** What is wrong with a path as such, or `undefined`. Folders beside the manifest's are fine. */
export function lyricsPathFault(path: string): { message: string; hint: string } | undefined {
  if (/^([/\\]|~[/\\]|[A-Za-z]:)/.test(path))
    return {
      message: '`lyrics_file` is an absolute path',
      hint: "give it relative to the manifest's folder, so that the manifest works on any machine",
    };
  if (path.includes('\\'))
    return { message: 'a backslash in `lyrics_file`', hint: 'separate folders with /' };
  if (/\p{Cc}/u.test(path)) return { message: 'a control character in `lyrics_file`', hint: 'remove it' };
  return undefined;
}

/** Every lyrics file that a track names, by its path as written; read once each. */
export async function readLyrics(
  files: Files,
  directory: string,
  tracks: readonly MergedTrack[],
): Promise<ReadonlyMap<string, TextFile>> {
  const paths = new Set<string>();
  for (const { fields } of tracks) {
    const path = fields.lyrics_file?.value;
    if (path !== undefined && lyricsPathFault(path) === undefined) paths.add(path);
  }
  const limit = pLimit(READS_MAX);
  const texts = await Promise.all(
    [...paths].map((path) =>
      limit(async () => [path, await readTextFile(files, join(directory, path), LYRICS_BYTES_MAX)] as const),
    ),
  );
  return new Map(texts);
}
