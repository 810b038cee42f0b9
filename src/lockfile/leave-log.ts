import type { Files, Random } from '../core/ports.js';
import { replaceFile } from './atomic-write.js';
import type { Attempt } from './attempt.js';
import { removeAllJournals } from './journal.js';
import { type LockHeader, withVersion } from './lock-header.js';
import { serialiseLock } from './lock-text.js';
import { scratchPath } from './private-folder.js';
import { forgetSeen } from './seen-entries.js';

/**
 * Makes the copy of a shared log independent of it, with every attempt. The next run with a log adds them to it. Requires
 * the run lock. Throws the `FileFault`.
 *
 * @param lockPath absolute, links resolved
 * @param attempts with those that only the journals have, because the journals are removed
 */
export async function leaveLog(
  files: Files,
  random: Random,
  lockPath: string,
  { header, attempts }: { readonly header: LockHeader; readonly attempts: ReadonlyMap<string, Attempt> },
): Promise<void> {
  const { log: _left, ...rest } = header;
  const own = [...attempts.values()].map(({ log_rev: _rev, ...attempt }) => attempt);
  const text = new TextEncoder().encode(serialiseLock(withVersion(rest), own));
  await replaceFile(files, lockPath, [text], scratchPath(random, lockPath));
  // They name the log too: the next run would join the lockfile to it again. After the lockfile, so that nothing is lost
  // if this is interrupted.
  await removeAllJournals(files, lockPath, header);
  // A new log at the same address begins at 0.
  await forgetSeen(files, lockPath);
}
