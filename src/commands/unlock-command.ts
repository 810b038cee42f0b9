import path from 'node:path';
import { lockedError } from '../app/open-lockfile.js';
import { storageError } from '../app/storage-error.js';
import { EXIT, type ExitCode, usageError } from '../core/errors.js';
import { type BrokenLock, breakRunLock, holderOf } from '../lockfile/run-lock.js';
import type { LockHolder } from '../lockfile/run-lock-file.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { removeIdleFolders } from './idle-folders.js';

interface UnlockFlags extends Flags {
  /** Of the lock that the user was shown. */
  readonly id?: string;
}

/**
 * Frees a lock whose run is gone; with `--force` also one whose run cannot be checked: the one that `--id` names, or the
 * one that is there now. Never one whose run is alive here.
 */
export async function unlockCommand(manifest: string, { id, ...flags }: UnlockFlags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await requireManifest(session);
  const { ports, settings, stdout, command } = session;
  const { files, processes, clock, random } = ports;
  const lockPath = settings.lockfilePath.value;
  const directory = path.dirname(lockPath);
  const force = (flags.force as unknown) === true;
  if (id !== undefined && !force) throw usageError('--id needs --force', 'add --force, or leave out --id');
  const present = async () =>
    force ? (await holderOf(files, processes, clock, random, lockPath))?.id : undefined;
  let broken: BrokenLock;
  try {
    // Check first, because taking the run lock would create its folder.
    const folder = await files.facts(directory);
    broken =
      folder?.kind === 'directory'
        ? await breakRunLock(files, processes, clock, random, lockPath, id ?? (await present()))
        : { kind: 'free' };
  } catch (error) {
    const next = command('unlock', ...(force ? ['--force'] : []), ...(id === undefined ? [] : ['--id', id]));
    throw await storageError(error, files, { directory, next });
  }
  await removeIdleFolders(session);
  if (broken.kind === 'refused') throw lockedError(broken.held, command);
  const was = broken.kind === 'broken' ? broken.was : undefined;
  stdout.write(flags.json === true ? document(lockPath, was) : reported(was));
  return EXIT.ok;
}

function reported(was: LockHolder | undefined): string {
  if (was === undefined) return 'not locked\n';
  if (was.pid === 0) return 'released: its lock file could not be read\n';
  return `released: it was held by pid ${was.pid} on ${escapeForeign(was.hostname)}\n`;
}

function document(lockfile: string, was: LockHolder | undefined): string {
  const holder = was && { id: was.id, pid: was.pid, hostname: was.hostname, since_ms: was.sinceMs };
  return jsonDocument({ schema: 1, lockfile, freed: was !== undefined, was: holder ?? null });
}
