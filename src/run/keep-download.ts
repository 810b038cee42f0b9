import path from 'node:path';
import { isSystemFault } from '../core/errors.js';
import type { Attempt, StoredFile } from '../lockfile/attempt.js';
import { hashFile, publishFile, removeLeftover } from '../storage/link-into-place.js';
import { keptNames } from '../storage/place-file.js';
import type { Job, RunContext } from './context.js';

type Received = Omit<StoredFile, 'path' | 'media_type'> & { readonly mediaType: string };

/**
 * Keeps a download that is not good enough to be stored, for the user to listen to: the service may have nothing better
 * to offer later. The longest one is kept, and the others are removed. If the transfer was not complete, or the disk
 * refuses, the bytes stay in the part file, as evidence only.
 *
 * @param received absent: the transfer was not complete
 * @returns what is kept, which may be an earlier download
 */
export async function keepDownload(
  { output }: RunContext,
  job: Job,
  attempt: Attempt,
  part: string,
  received: Received | undefined,
): Promise<StoredFile | undefined> {
  const { root, files } = output;
  const recorded = job.kept ?? attempt.kept;
  try {
    const there = recorded && (await hashFile(files, path.join(root, recorded.path)));
    const known = there?.sha256 === recorded?.sha256 ? recorded : undefined;
    if (received === undefined) return known;
    if (known !== undefined && received.bytes <= known.bytes) {
      await removeLeftover(files, part);
      return known;
    }
    const name = await placeKept(output, part, known);
    if (name === undefined) return known;
    const { bytes, sha256, mediaType } = received;
    const relative = path.relative(root, name).split(path.sep).join('/');
    job.keptEarlier ??= attempt.kept !== undefined;
    job.kept = { path: relative, bytes, sha256, media_type: mediaType };
    return job.kept;
  } catch (error) {
    if (!isSystemFault(error)) throw error;
    return undefined;
  }
}

/**
 * Gives the part file its name. Only the download that the record names is replaced: the user may have edited another,
 * or put it there.
 */
async function placeKept(
  { root, files }: RunContext['output'],
  part: string,
  known: StoredFile | undefined,
): Promise<string | undefined> {
  const names = keptNames(part.slice(0, -'.part'.length));
  const replaced = names.find((name) => known !== undefined && name === path.join(root, known.path));
  if (replaced !== undefined) {
    await files.rename(part, replaced);
    await files.syncDirectory(path.dirname(part));
    return replaced;
  }
  for (const name of names) if ((await publishFile(files, part, name)) === 'published') return name;
  return undefined;
}

/** Removes what this run kept, once better audio is stored. What an earlier run kept is the user's to delete. */
export async function dropKept({ output }: RunContext, job: Job): Promise<void> {
  if (job.kept === undefined || job.keptEarlier === true) return;
  await removeLeftover(output.files, path.join(output.root, job.kept.path));
  delete job.kept;
}
