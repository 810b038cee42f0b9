import { sha256 } from '../media.js';
import type { Rng } from '../random.js';
import type { Fleet } from './fleet.js';

/** Objects are cut or overwritten in the audio store while their jobs are still to be cleaned up. */
export function damageAudio({ bucket, server, judge, trace }: Fleet, rng: Rng): void {
  const open = [...judge.logReader.view.attempts.values()].flatMap(({ latest }) =>
    latest.state === 'done' ? [] : (latest.file?.sha256 ?? []),
  );
  const atService = [...server.jobs.values()].flatMap((job) =>
    job.deletedMs === undefined ? job.sha256 : [],
  );
  const damageable = new Set(open.filter((hash) => atService.includes(hash)));
  for (const key of bucket.list('audio/')) {
    const bytes = bucket.objects.get(key)!;
    if (!damageable.has(hashIn(key)) || !rng.chance(0.6)) continue;
    trace(`${key} is damaged`);
    bucket.restore(
      key,
      rng.chance(0.5) ? bytes.subarray(0, rng.below(bytes.length)) : bytes.map((byte) => byte ^ 1),
    );
  }
}

/** The user deletes damaged objects, as a warning says. */
export function removeDamaged({ bucket, trace }: Fleet): void {
  for (const key of bucket.list('audio/'))
    if (sha256(bucket.objects.get(key)!) !== hashIn(key)) {
      trace(`the user deletes ${key}`);
      bucket.remove(key);
    }
}

function hashIn(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
