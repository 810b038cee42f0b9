import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Beacon, Clock, Files, NameClaim, Processes, Random } from '../core/ports.js';
import type { Holder } from './liveness.js';
import { type FolderIdentity, folderOf, isInPlace, requireInPlace } from './lock-folder.js';
import {
  makePrivateFolder,
  privatePath,
  randomHex,
  socketPath,
  sweepPrivateFolder,
} from './private-folder.js';
import { readClaim } from './run-lock-claim.js';
import {
  createsOnce,
  type Entrant,
  type LockHolder,
  lookUp,
  type MayFollow,
  readChain,
  releaseRunLock,
  type Taken,
  take,
  tryCreate,
  type World,
} from './run-lock-file.js';

/*
 * Allows one run at a time. Two things keep others out: a name claimed from the operating system, which deleting files
 * does not free, but which other machines and most containers do not see; and a file that names its holder, visible to
 * everyone who sees the lockfile. The file is never taken over because of its age, only if its holder is provably gone.
 */

export type AcquiredLock =
  | {
      readonly ok: true;
      /**
       * Whether others are kept out for certain. A file system may fail to refuse both creating a file that exists and
       * linking over one.
       */
      readonly exclusive: boolean;
      /**
       * Whether we still hold the lock. If the file was removed, it is put back while the operating system's claim
       * keeps others out. `taken`: another process has it. `gone`: it was removed, and nothing kept others out
       * meanwhile; or the lockfile's folder was moved, or another one took its place.
       */
      check(): Promise<RunLockState>;
      /** Frees the lock if we still hold it. */
      release(): Promise<void>;
      /** The dead holder whose lock was taken over, for the report. */
      readonly tookOver?: LockHolder;
    }
  | { readonly ok: false; readonly held: LockHolder };

export type RunLockState = 'ours' | 'taken' | 'gone';

/** Takes the run lock of a lockfile, or returns who holds it. `lockPath` is absolute; its folder is created. */
export async function acquireRunLock(
  files: Files,
  processes: Processes,
  clock: Clock,
  random: Random,
  lockPath: string,
): Promise<AcquiredLock> {
  const real = await files.real(lockPath);
  return enter({ files, processes, clock, random, lockPath: real }, ({ alive }) => alive === false);
}

export type BrokenLock =
  | { readonly kind: 'free' }
  | { readonly kind: 'broken'; readonly was: LockHolder }
  /** The holder is alive, or may be: it must end first, or the user has to judge it. */
  | { readonly kind: 'refused'; readonly held: LockHolder };

/**
 * Frees a lock whose holder is gone, and one whose holder cannot be checked (another host, or an unreadable lock file),
 * if the user has judged that one: another run may have taken the lock since. Never frees the lock of a live process.
 *
 * @param judged the id of the holder that the user knows to be gone
 */
export async function breakRunLock(
  files: Files,
  processes: Processes,
  clock: Clock,
  random: Random,
  lockPath: string,
  judged?: string,
): Promise<BrokenLock> {
  const real = await files.real(lockPath);
  const taken = await enter(
    { files, processes, clock, random, lockPath: real },
    ({ alive, id }) => alive === false || (alive === 'unknown' && id === judged),
  );
  if (!taken.ok) return { kind: 'refused', held: taken.held };
  await taken.release();
  return taken.tookOver === undefined ? { kind: 'free' } : { kind: 'broken', was: taken.tookOver };
}

/** Who holds the lock, unless the holder is provably gone. Takes and creates nothing. */
export async function holderOf(
  files: Files,
  processes: Processes,
  clock: Clock,
  random: Random,
  lockPath: string,
): Promise<LockHolder | undefined> {
  const real = await files.real(lockPath);
  const world = { files, processes, clock, random, lockPath: real };
  for (const guard of [runLockPath(real), formerRunLockPath(real)]) {
    const end = (await readChain(files, guard)).at(-1);
    const holder = end && (await lookUp(world, end.claim, false));
    if (holder !== undefined && holder.alive !== false) return holder;
  }
  return undefined;
}

/** Whether two lockfiles, with links resolved, have the same lock: they are then one file under two paths. */
export async function shareLock(files: Files, first: string, second: string): Promise<boolean> {
  const nonce = (await readClaim(files, runLockPath(first)))?.nonce;
  return nonce !== undefined && nonce === (await readClaim(files, runLockPath(second)))?.nonce;
}

/** The path of the run lock of a lockfile with links resolved. */
export function runLockPath(lockPath: string): string {
  return privatePath(lockPath, '.guard');
}

/** The path in earlier versions. */
function formerRunLockPath(lockPath: string): string {
  return `${lockPath}.guard`;
}

