import type { Attempt } from '../../src/lock/attempt.js';
import { drawTrack, promptOf } from './album.js';
import type { ServerJob } from './server.js';
import type { SimWorld } from './world.js';
import { HOME } from './world.js';

/** What a person may do to manifest and files between two runs. */
export function meddle(world: SimWorld): void {
  const { rng, album, scenario } = world;
  const does = () => rng.chance(scenario.meddling);
  for (const track of album.tracks) {
    if (does()) track.version += 1;
    if (does())
      track.stem = rng.pick([
        `out/${track.id}`,
        `out/renamed-${track.id}`,
        `out/deep/${track.id}`,
        `other/${track.id}`,
      ]);
    if (does()) track.takes = rng.between(1, 2);
  }
  if (does() && album.tracks.length > 1) album.tracks.splice(rng.below(album.tracks.length), 1);
  if (does() && album.tracks.length < 4) album.tracks.push(drawTrack(rng, `n${world.runs}`));
  if (does()) swapStems(world);
  if (does()) deleteFile(world);
}

/** As when tracks are put in another order: names are exchanged. */
function swapStems(world: SimWorld): void {
  const [first, second] = [world.rng.pick(world.album.tracks), world.rng.pick(world.album.tracks)];
  [first.stem, second.stem] = [second.stem, first.stem];
}

function deleteFile(world: SimWorld): void {
  const stored = [...world.judge.view().attempts.values()].filter(({ latest }) => latest.file !== undefined);
  if (stored.length === 0) return;
  const { latest } = world.rng.pick(stored);
  world.trace(`a person deletes ${latest.file?.path}`);
  const path = `${HOME}/${latest.file?.path}`;
  if (world.disk.entries.has(path)) world.disk.change([[path, undefined]]);
  world.disk.syncDirectory(path.slice(0, path.lastIndexOf('/')));
  world.waived.add(latest.attempt);
}

/** What a person finds out about an attempt in doubt, from the billing history or from support. */
export type Verdict =
  | { readonly kind: 'queue_id'; readonly queueId: string }
  | { readonly kind: 'charged' }
  | { readonly kind: 'not_charged' }
  | { readonly kind: 'requeue' };

export function doubtful(world: SimWorld): readonly Attempt[] {
  return [...world.judge.view().attempts.values()]
    .map(({ latest }) => latest)
    .filter(({ state }) => state === 'intent' || state === 'in_doubt');
}

/** The truth, told in one of the ways in which it can be told. */
export function findOut(world: SimWorld, attempt: Attempt): Verdict {
  const { rng } = world;
  const job = unknownJobs(world).find(({ prompt }) => world.album.digests.get(prompt) === attempt.digest);
  const prompt = [...world.album.digests].find(([, digest]) => digest === attempt.digest)?.[0] ?? '';
  if (rng.chance(0.1)) {
    if (job !== undefined) world.waived.add(job.queueId);
    const allowance = world.allowances.get(prompt);
    if (allowance !== undefined) allowance.extra += 1;
    return { kind: 'requeue' };
  }
  if (job === undefined) return { kind: 'not_charged' };
  if (rng.chance(0.7)) return { kind: 'queue_id', queueId: job.queueId };
  world.waived.add(job.queueId);
  return { kind: 'charged' };
}

/** Charged, and nothing that the lockfile knows. */
export function unknownJobs(world: SimWorld): readonly ServerJob[] {
  const known = new Set([...world.judge.view().attempts.values()].flatMap(({ queueIds }) => [...queueIds]));
  return [...world.server.jobs.values()].filter(
    ({ queueId }) => !known.has(queueId) && !world.waived.has(queueId),
  );
}

export function isWanted(world: SimWorld, prompt: string): boolean {
  return world.album.tracks.some((track) => promptOf(track) === prompt);
}
