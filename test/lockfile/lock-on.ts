import type { Attempt } from '../../src/lockfile/attempt.js';
import type { LockStore } from '../../src/lockfile/lock-store.js';
import { openLock } from '../../src/lockfile/open-lock.js';
import type { MemoryDisk } from '../fakes/memory-files.js';
import { command, header, random } from './build.js';

/** A lockfile with these records in `/album`, open for writing. */
export async function lockOn(disk: MemoryDisk, records: readonly Attempt[]): Promise<LockStore> {
  const opened = await openLock(disk.files, '/album/album.lock.jsonl', {
    endpoint: header.endpoint,
    command,
    lineage: () => header.lineage,
    random,
  });
  if (!opened.ok) throw new Error(opened.problem.kind);
  for (const record of records) await opened.store.record(record);
  return opened.store;
}
