import path from 'node:path';
import { faultCode, isSystemFault } from '../core/errors.js';
import { foldName, supersededStems } from '../core/file-name.js';
import type { FolderFiles } from '../core/ports.js';
import type { Attempt, StoredFile } from '../lockfile/attempt.js';
import type { LockStore } from '../lockfile/lock-store.js';
import type { FileMove } from '../plan/plan.js';
import { type HashOf, hashedNow, hashedOnce, publishFile } from './link-into-place.js';
import { EXTENSIONS } from './media-names.js';
import type { Output } from './output.js';

export interface MoveContext {
  readonly output: Output;
  readonly store: LockStore;
}

/**
 * Moves a stored file. Journaled: the target is recorded first, then the file is moved, then the move is recorded as
 * finished, so that the file can be found after a crash at any point. Throws the `FileFault`.
 *
 * @returns `false` if the target is taken by a file that must not be replaced, or the source is not the file that was
 *   stored
 */
async function moveStored(context: MoveContext, attempt: Attempt, to: string): Promise<boolean> {
  const { store, output } = context;
  if (attempt.file === undefined || !mayMove(attempt.file, to)) return false;
  const [source, target] = [path.join(output.root, attempt.file.path), path.join(output.root, to)];
  if (await isTaken(output.files, source, target)) return false;
  if (!(await isStored(output.files, source, attempt.file))) return false;
  await output.files.makeDirectory(path.dirname(target));
  await store.record(changed(store, attempt, { move_to: to }));
  return finishMove(context, store.newest(attempt.attempt) ?? attempt, 'ours');
}

/** Only audio files are ever moved, to an audio file's name. A lockfile that says otherwise was edited. */
function mayMove({ path: from }: StoredFile, to: string): boolean {
  return [from, to].every((name) => AUDIO_NAMES.has(path.posix.extname(name)));
}

const AUDIO_NAMES: ReadonlySet<string> = new Set(
  [...Object.values(EXTENSIONS), 'audio'].map((extension) => `.${extension}`),
);

/** Whether the file has exactly these bytes. */
async function isStored(
  files: FolderFiles,
  place: string,
  { sha256, bytes }: StoredFile,
  hashOf = hashedNow(files),
): Promise<boolean> {
  if ((await files.facts(place))?.bytes !== bytes) return false;
  return (await hashOf(place)) === sha256;
}

async function isTaken(files: FolderFiles, from: string, to: string): Promise<boolean> {
  const placed = await files.facts(to);
  // On a case-insensitive file system both names can be the same file, which is no obstacle.
  return placed !== undefined && placed.id !== (await files.facts(from))?.id;
}

/**
 * Finds a file that is not where the lockfile says but at another of its paths, with the same bytes: version control
 * may have put it back under an older name, and two joined lockfiles may contain a move that was made in another folder.
 * Throws the `FileFault`.
 *
 * @param places where else it may be, besides the path where it was first stored
 * @param look for finding it: nothing is moved
 */
export async function findWhereStored(
  context: MoveContext,
  attempt: Attempt,
  places: readonly string[],
  look: HashOf,
): Promise<boolean> {
  const place = await otherPlace(context.output, attempt, places, look);
  if (place === undefined) return false;
  await context.store.record(changed(context.store, attempt, { move_to: place }));
  return settleMove(context, context.store.newest(attempt.attempt) ?? attempt, look);
}

/** The same without recording it. */
export async function otherPlace(
  { root, files }: Output,
  { file, stem }: Attempt,
  places: readonly string[],
  look: HashOf,
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const first = stem + path.posix.extname(file.path);
  const others = [first, ...places].filter((place) => place !== file.path && mayMove(file, place));
  if (others.length === 0 || (await files.facts(path.join(root, file.path))) !== undefined) return undefined;
  for (const place of others) if (await isStored(files, path.join(root, place), file, look)) return place;
  return undefined;
}

/** Finishes a move that this run or a killed one began. Throws the `FileFault`; it can be retried. */
export function settleMove(context: MoveContext, attempt: Attempt, look: HashOf): Promise<boolean> {
  return finishMove(context, attempt, 'unknown', look);
}

/** @param source `ours`: the file there was just verified to be the stored one */
async function finishMove(
  context: MoveContext,
  attempt: Attempt,
  source: 'ours' | 'unknown',
  look = hashedNow(context.output.files),
): Promise<boolean> {
  const { file, move_to: to } = attempt;
  if (file === undefined || to === undefined) return false;
  const arrived = mayMove(file, to) && (await bring(context.output, file, to, source, look));
  const { move_to: _settled, ...rest } = changed(context.store, attempt, {
    file: arrived ? { ...file, path: to } : file,
  });
  await context.store.record(rest);
  return arrived;
}