async function enter(world: World, mayFollow: MayFollow): Promise<AcquiredLock> {
  const { files, processes, clock, random, lockPath } = world;
  await makePrivateFolder(files, random, lockPath);
  const folder = await folderOf(files, lockPath);
  const named = await claimName(world, folder);
  if ('held' in named) return { ok: false, held: named.held };
  let beacon: Beacon | undefined;
  const leave = async () => {
    await beacon?.close();
    if (named.kind === 'held') await named.free();
  };
  try {
    const nonce = randomHex(random);
    beacon = await processes.openBeacon(socketPath(lockPath, nonce));
    const holder: Holder = {
      ...processes.self,
      claimed: named.kind === 'held',
      beaconId: beacon?.id ?? '',
    };
    const claim = { holder, nonce, sinceMs: clock.nowMs() };
    const entrant = { ...world, claim, named, folder, mayFollow };
    const taken = await takeBoth(entrant);
    if (!taken.ok) {
      await leave();
      return taken;
    }
    await sweepPrivateFolder(files, processes, lockPath);
    return heldRunLock(entrant, taken.tookOver, leave);
  } catch (fault) {
    await leave();
    throw fault;
  }
}

async function heldRunLock(
  entrant: Entrant,
  tookOver: LockHolder | undefined,
  leave: () => Promise<void>,
): Promise<AcquiredLock & { ok: true }> {
  const { files, lockPath, claim, named } = entrant;
  return {
    ok: true,
    exclusive: named.kind === 'held' || (await createsOnce(files, runLockPath(lockPath))),
    check: () => checkRunLock(entrant),
    release: async () => {
      try {
        await releaseRunLock(files, runLockPath(lockPath), claim.nonce);
      } finally {
        await leave();
      }
    },
    ...(tookOver === undefined ? {} : { tookOver }),
  };
}

const CLAIM_TRIES_MAX = 25;
const CLAIM_PAUSE_MS = 20;

/** Claims the lockfile's name from the system. Its holder is about to write the lock file, or to exit. */
async function claimName(
  world: World,
  folder: FolderIdentity | undefined,
): Promise<Exclude<NameClaim, { kind: 'taken' }> | { held: LockHolder }> {
  const { files, processes, clock, lockPath } = world;
  const name = createHash('sha256')
    .update(`${folder?.id ?? ''}\0${basename(lockPath)}`)
    .digest('hex');
  for (let tries = 0; tries < CLAIM_TRIES_MAX; tries += 1) {
    const claim = await processes.claim(name);
    if (claim.kind !== 'taken') return claim;
    const end = (await readChain(files, runLockPath(lockPath))).at(-1);
    const held = end && (await lookUp(world, end.claim, false));
    if (held !== undefined && held.alive !== false) return { held };
    await clock.sleep(CLAIM_PAUSE_MS);
  }
  const { hostname } = processes.self;
  return { held: { id: '', pid: 0, hostname, sinceMs: clock.nowMs(), ageMs: 0, alive: true } };
}

/** Takes the lock, and removes the file that an earlier version left at the old path. */
async function takeBoth(entrant: Entrant): Promise<Taken> {
  const { files, lockPath, claim } = entrant;
  const guard = runLockPath(lockPath);
  const taken = await take(entrant, guard);
  if (!taken.ok) return taken;
  const former = formerRunLockPath(lockPath);
  try {
    // Otherwise the lock file may be in another folder than the one whose name is claimed.
    await requireInPlace(entrant);
    if ((await files.facts(former)) === undefined) return taken;
    const freed = await take(entrant, former);
    if (freed.ok) {
      await releaseRunLock(files, former, claim.nonce);
      return { ...freed, ...taken };
    }
    await releaseRunLock(files, guard, claim.nonce);
    return freed;
  } catch (fault) {
    await releaseRunLock(files, guard, claim.nonce).catch(() => {});
    throw fault;
  }
}

async function checkRunLock(entrant: Entrant): Promise<RunLockState> {
  const { files, lockPath, claim, named, folder } = entrant;
  const guard = runLockPath(lockPath);
  const end = (await readChain(files, guard)).at(-1);
  if (end?.claim.nonce === claim.nonce) return 'ours';
  if (!(await isInPlace(entrant))) return 'gone';
  if (end !== undefined) return 'taken';
  if (named.kind !== 'held') return 'gone';
  await makePrivateFolder(files, entrant.random, lockPath, folder);
  if (await tryCreate(entrant, guard)) return 'ours';
  return (await readClaim(files, guard))?.nonce === claim.nonce ? 'ours' : 'taken';
}
