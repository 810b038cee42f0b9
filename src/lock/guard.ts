import { basename, dirname, join } from 'node:path';
import { faultCode } from '../errors.js';
import type { Clock, Files, Processes, ProcessIdentity, Random } from '../ports.js';
import { createFile, removeQuietly } from './publish.js';

/*
 * One run at a time. The guard is a file beside the lockfile that names its holder; whoever creates it
 * holds it. It is never taken over by age, only when its holder is provably gone.
 *
 * Two processes may find the same dead holder at the same time. So the right to follow holder X is itself
 * a file that can be created only once: `<guard>.<nonce of X>`, which names the follower. It is void
 * unless the chain of holder and followers, read again from the guard itself, ends with it; only then is it renamed
 * over the guard. A nonce is random and never comes back, so that a late follower of a holder that
 * was replaced meanwhile finds the chain to be another one, and withdraws.
 */

/** Who holds the guard. */
export interface GuardHolder {
  /** 0 where the guard file says nothing that can be understood. */
  readonly pid: number;
  readonly hostname: string;
  /** When it was taken, ms since the epoch, by the holder's clock. */
  readonly sinceMs: number;
  readonly ageMs: number;
  readonly sameHost: boolean;
  /** `unknown`: on another host, or the system does not tell. */
  readonly alive: boolean | 'unknown';
}

export type AcquiredGuard =
  | {
      readonly ok: true;
      /** Frees the guard if it is still ours. */
      release(): Promise<void>;
      /** The holder that was gone without freeing it: to be told. */
      readonly tookOver?: GuardHolder;
    }
  | { readonly ok: false; readonly held: GuardHolder };

/** Takes the guard of a lockfile, or says who has it. `lockPath` is absolute; its folder is created. */
export async function acquireGuard(
  files: Files,
  processes: Processes,
  clock: Clock,
  random: Random,
  lockPath: string,
): Promise<AcquiredGuard> {
  const taken = await take({ files, processes, clock, random, lockPath }, (holder) => holder.alive === false);
  if (taken.ok) await sweep(files, lockPath);
  return taken;
}

export type BrokenGuard =
  /** There was none to break. */
  | { readonly kind: 'free' }
  | { readonly kind: 'broken'; readonly was: GuardHolder }
  /** Its holder lives, or may live: `force` is needed, or it must be ended first. */
  | { readonly kind: 'refused'; readonly held: GuardHolder };

/**
 * Frees a guard whose holder is gone. With `force` also one whose holder cannot be looked up (another host,
 * or an unreadable guard file): only a person can know that. Never one whose holder lives on this host.
 */
export async function breakGuard(
  files: Files,
  processes: Processes,
  clock: Clock,
  random: Random,
  lockPath: string,
  force: boolean,
): Promise<BrokenGuard> {
  const mayFollow = (holder: GuardHolder) => holder.alive === false || (force && holder.alive === 'unknown');
  const taken = await take({ files, processes, clock, random, lockPath }, mayFollow);
  if (!taken.ok) return { kind: 'refused', held: taken.held };
  await taken.release();
  return taken.tookOver === undefined ? { kind: 'free' } : { kind: 'broken', was: taken.tookOver };
}

/** The path of the guard of a lockfile whose links are resolved. */
export function guardPath(lockPath: string): string {
  return `${lockPath}.guard`;
}

interface World {
  readonly files: Files;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly random: Random;
  readonly lockPath: string;
}

/** What a guard file says. */
interface Claim {
  readonly identity: ProcessIdentity;
  readonly nonce: string;
  readonly sinceMs: number;
}

/** A guard file or a follower's, with the place it stands at. */
interface Link {
  readonly path: string;
  readonly claim: Claim;
}

const TRIES_MAX = 100;
/** Followers that died in the act, one after the other. */
const CHAIN_MAX = 100;
const GUARD_BYTES_MAX = 4096;

async function take(world: World, mayFollow: (holder: GuardHolder) => boolean): Promise<AcquiredGuard> {
  const { files, random, clock, processes } = world;
  const guard = guardPath(await files.real(world.lockPath));
  const nonce = Buffer.from(random.bytes(16)).toString('hex');
  const claim: Claim = { identity: processes.self, nonce, sinceMs: clock.nowMs() };
  const release = () => releaseGuard(files, guard, nonce);
  let last: GuardHolder | undefined;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    // Each time: another process may just have removed a folder that it found empty.
    await files.makeDirectory(dirname(guard));
    if (await tryCreate(files, guard, claim)) return { ok: true, release };
    const chain = await readChain(files, guard);
    const end = chain.at(-1);
    if (end === undefined) continue;
    // A network share may say that the name is taken because an earlier try, whose answer was lost, took it.
    if (end.claim.nonce === nonce) return { ok: true, release };
    const holder = await lookUp(world, end.claim);
    if (!mayFollow(holder)) return { ok: false, held: holder };
    if (await follow(files, guard, end, claim)) return { ok: true, release, tookOver: holder };
    last = holder;
  }
  if (last !== undefined) return { ok: false, held: last };
  throw new Error('bug: the guard neither exists nor can be created');
}

