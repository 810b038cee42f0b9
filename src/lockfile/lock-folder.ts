import { dirname } from 'node:path';
import type { FileFault, Files } from '../core/ports.js';

/*
 * The folder of the lockfile, by identity. If it is renamed or unmounted during a run, its path leads to nothing, or to
 * another folder: what is recorded there is not found by the next run in the real one, which would buy it again.
 */

export interface LockFolder {
  readonly files: Files;
  /** Of the lockfile: absolute, links resolved. */
  readonly lockPath: string;
  /** The one it had when the run began; absent: not known, so that any folder is taken for it. */
  readonly folder: FolderIdentity | undefined;
}

export interface FolderIdentity {
  /** Device and inode. */
  readonly id: string;
  /** Absent: it cannot be told whether it was moved or deleted. */
  readonly held?: ReturnType<NonNullable<Files['hold']>>;
}

/** `undefined`: there is no folder, or its file system does not number its folders. */
export async function folderOf(files: Files, lockPath: string): Promise<FolderIdentity | undefined> {
  const id = (await files.facts(dirname(lockPath)))?.id;
  return id === undefined || id === '' || id.endsWith(':0') ? undefined : { id };
}

/** The same, kept open until it is closed. */
export async function heldFolderOf(files: Files, lockPath: string): Promise<FolderIdentity | undefined> {
  const folder = await folderOf(files, lockPath);
  return folder && { ...folder, held: files.hold?.(dirname(lockPath)) };
}

/**
 * Whether the path still leads to the folder that it led to when the run began. Also if that was deleted and is not kept
 * anywhere: what was recorded in it is then written again at the path.
 */
export async function isInPlace({ files, lockPath, folder }: LockFolder): Promise<boolean> {
  if (folder === undefined || (await files.facts(dirname(lockPath)))?.id === folder.id) return true;
  return folder.held?.isDeleted() === true;
}

/** Throws `ESTALE` if the path leads to nothing or to another folder by now. */
export async function requireInPlace(of: LockFolder): Promise<void> {
  if (await isInPlace(of)) return;
  const path = dirname(of.lockPath);
  const fault: FileFault = Object.assign(new Error(`${path} is no longer the folder of the lockfile`), {
    code: 'ESTALE',
    path,
  });
  throw fault;
}
