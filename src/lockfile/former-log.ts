import type { Files } from '../core/ports.js';
import { removeQuietly } from './atomic-write.js';
import { belongsTo, type JournalText, readJournals } from './journal.js';
import type { LockHeader } from './lock-header.js';
import { type Lock, mergeLocks } from './merge-locks.js';
import { LOCK_BYTES_MAX, readLockAlone } from './read.js';
import { seenPath } from './seen-entries.js';

/*
 * The journals and the copy in the private folder name the shared log that was used last here. If the user has chosen another
 * one, also through a merge on another machine, they have to be joined with the lockfile, and must not be read again.
 */

/**
 * A lockfile joined with its journals although they are copies of different logs; `undefined` if that is not possible.
 *
 * @param log the one to keep using
 */
export async function joinWithJournals(files: Files, path: string, log: string): Promise<Lock | undefined> {
  const read = await readLockAlone(files, path);
  if (!read.ok || read.header === undefined) return undefined;
  let joined: Lock = { header: read.header, attempts: read.attempts };
  for (const { header = read.header, records } of await journalsOf(files, path, read.header)) {
    const attempts = new Map(records.map((record) => [record.attempt, record]));
    const merged = mergeLocks(joined, { header, attempts }, log);
    if (!merged.ok) return undefined;
    joined = merged.lock;
  }
  return joined;
}

/**
 * Renames the journals that are of another log than the lockfile, which has all their records. Requires the run lock. If this
 * is interrupted, joining them once more does no harm.
 */
export async function retireJournals(files: Files, path: string, header: LockHeader): Promise<void> {
  const former = (await journalsOf(files, path, header)).filter(
    ({ header: of }) => of?.log !== undefined && of.log !== header.log,
  );
  for (const journal of former) await files.rename(journal.path, `${journal.path}.of-former-log`);
  // It counts entries of the former log.
  if (former.length > 0) await removeQuietly(files, seenPath(await files.real(path)));
}

async function journalsOf(files: Files, path: string, header: LockHeader): Promise<readonly JournalText[]> {
  const journals = await readJournals(files, await files.real(path), LOCK_BYTES_MAX);
  if (!journals.ok) throw journals.fault;
  return journals.all.filter((journal) => belongsTo(header, journal));
}
