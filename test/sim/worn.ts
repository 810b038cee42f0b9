import type { Resolution } from '../../src/app/resolution.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { createInode, type Disk, folderOf, syncInode } from './disk.js';
import { createLockReader, type LockView } from './lock-view.js';
import { KEYS, LOCKFILE } from './places.js';
import { createRng, type Rng } from './random.js';
import type { ServerJob } from './server.js';
import { durableJournals, hasRescued, removeCopies } from './tamper.js';
import { needsRepair, type SimWorld } from './world.js';

/** A lockfile that is damaged for good: the user has no backup, repairs it, and settles what is left in doubt. */
export interface Worn {
  readonly bytes: Uint8Array;
  /** Charged jobs that no undamaged line names, by queue_id. */
  readonly jobs: ReadonlyMap<string, WornJob>;
  /** Tracks that the lockfile named before. */
  readonly tracks: ReadonlySet<string>;
  /** Doubts that the user has thought about. */
  readonly settled: Set<string>;
  /** One of them did not say which take it was about. */
  vague: boolean;
}

interface WornJob {
  readonly track: string;
  /** Absent: its response was lost, so that only the service knew of it. */
  readonly take: number | undefined;
}

/** Whether the lockfile is damaged before the next run, once in a world: how is drawn from these random numbers. */
export function wearNow(world: SimWorld): Rng | undefined {
  const rng = createRng(world.seed, `wear before run ${world.runs + 1}`);
  const { outside } = world;
  if (world.worn !== undefined || world.damaged || outside.damage !== undefined || needsRepair(world))
    return undefined;
  return rng.chance(outside.rates.worn) ? rng : undefined;
}

/** Between two runs, bytes of the lockfile change; its copies may be gone as well. */
export function wear(world: SimWorld, rng: Rng): void {
  const { judge, oldLockfiles } = world;
  const damaged = damage(world, rng);
  if (damaged === undefined) return;
  const { before, sound } = damaged;
  world.worn = wornOf(damaged, wornJobs(world, before, sound));
  world.trace(`${world.worn.jobs.size} jobs are only in what was damaged`);
  // What is left may be in a journal. Older lockfiles would be a backup.
  world.tampered = true;
  oldLockfiles.length = 0;
  judge.forget?.(sound);
}

/**
 * The same on one of several machines, once the shared log has all that its lockfile has: nothing is lost then.
 *
 * @returns whether the lockfile was damaged
 */
export function wearCopy(world: SimWorld, rng: Rng): boolean {
  const bytes = lockfileOf(world.disk);
  const log = world.judge.seen();
  const isCopy = [...viewOf(world.disk, bytes ?? new Uint8Array(0)).attempts.values()].every(
    ({ latest: { attempt, log_rev, file }, queueIds }) =>
      log_rev !== undefined &&
      log.attempts.has(attempt) &&
      [...queueIds].every((queueId) => {
        const job = log.jobs.get(queueId);
        return job !== undefined && (job.file === undefined) === (file === undefined);
      }),
  );
  const damaged = isCopy ? damage(world, rng) : undefined;
  if (damaged === undefined) return false;
  world.worn = wornOf(damaged, new Map());
  return true;
}

interface Damaged {
  readonly bytes: Uint8Array;
  readonly before: LockView;
  /** What undamaged lines and journals still say. */
  readonly sound: LockView;
}

function wornOf({ bytes, before }: Damaged, jobs: Worn['jobs']): Worn {
  const tracks = new Set([...before.attempts.values()].map(({ latest }) => latest.track));
  return { bytes, jobs, tracks, settled: new Set(), vague: false };
}

function damage({ disk, timeline, trace }: SimWorld, rng: Rng): Damaged | undefined {
  const bytes = lockfileOf(disk);
  const [start, end] = [(bytes?.indexOf(LINE_FEED) ?? -1) + 1, bytes?.lastIndexOf(LINE_FEED) ?? -1];
  if (bytes === undefined || start >= end || hasRescued(disk)) return undefined;
  const before = viewOf(disk, bytes);
  if (rng.chance(0.7)) removeCopies(disk);
  const how = rng.pick(['flip', 'flips', 'zeros', 'noise', 'cut', 'added'] as const);
  const after = spoil(rng, how, bytes.slice(), start, end);
  if (Buffer.compare(after, bytes) === 0) return undefined;
  trace(`the lockfile is damaged for good: ${how}`);
  const inode = createInode(timeline.nowMs());
  inode.bytes = after;
  syncInode(inode);
  disk.change([[LOCKFILE, inode]]);
  disk.syncDirectory(folderOf(LOCKFILE));
  const intact = new Set(linesOf(bytes));
  const kept = linesOf(after).filter((line) => intact.has(line));
  return { bytes: after, before, sound: viewOf(disk, Buffer.from(`${kept.join('\n')}\n`, 'latin1')) };
}

