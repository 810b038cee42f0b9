import path from 'node:path';
import { storageError } from '../app/storage-error.js';
import { requireManifest } from '../session/require-manifest.js';
import type { Session } from '../session/session.js';
import { removeIdleFolders } from './idle-folders.js';

/**
 * Around every command that changes the lockfile: a disk error names the command to repeat, and folders that were
 * created only for the lock are removed.
 */
export async function changeLockfile<T>(session: Session, work: () => Promise<T>): Promise<T> {
  try {
    await requireManifest(session);
    return await work();
  } catch (error) {
    const directory = path.dirname(session.settings.lockfilePath.value);
    throw await storageError(error, session.ports.files, { directory, next: session.again() });
  } finally {
    await session.close();
    await removeIdleFolders(session);
  }
}
