import { type Resolution, resolveAttempt } from '../../src/app/resolution.js';
import type { BatchSettings, World } from '../../src/app/world.js';
import { faultCode } from '../../src/core/errors.js';
import type { Ports } from '../../src/core/ports.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { repairFile } from '../../src/lockfile/repair-file.js';
import { acquireRunLock, breakRunLock } from '../../src/lockfile/run-lock.js';
import { lookAtJob } from '../../src/run/look-at-job.js';
import { createClient } from '../../src/venice/create-client.js';
import { drawTrack, type Track } from './album.js';
import { isCopied } from './damage.js';
import { createInode, folderOf, syncInode } from './disk.js';
import { HOME, LOCKFILE } from './places.js';
import type { ServerJob } from './server.js';
import { removeCopies } from './tamper.js';
import { withOpenStore } from './with-open-store.js';
import type { Program, SimWorld } from './world.js';
import { isRestored, needsRepair } from './world.js';
import { isSalvaged, isWorn, judgeSalvaged, withModel } from './worn.js';

/** What the user may do to manifest and files between two runs. */
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
  if (does() && !isWorn(world)) deleteFile(world);
  if (rng.chance(scenario.meddling / 3)) mergeLockfile(world);
}

/** `git merge` with an older version: conflict markers, or both sides' lines with `merge=union`. */
function mergeLockfile(world: SimWorld): void {
  const { rng, oldLockfiles } = world;
  const bytes = lockfileOf(world);
  if (bytes === undefined || oldLockfiles.length === 0) return;
  const [ours, theirs] = rng.chance(0.5) ? [bytes, rng.pick(oldLockfiles)] : [rng.pick(oldLockfiles), bytes];
  const [begin, middle, end] = rng.chance(0.5)
    ? ['', '', '']
    : ['<<<<<<< ours\n', '=======\n', '>>>>>>> theirs\n'];
  world.trace(`the user merges the lockfile: ${JSON.stringify(begin)}`);
  replaceLockfile(
    world,
    Buffer.concat([Buffer.from(begin), ours, Buffer.from(middle), theirs, Buffer.from(end)]),
  );
  world.damaged = true;
}

/** An editor, or a disk, changes one character of the lockfile. */
export function mangle(world: SimWorld): void {
  const bytes = lockfileOf(world);
  if (bytes === undefined || needsRepair(world) || !world.rng.chance(world.scenario.meddling / 3)) return;
  // Text after the last line end may be the rest of a torn write, and is dropped with or without damage.
  const quotes = [...bytes.subarray(0, bytes.lastIndexOf(LINE_FEED) + 1).keys()].filter(
    (at) => bytes[at] === QUOTE,
  );
  if (quotes.length === 0) return;
  const damaged = bytes.slice();
  damaged[world.rng.pick(quotes)] = QUOTE + 1;
  world.backup = bytes;
  world.damaged = true;
  world.trace('the lockfile is damaged');
  replaceLockfile(world, damaged);
}

/** The lockfile is gone, while every wanted file or a second copy of it exists. That must not buy an album twice. */
export function lose(world: SimWorld): void {
  const bytes = lockfileOf(world);
  if (bytes === undefined || world.damaged || !world.rng.chance(world.scenario.meddling)) return;
  // A conflict in it was not repaired yet: what would be restored is another file than the one that is lost.
  if (needsRepair(world)) return;
  if (!isCopied(world.disk, bytes) && !world.album.tracks.every((track) => isStored(world, track))) return;
  // Without attempts there is nothing to restore: a new one is right.
  if (world.judge.seen().attempts.size === 0) return;
  deleteLockfile(world, bytes);
}

/** The lockfile is gone, with all copies of it. Only the files show what was bought. */
export function loseForGood(world: SimWorld): void {
  const bytes = lockfileOf(world);
  if (bytes === undefined || world.damaged) return;
  // A changed file stays at its old name: after a rename nothing shows what it is.
  if (!world.album.tracks.every((track) => isStored(world, track))) return;
  removeCopies(world.disk);
  deleteLockfile(world, bytes);
}

function deleteLockfile(world: SimWorld, bytes: Uint8Array): void {
  world.backup = bytes;
  world.lost = true;
  world.damaged = true;
  world.tampered = true;
  world.trace('the lockfile is lost');
  world.disk.change([[LOCKFILE, undefined]]);
  world.disk.syncDirectory(folderOf(LOCKFILE));
}

