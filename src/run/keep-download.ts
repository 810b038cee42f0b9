import path from 'node:path';
import { isSystemFault } from '../core/errors.js';
import type { Attempt, StoredFile } from '../lockfile/attempt.js';
import { hashFile } from '../storage/link-into-place.js';
import { KEPT_SUFFIX } from '../storage/place-file.js';
import type { Job, RunContext } from './context.js';

type Received = Omit<StoredFile, 'path' | 'media_type'> & { readonly mediaType: string };

/**
 * Keeps a download that is not good enough to be stored, for the user to listen to: the service may have nothing better
 * to offer later. The longest one is kept. If the disk refuses, the bytes stay in the part file, as evidence only.
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
  const name = part.replace(/\.part$/, KEPT_SUFFIX);
  const known = job.kept ?? attempt.kept;
  try {
    if (known !== undefined && (received?.bytes ?? 0) <= known.bytes) {
      const there = await hashFile(output.files, path.join(output.root, known.path));
      if (there?.sha256 === known.sha256) return known;
    }
    await output.files.rename(part, name);
    await output.files.syncDirectory(path.dirname(part));
  } catch (error) {
    if (!isSystemFault(error)) throw error;
    return undefined;
  }
  if (received === undefined) return undefined;
  const { bytes, sha256, mediaType } = received;
  const relative = path.relative(output.root, name).split(path.sep).join('/');
  job.kept = { path: relative, bytes, sha256, media_type: mediaType };
  return job.kept;
}

/** Removes what this run kept, once better audio is stored. What an earlier run kept is the user's to delete. */
export async function dropKept({ output }: RunContext, job: Job, { kept }: Attempt): Promise<void> {
  if (job.kept === undefined || kept?.sha256 === job.kept.sha256) return;
  try {
    await output.files.remove(path.join(output.root, job.kept.path));
  } catch (error) {
    if (!isSystemFault(error)) throw error;
  }
  delete job.kept;
}
