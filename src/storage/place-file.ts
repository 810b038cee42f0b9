import path from 'node:path';
import { foldName, supersededStems } from '../core/file-name.js';
import type { Attempt, StoredFile } from '../lockfile/attempt.js';
import { hashFile, publishFile } from './link-into-place.js';
import { EXTENSIONS } from './media-names.js';
import { type MoveContext, moveSuperseded } from './move.js';

const KEPT = '.unverified';
/** Names for kept downloads of one attempt: the user may have edited some of them. */
const KEPT_NAMES_MAX = 9;
/** The longest end of a name, for one digit of a number. */
export const KEPT_SUFFIX = `-0${KEPT}`;

/** The name of a download of this attempt before it is checked and placed. */
export function partName(stem: string, { attempt }: Attempt): string {
  return `${stem}.${attempt.slice(0, 8)}.part`;
}

/**
 * Names for a download that is kept although it failed verification; the first free one is used.
 *
 * @param base the stem, and the attempt's first digits
 */
export function keptNames(base: string): readonly string[] {
  return Array.from({ length: KEPT_NAMES_MAX }, (_, at) => base + (at === 0 ? '' : `-${at + 1}`) + KEPT);
}

/** The stem of a kept download of this attempt; `undefined` for any other name, which was not written by us. */
export function stemOfKept(name: string, { attempt }: Attempt): string | undefined {
  const ends = keptNames(`.${attempt.slice(0, 8)}`);
  const end = ends.find((one) => name.endsWith(one));
  return end === undefined ? undefined : name.slice(0, -end.length);
}

/** A synced file without its final name. */
export interface UnplacedFile extends Omit<StoredFile, 'path'> {
  /** Absolute. */
  readonly place: string;
}

/**
 * Gives the file its final name: the wanted one, or, if an untracked file has that, one that includes its digest. A
 * file that is not in the lockfile is never replaced. Throws the `FileFault`.
 *
 * @param wanted `outdated`: a newer request is entitled to the wanted name
 * @param inTheWay called with the file that has the wanted name, relative to the output root, and why it stays
 */
export async function placeFile(
  context: MoveContext,
  attempt: Attempt,
  wanted: { readonly stem: string; readonly outdated: boolean },
  { place, ...described }: UnplacedFile,
  inTheWay: (relative: string, why: string) => void,
): Promise<StoredFile> {
  const { root, files } = context.output;
  const { stem, outdated } = wanted;
  const extension = EXTENSIONS[described.media_type] ?? 'audio';
  for (const candidate of [...(outdated ? [] : [stem]), ...supersededStems(stem, attempt)]) {
    const relative = `${candidate}.${extension}`;
    const target = path.join(root, relative);
    const stored = { path: relative, ...described };
    if ((await publishFile(files, place, target)) === 'published') return stored;
    if (
      (await moveSuperseded(context, relative, attempt)) &&
      (await publishFile(files, place, target)) === 'published'
    )
      return stored;
    // A run that was killed between publishing and recording left this same file.
    if (await isLeft(context, relative, attempt, described.sha256)) {
      await files.rename(place, target);
      await files.syncDirectory(path.dirname(target));
      return stored;
    }
    if (candidate === stem) inTheWay(relative, whyItStays(context, relative));
  }
  throw Object.assign(new Error('no free name'), { code: 'EEXIST' });
}

/** The file where a run left it that was killed between placing and recording it. Throws the `FileFault`. */
export async function findPlaced(
  context: MoveContext,
  attempt: Attempt,
  stem: string,
  described: Omit<StoredFile, 'path'>,
): Promise<StoredFile | undefined> {
  const extension = EXTENSIONS[described.media_type] ?? 'audio';
  for (const candidate of [stem, ...supersededStems(stem, attempt)]) {
    const relative = `${candidate}.${extension}`;
    if (await isLeft(context, relative, attempt, described.sha256)) return { path: relative, ...described };
  }
  return undefined;
}

function whyItStays({ store }: MoveContext, relative: string): string {
  const name = foldName(relative);
  return [...store.attempts.values()].some(({ file }) => file !== undefined && foldName(file.path) === name)
    ? 'was changed since it was stored'
    : 'exists and is not in the lockfile';
}

/** Whether the file has exactly these bytes, and no other attempt's record names it. */
async function isLeft(
  { output, store }: MoveContext,
  relative: string,
  except: Attempt,
  sha256: string,
): Promise<boolean> {
  for (const other of store.attempts.values())
    if (other.attempt !== except.attempt && other.file?.path === relative) return false;
  return (await hashFile(output.files, path.join(output.root, relative)))?.sha256 === sha256;
}
