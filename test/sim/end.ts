import { EXIT } from '../../src/core/errors.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { compareNewest } from '../../src/plan/history.js';
import { promptOf } from './album.js';
import { exitCodeOf } from './incarnation.js';
import type { LockView } from './lock-view.js';
import { sha256 } from './media.js';
import { doubtful } from './person.js';
import { HOME, KEYS, LOCKFILE } from './places.js';
import type { Incarnation, SimWorld } from './world.js';
import { isFor } from './worn.js';

export const IN_FLIGHT: ReadonlySet<string> = new Set(['queued', 'stored', 'unverified']);

/** Invariant l, and that the run reports its own end correctly. */
export function judgeEnd(world: SimWorld, { report, error }: Incarnation): void {
  const { judge } = world;
  const view = judge.seen();
  const code = report?.exitCode ?? exitCodeOf(error);
  if (code === EXIT.lockfile) {
    if (view.badLines === 0 && hasWholeLine(world) && !hasHole(world))
      judge.blame('l', 'the lockfile is refused and can be read');
    return;
  }
  // What becomes of a forged job, under whatever key, is not covered by the promise.
  for (const { latest } of view.attempts.values())
    if (
      IN_FLIGHT.has(latest.state) &&
      !isLeftToUser(latest) &&
      !world.waived.has(latest.attempt) &&
      !isStillMade(world, latest)
    )
      judge.blame('l', `${latest.attempt} is still ${latest.state} (exit ${code})`);
  const made = (prompt: string) =>
    [...view.attempts.values()].filter(
      ({ latest }) => latest.state === 'done' && isFor(world, latest, prompt),
    ).length;
  const unmade = world.album.tracks.filter((track) => made(promptOf(track)) < track.takes);
  if (code === EXIT.ok && unmade.length > 0)
    judge.blame('l', `exit 0, and ${unmade.map(promptOf).join(', ')} not made`);
  if (code === EXIT.ok) judgeNoneLeft(world, view);
  for (const { key, state, attempt = '' } of report?.takes ?? [])
    if (state === 'missing' && isThere(world, view.attempts.get(attempt)?.latest))
      judge.blame('l', `${key} is reported as missing, and its file is there`);
  const excused =
    world.waived.size > 0 ||
    [...view.attempts.values()].some(({ latest }) => EXCUSES.has(latest.state) || isLeftToUser(latest));
  if (code !== EXIT.ok && unmade.length === 0 && doubtful(world).length === 0 && !excused)
    judge.blame('l', `all is made, and the run ends with ${code}`);
  if (code === EXIT.tracks && !excused) judge.blame('l', 'exit 100, and nothing has failed');
  if (code === EXIT.inDoubt && doubtful(world).length === 0)
    judge.blame('l', 'exit 8, and nothing is in doubt');
}

/** After exit 0 the service has no audio that is not here, even if the user deleted it here. */
function judgeNoneLeft({ album, disk, judge, server, timeline }: SimWorld, view: LockView): void {
  const attempts = [...view.attempts.values()].map(({ latest }) => latest).sort(compareNewest);
  const hashes = new Set(attempts.map(({ file }) => file?.sha256));
  for (const track of album.tracks)
    for (let take = 1; take <= track.takes; take += 1) {
      const chosen = attempts.find(
        (one) => one.track === track.id && one.take === take && isFor({ album }, one, promptOf(track)),
      );
      const job = server.jobs.get(chosen?.queue_id ?? '');
      if (chosen?.file === undefined || job === undefined || job.account !== KEYS[0]) continue;
      if (job.deletedMs !== undefined || timeline.nowMs() >= job.expiresMs) continue;
      const entry = disk.entries.get(`${HOME}/${chosen.file.path}`);
      const isOwn = entry !== undefined && entry !== 'directory' && isOwnFile(entry.bytes, chosen, hashes);
      if (!isOwn) judge.blame('l', `exit 0, and ${job.queueId} could be fetched again`);
    }
}

/** A run compares sizes: a file that was changed counts, unless its bytes are those of another attempt. */
function isOwnFile(bytes: Uint8Array, { file }: Attempt, hashes: ReadonlySet<string | undefined>): boolean {
  const hash = sha256(bytes);
  return hash === file?.sha256 || (bytes.length === file?.bytes && !hashes.has(hash));
}

/** Some jobs take longer than all runs together. */
function isStillMade({ server, timeline }: SimWorld, { queue_id: queueId }: Attempt): boolean {
  const job = queueId === undefined ? undefined : server.jobs.get(queueId);
  return job !== undefined && job.readyMs > timeline.nowMs();
}

/**
 * Without links, a part of the first line remains on a disk that fails both as it is written and as the file is
 * removed.
 */
function hasWholeLine({ disk }: SimWorld): boolean {
  const entry = disk.entries.get(LOCKFILE);
  return entry !== undefined && entry !== 'directory' && entry.bytes.includes(0x0a);
}

/** A failed sync and a loss of power may leave zeros within the last line: others could have cut it, so a person decides. */
function hasHole({ disk }: SimWorld): boolean {
  const entry = disk.entries.get(LOCKFILE);
  if (entry === undefined || entry === 'directory') return false;
  return entry.bytes.subarray(entry.bytes.lastIndexOf(0x0a) + 1).includes(0);
}

function isThere({ disk }: SimWorld, attempt: Attempt | undefined): boolean {
  const entry = disk.entries.get(`${HOME}/${attempt?.file?.path}`);
  return entry !== undefined && entry !== 'directory' && sha256(entry.bytes) === attempt?.file?.sha256;
}

/** The service no longer has the audio, and a download that failed the check is kept: the user accepts it or not. */
export function isLeftToUser({ state, reason }: Attempt): boolean {
  return state === 'unverified' && reason?.code === 'not_found';
}

const EXCUSES: ReadonlySet<string> = new Set(['failed', 'lost', 'rejected', 'in_doubt', 'intent']);
