import { createLockReader } from '../lock-view.js';
import { LOCKFILE } from '../places.js';
import type { Rng } from '../random.js';
import type { Fleet } from './fleet.js';

/** A lifecycle rule of the bucket deletes objects, or an older copy of it is put in its place. */
export function deleteEntries(fleet: Fleet, rng: Rng, when: 'idle' | 'running' = 'idle'): void {
  const { bucket, timeline } = fleet;
  const keys = bucket.list('log/').filter((key) => key.endsWith('.jsonl'));
  if (fleet.deleted !== undefined || keys.length < 2) return;
  const newest = when === 'idle' && rng.chance(0.5);
  const older = newest ? newestOf(fleet, rng, keys) : olderOf(rng, keys);
  const gone = older.filter((key) => isKnownToAll(fleet, key));
  if (gone.length === 0) return;
  fleet.trace(`others delete ${gone.join(', ')}`);
  fleet.tamperedMs = timeline.nowMs();
  fleet.deleted = {
    entries: new Map(gone.map((key) => [key, bucket.objects.get(key)!])),
    newest,
  };
  for (const key of gone) bucket.remove(key);
}

/**
 * Whether every process that has begun to read the log has read this entry. Otherwise it might write in its place, which
 * nobody can notice in time.
 */
function isKnownToAll({ machines, known }: Fleet, key: string): boolean {
  const runs = machines.flatMap(({ running }) => [...running]);
  return runs.every(({ witness }) => known.get(witness)?.has(key) ?? true);
}

function olderOf(rng: Rng, keys: readonly string[]): readonly string[] {
  const from = rng.chance(0.5) ? 0 : rng.below(keys.length - 1);
  return keys.slice(from, rng.between(from + 1, keys.length - 1));
}

/** The newest entries and checkpoints: enough that every machine's lockfile has an attempt that the log no longer has. */
function newestOf({ bucket, machines }: Fleet, rng: Rng, keys: readonly string[]): readonly string[] {
  const firstIn = new Map<string, number>();
  for (const [entry, key] of keys.entries())
    for (const line of Buffer.from(bucket.objects.get(key)!).toString().split('\n')) {
      const attempt = /"attempt":"(\w+)"/.exec(line)?.[1];
      if (attempt !== undefined && !firstIn.has(attempt)) firstIn.set(attempt, entry);
    }
  const known = machines.map(({ disk }) => {
    const lockfile = disk.entries.get(LOCKFILE);
    const { attempts } = createLockReader().read(lockfile === 'directory' ? undefined : lockfile?.bytes);
    const shared = [...attempts.values()].filter(({ latest }) => latest.log_rev !== undefined);
    return Math.max(0, ...shared.map(({ latest }) => firstIn.get(latest.attempt) ?? 0));
  });
  const fromMax = Math.min(...known);
  if (fromMax === 0) return [];
  const first = keys[rng.between(1, fromMax)]!;
  return bucket.list('log/').filter((key) => key >= first);
}

/**
 * Puts back what was deleted, unless a slot has other bytes by now: a late write of a killed run fills one again, the next
 * run continues after it, and then the old entries no longer fit.
 */
export function restore(fleet: Fleet): void {
  const { objects } = fleet.bucket;
  const refilled = [...(fleet.deleted?.entries ?? [])].some(([key, bytes]) => {
    const now = objects.get(key);
    return now !== undefined && Buffer.compare(now, bytes) !== 0;
  });
  if (refilled) {
    fleet.trace('what was deleted can no longer be restored');
    return;
  }
  fleet.trace('what was deleted is restored');
  for (const [key, bytes] of fleet.deleted?.entries ?? []) fleet.bucket.restore(key, bytes);
  fleet.deleted = undefined;
}
