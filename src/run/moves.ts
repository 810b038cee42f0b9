import path from 'node:path';
import { faultCode, isSystemFault } from '../errors.js';
import type { Attempt, StoredFile } from '../lock/attempt.js';
import type { LockStore } from '../lock/store.js';
import type { FileMove } from '../plan/plan.js';
import type { Files } from '../ports.js';
import { asideStem, hashFile, prepareDirectory, publishFile } from './publish.js';

/** What moving stored files needs of a run. */
export interface MoveContext {
  readonly ports: { readonly files: Files };
  readonly store: LockStore;
  readonly settings: { readonly outputRoot: string };
}

/**
 * Moves a stored file for free, journaled: where it is to go is durable first, then it is moved, then that it
 * is there. A crash between any two leaves it findable. Throws the `FileFault`.
 *
 * @returns `false` when the target is taken by a file nobody may replace, or the source is gone
 */
export async function moveStored(context: MoveContext, attempt: Attempt, to: string): Promise<boolean> {
  const { store, settings } = context;
  if (attempt.file === undefined) return false;
  const from = attempt.file.path;
  const { files } = context.ports;
  if (!(await standsThere(context, attempt.attempt, attempt.file))) return false;
  if (await isTaken(files, path.join(settings.outputRoot, from), path.join(settings.outputRoot, to)))
    return false;
  const directory = path.dirname(path.join(settings.outputRoot, to));
  if ((await prepareDirectory(files, settings.outputRoot, directory)) === 'outside') return false;
  await store.record(changed(store, attempt, { move_to: to }));
  return settleMove(context, store.newest(attempt.attempt) ?? attempt);
}

/** Whether what stands at its path is this attempt's: where another one names that path too, the bytes tell. */
async function standsThere(
  { ports, store, settings }: MoveContext,
  id: string,
  file: StoredFile,
): Promise<boolean> {
  const place = path.join(settings.outputRoot, file.path);
  const contested = [...store.attempts.values()].some(
    (other) => other.attempt !== id && other.file?.path === file.path,
  );
  if (contested) return (await hashFile(ports.files, place))?.sha256 === file.sha256;
  return (await ports.files.facts(place)) !== undefined;
}

async function isTaken(files: Files, from: string, to: string): Promise<boolean> {
  if ((await files.facts(to)) === undefined) return false;
  // On a file system that ignores letter case both names are one file: that is no obstacle.
  return (await files.real(from)) !== (await files.real(to));
}

/** Finishes a move that was begun, in this run or in one that was killed. Throws the `FileFault`: it can be tried again. */
export async function settleMove(context: MoveContext, attempt: Attempt): Promise<boolean> {
  const { file, move_to: to } = attempt;
  if (file === undefined || to === undefined) return false;
  const { files } = context.ports;
  const source = path.join(context.settings.outputRoot, file.path);
  const target = path.join(context.settings.outputRoot, to);
  const ready = await prepareDirectory(files, context.settings.outputRoot, path.dirname(target));
  const moved =
    ready === 'ready' &&
    (await files.facts(source)) !== undefined &&
    (await publishFile(files, source, target)) === 'published';
  const arrived = moved || (await hashFile(files, target))?.sha256 === file.sha256;
  if (arrived && !moved) {
    await files.syncDirectory(path.dirname(target));
    // The killed run may have had both names: the old one is only a link to the same bytes.
    if ((await hashFile(files, source))?.sha256 === file.sha256) await files.remove(source);
    await syncIfThere(files, path.dirname(source));
  }
  const { move_to: _settled, ...rest } = changed(context.store, attempt, {
    file: arrived ? { ...file, path: to } : file,
  });
  await context.store.record(rest);
  return arrived;
}

/** Frees a place that another stored file has: it stays beside it, under a name that tells its digest. */
export async function moveAside(context: MoveContext, relative: string, newcomer: Attempt): Promise<boolean> {
  const wanted = relative.toLowerCase();
  for (const other of context.store.attempts.values()) {
    if (other.attempt === newcomer.attempt || other.file?.path.toLowerCase() !== wanted) continue;
    const extension = path.posix.extname(relative);
    const stem = asideStem(relative.slice(0, -extension.length), other.digest);
    for (const name of [stem, `${stem}-${other.attempt.slice(0, 8)}`])
      if (await moveStored(context, other, name + extension)) return true;
  }
  return false;
}

/** Carries out the plan's moves, in its order. Returns those that could not be made. */
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

/** A move is free and can be made in any later run: a folder that refuses it keeps nothing else from being done. */
export async function unlessStuck(move: Promise<boolean>): Promise<boolean> {
  try {
    return await move;
  } catch (error) {
    if (!isSystemFault(error)) throw error;
    return false;
  }
}

/** The next record of an attempt, which its own job may have changed while its file was on the way. */
function changed(store: LockStore, attempt: Attempt, changes: Partial<Attempt>): Attempt {
  const newest = store.newest(attempt.attempt) ?? attempt;
  return { ...newest, ...changes, rev: newest.rev + 1 };
}

/** A folder that is gone holds no entry that could be lost. */
async function syncIfThere(files: Files, directory: string): Promise<void> {
  try {
    await files.syncDirectory(directory);
  } catch (error) {
    if (faultCode(error) !== 'ENOENT') throw error;
  }
}