/**
 * @param look says where the file may be: before one is moved or removed, it is read again
 * @returns whether the file is durably at its target, whichever run moved it
 */
async function bring(
  { root, files }: Output,
  file: StoredFile,
  to: string,
  placed: 'ours' | 'unknown',
  look: HashOf,
): Promise<boolean> {
  const [source, target] = [path.join(root, file.path), path.join(root, to)];
  const seemsStored = (place: string) => isStored(files, place, file, look);
  // Its only name must not be removed as a left-over one.
  if (source === target) return seemsStored(target);
  await files.makeDirectory(path.dirname(target));
  const mayMoveNow = async () =>
    !(await isTaken(files, source, target)) && (await isStored(files, source, file));
  if (placed === 'ours' || ((await seemsStored(source)) && (await mayMoveNow()))) {
    if (await isOneEntry(files, source, target)) {
      await files.rename(source, target);
      await files.syncDirectory(path.dirname(target));
      return true;
    }
    if ((await publishFile(files, source, target)) === 'published') return true;
  }
  if (!(await seemsStored(target))) return false;
  await files.syncDirectory(path.dirname(target));
  // The killed run may have left both names. The old one is then only a link to the same bytes.
  if (await seemsStored(source)) {
    if (!(await isStored(files, target, file))) return false;
    if (!(await isOnlyName(files, source, target)) && (await isStored(files, source, file)))
      await files.remove(source);
  }
  await syncIfThere(files, path.dirname(source));
  return true;
}

/** Whether the two may be spellings of one name, such as a short one that Windows made: removing it removes the file. */
async function isOnlyName(files: FolderFiles, from: string, to: string): Promise<boolean> {
  if ((await files.facts(from))?.id !== (await files.facts(to))?.id) return false;
  const [folder, other] = [path.dirname(from), path.dirname(to)];
  if ((await files.facts(folder))?.id !== (await files.facts(other))?.id) return false;
  const names = await files.list(folder);
  return (
    path.basename(from) === path.basename(to) ||
    ![from, to].every((one) => names.includes(path.basename(one)))
  );
}

/** Whether two names that differ only in letter case or Unicode composition are the same entry of a folder. */
async function isOneEntry(files: FolderFiles, from: string, to: string): Promise<boolean> {
  if (from === to || foldName(from) !== foldName(to)) return false;
  const [placed, names] = [await files.facts(to), await files.list(path.dirname(to))];
  const isAlone = names.filter((name) => foldName(name) === foldName(path.basename(to))).length === 1;
  return isAlone && placed !== undefined && placed.id === (await files.facts(from))?.id;
}

/**
 * Frees a path that another stored file occupies, by renaming that file to include its digest. A file that was changed
 * since it was stored stays: a lockfile from elsewhere may name any file.
 */
export async function moveSuperseded(
  context: MoveContext,
  relative: string,
  newcomer: Attempt,
): Promise<boolean> {
  const { root, files } = context.output;
  const wanted = foldName(relative);
  const look = hashedOnce(files);
  for (const other of context.store.attempts.values()) {
    if (other.attempt === newcomer.attempt || other.file === undefined) continue;
    if (foldName(other.file.path) !== wanted) continue;
    if (!(await isStored(files, path.join(root, other.file.path), other.file, look))) continue;
    const extension = path.posix.extname(relative);
    for (const name of supersededStems(relative.slice(0, -extension.length), other))
      if (await moveStored(context, other, name + extension)) return true;
  }
  return false;
}

/** Makes the planned moves in order. Returns those that failed. */
export async function applyMoves(
  context: MoveContext,
  moves: readonly FileMove[],
): Promise<readonly FileMove[]> {
  const failed: FileMove[] = [];
  for (const move of moves) {
    const attempt = context.store.attempts.get(move.attempt);
    if (attempt?.file?.path !== move.from || !(await unlessStuck(moveStored(context, attempt, move.to))))
      failed.push(move);
  }
  return failed;
}

/** A move is free and can be made in any later run, so a folder that refuses it must not stop the run. */
export async function unlessStuck(move: Promise<boolean>): Promise<boolean> {
  try {
    return await move;
  } catch (error) {
    if (!isSystemFault(error)) throw error;
    return false;
  }
}

/** The next record of an attempt. Its own job may have changed it while the file was being moved. */
function changed(store: LockStore, attempt: Attempt, changes: Partial<Attempt>): Attempt {
  const newest = store.newest(attempt.attempt) ?? attempt;
  return { ...newest, ...changes, rev: newest.rev + 1 };
}

/** A folder that does not exist has no entries to lose. */
async function syncIfThere(files: FolderFiles, directory: string): Promise<void> {
  try {
    await files.syncDirectory(directory);
  } catch (error) {
    if (faultCode(error) !== 'ENOENT') throw error;
  }
}