/** Several wrong characters of one line that give another track or take would make it the line of that take. */
function spoil(
  rng: Rng,
  how: 'flip' | 'flips' | 'zeros' | 'noise' | 'cut' | 'added',
  bytes: Uint8Array,
  start: number,
  end: number,
): Uint8Array {
  if (how === 'flip') bytes[start + rng.below(end - start)]! ^= 1 << rng.below(7);
  if (how === 'flips') {
    const text = Buffer.from(bytes).toString('latin1');
    const names = [...text.matchAll(/"track":"[^"]*","take":\d+/g)];
    for (let count = rng.between(2, 4); count > 0; count--) {
      const at = start + rng.below(end - start);
      if (names.every(({ 0: { length }, index }) => at < index || at >= index + length))
        bytes[at]! ^= 1 << rng.below(7);
    }
  }
  const from = start + rng.below(end - start);
  const to = Math.min(end, from + Math.ceil(600 ** rng.next()));
  if (how === 'zeros') bytes.fill(0, from, to);
  if (how === 'noise') for (let at = from; at < to; at++) bytes[at] = 0x80 + rng.below(0x80);
  if (how === 'cut') return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  if (how !== 'added') return bytes;
  let text = Buffer.from(bytes).toString('latin1');
  for (let count = rng.between(1, 3); count > 0; count--) {
    const at = start + rng.below(end - start);
    text = text.slice(0, at) + rng.pick(ADDED) + text.slice(at);
  }
  return Buffer.from(text, 'latin1');
}

/** What editors, line ends of another system and a merge put into a file. */
const ADDED: readonly string[] = ['\n', '\r\n', '<<<<<<< HEAD\n', '=======', '\0\0\0\0'];

function wornJobs({ server, waived }: SimWorld, before: LockView, sound: LockView): Worn['jobs'] {
  const lost = [...server.jobs.values()].filter(
    ({ queueId }) => !sound.jobs.has(queueId) && !waived.has(queueId),
  );
  return new Map(
    lost.map(({ queueId, prompt }) => {
      const record = before.jobs.get(queueId);
      return [queueId, { track: record?.track ?? trackOf(prompt), take: record?.take }];
    }),
  );
}

/** Whether the lockfile is still the damaged one. */
export function isWorn({ worn, disk }: SimWorld): boolean {
  return worn !== undefined && isDamaged(lockfileOf(disk), worn);
}

/** Whether it is the damaged one after a loss of power. */
export function mayBeWorn({ worn, disk }: SimWorld): boolean {
  return worn !== undefined && disk.possible(LOCKFILE).some((bytes) => isDamaged(bytes, worn));
}

/** What was cut off at its end is followed by an end mark once it is repaired. */
function isDamaged(bytes: Uint8Array | undefined, { bytes: start }: Worn): boolean {
  if (bytes === undefined || Buffer.compare(bytes.subarray(0, start.length), start) !== 0) return false;
  return !Buffer.from(bytes.subarray(start.length)).includes('{"end":');
}

/** In doubt, and known only from a damaged line, or from a missing one. Source: the lockfile's contract. */
export function isSalvaged({ state, reason }: Attempt): boolean {
  return (
    state === 'in_doubt' && (reason?.code === 'lockfile-bad-line' || reason?.code === 'lockfile-incomplete')
  );
}

/** Whether an attempt may be for this prompt: of a damaged line the request is unknown. */
export function isFor(world: Pick<SimWorld, 'album'>, { digest, track }: Attempt, prompt: string): boolean {
  return digest === world.album.digests.get(prompt) || (digest === UNKNOWN && track === trackOf(prompt));
}

/** Whether a job that only damaged lines named is in doubt. */
export function isCovered({ worn }: SimWorld, queueId: string, view: LockView): boolean {
  const job = worn?.jobs.get(queueId);
  if (worn === undefined || job === undefined) return false;
  return [...view.attempts.values()].some(
    ({ latest }) => isSalvaged(latest) && (latest.track === job.track || isVague(worn, latest)),
  );
}

function isVague({ tracks }: Worn, { track }: Attempt): boolean {
  return !tracks.has(track);
}

/**
 * What the user finds out about a job that only a damaged line names.
 *
 * @param others that are not settled yet
 * @returns undefined while it cannot be settled
 */
export function judgeSalvaged(
  world: SimWorld,
  attempt: Attempt,
  others: readonly Attempt[],
): Resolution | undefined {
  const { worn, waived, timeline } = world;
  if (worn === undefined) return undefined;
  if (isVague(worn, attempt)) worn.vague = true;
  const job = jobOf(world, worn, attempt);
  // The line was about a job that the shared log has.
  if (job !== undefined && !worn.jobs.has(job.queueId) && isHeld(world, attempt, job))
    return { kind: 'not_charged' };
  const isNew = !worn.settled.has(attempt.attempt);
  worn.settled.add(attempt.attempt);
  if (isNew && job !== undefined) {
    const was = worn.jobs.get(job.queueId);
    // The take that the job was for does not count as bought: the user can see that in the next plan.
    if (was?.track !== attempt.track || was.take !== attempt.take) allowOnceMore(world, job.prompt);
  }
  if (worn.vague) giveUpOthers(world, worn, job, others);
  if (job === undefined) return { kind: 'not_charged' };
  if (job.account !== KEYS[0]) return undefined;
  const isGone = job.deletedMs !== undefined || timeline.nowMs() >= job.expiresMs;
  if (!isGone) return { kind: 'queue_id', queueId: job.queueId };
  waived.add(job.queueId);
  return { kind: 'charged' };
}

/** As `resolve` does, which finds the job of a line that names no model. */
export function withModel({ server }: SimWorld, attempt: Attempt, said: Resolution): Attempt {
  const job = said.kind === 'queue_id' && isSalvaged(attempt) ? server.jobs.get(said.queueId) : undefined;
  return job === undefined ? attempt : { ...attempt, model: job.model };
}

/** The job that the line named, if the service has one like it; else one for the same take that nobody has recorded. */
function jobOf(world: SimWorld, worn: Worn, { queue_id, track, take }: Attempt): ServerJob | undefined {
  const named = world.server.jobs.get(queue_id ?? '');
  if (named !== undefined) return named;
  const unknown = unrecorded(world, worn).filter(([, job]) => job.track === track);
  const best = unknown.find(([, job]) => job.take === take) ?? unknown[0];
  return best === undefined ? undefined : world.server.jobs.get(best[0]);
}

function isHeld({ judge }: SimWorld, { attempt }: Attempt, { queueId }: ServerJob): boolean {
  return [...judge.seen().attempts.values()].some(
    ({ latest, queueIds }) => latest.attempt !== attempt && queueIds.has(queueId),
  );
}

function unrecorded({ judge, waived }: SimWorld, { jobs }: Worn): readonly (readonly [string, WornJob])[] {
  const view = judge.seen();
  return [...jobs].filter(([queueId]) => !view.jobs.has(queueId) && !waived.has(queueId));
}

/** Nothing says which takes they were for: the user can only give them up, and sees in the next plan what is bought. */
function giveUpOthers(
  world: SimWorld,
  worn: Worn,
  answered: ServerJob | undefined,
  others: readonly Attempt[],
): void {
  for (const [queueId, { track }] of unrecorded(world, worn)) {
    const job = world.server.jobs.get(queueId);
    if (job === undefined || job === answered) continue;
    if (others.some((other) => other.track === track || isVague(worn, other))) continue;
    world.trace(`the user gives up ${queueId}`);
    world.waived.add(queueId);
    allowOnceMore(world, job.prompt);
  }
}

function allowOnceMore({ allowances }: SimWorld, prompt: string): void {
  const allowance = allowances.get(prompt) ?? { wanted: 0, extra: 0 };
  allowances.set(prompt, { ...allowance, extra: allowance.extra + 1 });
}

function trackOf(prompt: string): string {
  return prompt.replace(/ version \d+$/, '');
}

function viewOf(disk: Disk, bytes: Uint8Array): LockView {
  return createLockReader().read(Buffer.concat([bytes, ...durableJournals(disk)]));
}

function linesOf(bytes: Uint8Array): readonly string[] {
  return Buffer.from(bytes).toString('latin1').split('\n');
}

function lockfileOf({ entries }: Disk): Uint8Array | undefined {
  const entry = entries.get(LOCKFILE);
  return entry === 'directory' ? undefined : entry?.bytes;
}

const LINE_FEED = 0x0a;
/** Stands for a request that only a damaged line named. Source: the lockfile's contract. */
const UNKNOWN = `v0:${'0'.repeat(64)}`;