/** Follows a holder that is gone. `false`: another one was faster. */
async function follow(files: Files, guard: string, end: Link, claim: Claim): Promise<boolean> {
  const path = `${guard}.${end.claim.nonce}`;
  if (!(await tryCreate(files, path, claim))) return false;
  let chain: readonly Link[];
  try {
    chain = await readChain(files, guard);
    if (chain.at(-1)?.claim.nonce !== claim.nonce) {
      await files.remove(path);
      return false;
    }
    await files.rename(path, guard);
  } catch (fault) {
    await removeQuietly(files, path);
    throw fault;
  }
  for (const { path: left } of chain) {
    if (left !== guard && left !== path) await removeQuietly(files, left);
  }
  return true;
}

async function tryCreate(files: Files, path: string, claim: Claim): Promise<boolean> {
  const { pid, hostname, bootId, startTime } = claim.identity;
  const said = {
    pid,
    hostname,
    boot_id: bootId,
    start_time: startTime,
    nonce: claim.nonce,
    since_ms: claim.sinceMs,
  };
  const text = `${JSON.stringify(said)}\n`;
  try {
    await createFile(files, path, new TextEncoder().encode(text), `${path}.${claim.nonce}.tmp`);
    return true;
  } catch (fault) {
    // ENOENT: whoever holds the guard by now swept the scratch file away.
    if (faultCode(fault) === 'EEXIST' || faultCode(fault) === 'ENOENT') return false;
    await releaseGuard(files, path, claim.nonce).catch(() => {});
    throw fault;
  }
}

/** Removes the scratch files of processes that were killed while they tried. One that tries just now tries again. */
async function sweep(files: Files, lockPath: string): Promise<void> {
  try {
    const guard = guardPath(await files.real(lockPath));
    for (const name of await files.list(dirname(guard))) {
      if (name.startsWith(`${basename(guard)}.`) && name.endsWith('.tmp'))
        await files.remove(join(dirname(guard), name));
    }
  } catch {
    // It stays behind until the next one: no fault may keep the guard from whoever has just got it.
  }
}

/** The holder, and who followed it: the last one is the holder by right. Empty: the guard is free. */
async function readChain(files: Files, guard: string): Promise<readonly Link[]> {
  const chain: Link[] = [];
  let path = guard;
  while (chain.length < CHAIN_MAX) {
    const claim = await readClaim(files, path);
    if (claim === undefined) break;
    chain.push({ path, claim });
    path = `${guard}.${claim.nonce}`;
  }
  return chain;
}

async function readClaim(files: Files, path: string): Promise<Claim | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await files.read(path, GUARD_BYTES_MAX);
  } catch (fault) {
    if (faultCode(fault) === 'ENOENT') return undefined;
    if (faultCode(fault) === 'EFBIG') return UNREADABLE;
    throw fault;
  }
  return claimOf(new TextDecoder().decode(bytes));
}

/** Stands for a guard file that we did not write. Its holder cannot be looked up. */
const UNREADABLE: Claim = {
  identity: { pid: 0, hostname: '', bootId: '', startTime: '' },
  nonce: 'unreadable',
  sinceMs: 0,
};

function claimOf(text: string): Claim {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return UNREADABLE;
  }
  if (typeof value !== 'object' || value === null) return UNREADABLE;
  const {
    pid,
    hostname,
    boot_id: bootId,
    start_time: startTime,
    nonce,
    since_ms: sinceMs,
  } = value as Record<string, unknown>;
  if (
    typeof hostname !== 'string' ||
    typeof bootId !== 'string' ||
    typeof startTime !== 'string' ||
    typeof nonce !== 'string' ||
    !/^[0-9a-f]{32}$/.test(nonce) ||
    !Number.isSafeInteger(pid) ||
    !Number.isFinite(sinceMs)
  ) {
    return UNREADABLE;
  }
  const identity = { pid: pid as number, hostname, bootId, startTime };
  return { identity, nonce, sinceMs: sinceMs as number };
}

async function lookUp({ processes, clock }: World, { identity, sinceMs }: Claim): Promise<GuardHolder> {
  const sameHost = identity.hostname === processes.self.hostname && identity.pid > 0;
  return {
    pid: identity.pid,
    hostname: identity.hostname,
    sinceMs,
    ageMs: Math.max(0, clock.nowMs() - sinceMs),
    sameHost,
    alive: sameHost ? await isAlive(processes, identity) : 'unknown',
  };
}

async function isAlive(processes: Processes, identity: ProcessIdentity): Promise<boolean | 'unknown'> {
  const { bootId } = processes.self;
  if (identity.bootId !== '' && bootId !== '' && identity.bootId !== bootId) return false;
  const startTime = await processes.startTimeOf(identity.pid);
  if (startTime === undefined) return false;
  if (startTime === '' || identity.startTime === '') return 'unknown';
  return startTime === identity.startTime;
}

async function releaseGuard(files: Files, guard: string, nonce: string): Promise<void> {
  if ((await readClaim(files, guard))?.nonce === nonce) await files.remove(guard);
}
