import { holderName } from '../app/open-lockfile.js';
import { holderOf } from '../lockfile/run-lock.js';
import type { Session } from '../session/session.js';

/** The run that works on the lockfile now, if any. A lock that cannot be read does not keep a command from showing the rest. */
export async function runAtWork({
  ports: { files, processes, clock, random },
  settings,
}: Session): Promise<string | undefined> {
  const lockPath = settings.lockfilePath.value;
  const holder = await holderOf(files, processes, clock, random, lockPath).catch(() => undefined);
  return holder?.alive === true ? holderName(holder) : undefined;
}
