import { basename, dirname, join } from 'node:path';
import { closest } from '../core/closest.js';
import type { FolderFiles } from '../core/ports.js';
import type { TextFault } from './text-file.js';

const MANIFEST = /\.ya?ml$/i;
/** What people write lyrics in. The rest of a manifest's folder (itself, the lockfile, audio) must not be sent as lyrics. */
const LYRICS = /\.(?:txt|text|md|markdown|lrc|lyrics)$/i;

/**
 * The file that was probably meant by a path that is missing or a folder, as the user would write it.
 *
 * @param path absolute
 * @param written the same path as the user wrote it
 */
export async function fileMeant(
  files: Pick<FolderFiles, 'list'>,
  role: 'manifest' | 'lyrics',
  { path, written, fault }: { readonly path: string; readonly written: string; readonly fault: TextFault },
): Promise<string | undefined> {
  if (fault === 'missing') {
    const meant = closest(basename(path), await namesIn(files, role, dirname(path)));
    return meant === undefined ? undefined : join(dirname(written), meant);
  }
  if (fault !== 'directory') return undefined;
  const [only, ...others] = await namesIn(files, role, path);
  return only === undefined || others.length > 0 ? undefined : join(written, only);
}

/** Sorted; empty for a folder that cannot be listed, since a suggestion is optional. */
async function namesIn(
  files: Pick<FolderFiles, 'list'>,
  role: 'manifest' | 'lyrics',
  directory: string,
): Promise<readonly string[]> {
  try {
    const names = [...(await files.list(directory))].sort();
    return names.filter((name) =>
      role === 'lyrics' ? LYRICS.test(name) : MANIFEST.test(name) && !name.endsWith('.picks.yaml'),
    );
  } catch {
    return [];
  }
}