function isStored({ judge, disk }: SimWorld, track: Track): boolean {
  const done = [...judge.seen().attempts.values()].map(({ latest }) => latest);
  return Array.from({ length: track.takes }, (_, at) =>
    at === 0 ? track.stem : `${track.stem}-${at + 1}`,
  ).every((stem) =>
    done.some(
      ({ state, file }) =>
        state === 'done' &&
        file !== undefined &&
        file.path.slice(0, file.path.lastIndexOf('.')) === stem &&
        disk.entries.has(`${HOME}/${file.path}`),
    ),
  );
}

/** Restores a backup. The damaged file must not have been touched. */
export function unmangle(world: SimWorld): void {
  const { backup } = world;
  if (backup === undefined) return;
  const now = lockfileOf(world);
  const changed = now?.filter((byte, at) => byte !== backup[at]).length ?? 1;
  const sameLength = (now?.length ?? backup.length) === backup.length;
  const isUntouched = sameLength && changed === 1;
  const restored = isRestored(world);
  if (world.lost ? now !== undefined && !restored : !isUntouched)
    world.judge.blame('g', 'a damaged lockfile is written to');
  world.backup = undefined;
  world.lost = false;
  world.damaged = false;
  if (!restored) replaceLockfile(world, backup);
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

function lockfileOf(world: SimWorld): Uint8Array | undefined {
  const entry = world.disk.entries.get(LOCKFILE);
  return entry === 'directory' ? undefined : entry?.bytes;
}

function replaceLockfile({ disk, timeline }: SimWorld, bytes: Uint8Array): void {
  const inode = createInode(timeline.nowMs());
  inode.bytes = bytes;
  syncInode(inode);
  disk.change([[LOCKFILE, inode]]);
  disk.syncDirectory(folderOf(LOCKFILE));
}

/** Runs `venice-batch repair` in a process of its own. */
export function repairing(world: SimWorld): Program {
  world.damaged = false;
  return async ({ ports }, settings) => repair(ports, settings);
}

async function repair(ports: Ports, settings: BatchSettings): Promise<'done'> {
  const { files, processes, clock, random } = ports;
  try {
    const guard = await acquireRunLock(files, processes, clock, random, settings.lockfilePath);
    if (!guard.ok) return 'done';
    try {
      await repairFile(files, random, settings.lockfilePath);
    } finally {
      await guard.release();
    }
  } catch (error) {
    if (faultCode(error) === '') throw error;
  }
  return 'done';
}

/** Runs `venice-batch unlock --force`, by a user who has checked that no run is active anywhere. */
export function unlocking(world: SimWorld): Program {
  world.trace('the user frees the lock by force');
  return async ({ ports: { files, processes, clock, random } }, settings) => {
    try {
      const { lockfilePath } = settings;
      const broken = await breakRunLock(files, processes, clock, random, lockfilePath);
      if (broken.kind === 'refused')
        await breakRunLock(files, processes, clock, random, lockfilePath, broken.held.id);
    } catch (error) {
      if (faultCode(error) === '') throw error;
    }
    return 'done';
  };
}

/** As when tracks are reordered: names are exchanged. */
function swapStems(world: SimWorld): void {
  const [first, second] = [world.rng.pick(world.album.tracks), world.rng.pick(world.album.tracks)];
  [first.stem, second.stem] = [second.stem, first.stem];
}

function deleteFile(world: SimWorld): void {
  const stored = [...world.judge.seen().attempts.values()].filter(({ latest }) => latest.file !== undefined);
  if (stored.length === 0) return;
  const place = world.rng.pick(stored).latest.file?.path;
  world.trace(`the user deletes ${place}`);
  const path = `${HOME}/${place}`;
  if (world.disk.entries.has(path)) world.disk.change([[path, undefined]]);
  world.disk.syncDirectory(path.slice(0, path.lastIndexOf('/')));
  // If a file went missing before, another attempt may have taken its place.
  for (const { latest } of stored) if (latest.file?.path === place) world.waived.add(latest.attempt);
}

export function doubtful(world: SimWorld): readonly Attempt[] {
  return [...world.judge.seen().attempts.values()]
    .map(({ latest }) => latest)
    .filter(({ state }) => state === 'intent' || state === 'in_doubt');
}

/** The truth, in one of the ways in which it can be stated. The user sticks to what they said. */
function findOut(world: SimWorld, attempt: Attempt): Resolution {
  const known = world.verdicts.get(attempt.attempt) ?? judge(world, attempt);
  world.verdicts.set(attempt.attempt, known);
  return known;
}

function judge(world: SimWorld, attempt: Attempt): Resolution {
  const { rng, album, allowances, verdicts } = world;
  // A damaged line named the job.
  if (attempt.queue_id !== undefined) return { kind: 'queue_id', queueId: attempt.queue_id };
  const named = new Set([...verdicts.values()].map((said) => (said.kind === 'queue_id' ? said.queueId : '')));
  const job = unknownJobs(world).find(
    ({ prompt, queueId }) => album.digests.get(prompt) === attempt.digest && !named.has(queueId),
  );
  if (rng.chance(0.1)) {
    for (const [prompt, allowance] of allowances)
      if (album.digests.get(prompt) === attempt.digest) allowance.extra += 1;
    return { kind: 'requeue' };
  }
  if (job === undefined) return { kind: 'not_charged' };
  return rng.chance(0.7) ? { kind: 'queue_id', queueId: job.queueId } : { kind: 'charged' };
}

/** Runs `venice-batch resolve` for every attempt in doubt, in a process of its own. */
export function resolving(world: SimWorld): Program {
  return async (around, settings) => {
    try {
      await resolveAll(world, around, settings);
    } catch (error) {
      // The disk refuses, or the lock is held: the user tries again later.
      if (faultCode(error) === '') throw error;
    }
    return 'done';
  };
}

async function resolveAll(world: SimWorld, around: World, settings: BatchSettings): Promise<void> {
  const { ports, transport } = around;
  await withOpenStore(around, settings, async (store) => {
    for (const { attempt: id } of [...store.attempts.values()]) {
      // As it is now: the previous attempt may have brought in what another machine recorded.
      const attempt = store.newest(id);
      if (attempt === undefined) continue;
      if (isSettled(attempt)) continue;
      if (world.shared?.mayResolve(attempt.attempt) === false || store.fault() !== undefined) continue;
      // Deleted by somebody meanwhile: the user could not see which jobs are known.
      if (lockfileOf(world) === undefined) continue;
      const others = [...store.attempts.values()].filter((one) => isSalvaged(one) && one.attempt !== id);
      // The log may have the doubt itself, with its request.
      const logged = world.judge.seen().attempts.get(id)?.latest ?? attempt;
      const found =
        world.worn !== undefined && isSalvaged(attempt) && (isSalvaged(logged) || isSettled(logged))
          ? judgeSalvaged(world, attempt, others)
          : findOut(world, isSalvaged(attempt) ? logged : attempt);
      if (found === undefined) continue;
      const said = typed(world, found);
      const { model } = withModel(world, attempt, said);
      if (said.kind === 'queue_id') {
        const looked = await lookAtJob(createClient(transport, String), model, said.queueId);
        if (looked.kind !== 'known') continue;
      }
      world.trace(`the user says of ${attempt.attempt}: ${JSON.stringify(said)}`);
      const resolved = resolveAttempt({ ...attempt, model }, said, ports.clock.nowMs());
      if (resolved.ok) await store.record(resolved.attempt, { byPerson: true });
      else world.judge.blame('o', resolved.why);
    }
    await store.close();
  });
}

function isSettled({ state }: Attempt): boolean {
  return state !== 'intent' && state !== 'in_doubt';
}

/** As typed, sometimes with one wrong digit. */
function typed({ trouble: { rng, rates } }: SimWorld, said: Resolution): Resolution {
  if (said.kind !== 'queue_id' || !rng.chance(rates.mistyped)) return said;
  const last = said.queueId.endsWith('0') ? '1' : '0';
  return { kind: 'queue_id', queueId: said.queueId.slice(0, -1) + last };
}

/** Charged, and unknown to the lockfile. */
function unknownJobs(world: SimWorld): readonly ServerJob[] {
  const known = new Set([...world.judge.seen().attempts.values()].flatMap(({ queueIds }) => [...queueIds]));
  return [...world.server.jobs.values()].filter(
    ({ queueId }) => !known.has(queueId) && !world.waived.has(queueId),
  );
}
