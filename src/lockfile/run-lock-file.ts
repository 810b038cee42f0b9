import { basename, dirname, join } from 'node:path';
import { faultCode } from '../core/errors.js';
import type { Clock, Files, NameClaim, Processes, Random } from '../core/ports.js';
import { createFile, removeQuietly } from './atomic-write.js';
import { judgeLiveness, type UnknownReason } from './liveness.js';
import { type FolderIdentity, requireInPlace } from './lock-folder.js';
import { scratchPath, socketPath } from './private-folder.js';
import { type Claim, claimText, readClaim, UNREADABLE } from './run-lock-claim.js';

/*
 * The run lock file. The process that creates it holds the lock; when the holder is gone, a successor replaces the file
 * and never removes it.
 *
 * Two processes may find the same dead holder at the same time. So the right to succeed holder X is itself a file that
 * can be created only once: `<lock>.<nonce of X>`, which names the successor. It is valid only if the chain of holder
 * and successors, read again from the lock itself, ends with it; only then is it renamed over the lock. Nonces are
 * random and never reused, so a late successor of a holder that was replaced meanwhile finds a different chain, and
 * withdraws.
 */

export interface LockHolder {
  /** Names this hold of the lock: eight hex digits, `unreadable`, or empty if there is no lock file. Never reused. */
  readonly id: string;
  /** 0 if unknown. */
  readonly pid: number;
  readonly hostname: string;
  /** When it was taken: ms since the epoch, in the holder's time. */
  readonly sinceMs: number;
  readonly ageMs: number;
  readonly alive: boolean | 'unknown';
  /** Why the state is `unknown`. */
  readonly why?: UnknownReason;
}

export interface World {
  readonly files: Files;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly random: Random;
  /** With links resolved. */
  readonly lockPath: string;
}

/** One process that wants the lock. */
export interface Entrant extends World {
  readonly claim: Claim;
  readonly named: NameClaim;
  /** The lockfile's folder: see `LockFolder`. */
  readonly folder: FolderIdentity | undefined;
  readonly mayFollow: MayFollow;
}

export type MayFollow = (holder: LockHolder) => boolean;

export type Taken =
  | { readonly ok: true; readonly tookOver?: LockHolder }
  | { readonly ok: false; held: LockHolder };

/** The lock file or a successor's file, with its path. */
interface Link {
  readonly path: string;
  readonly claim: Claim;
}

const ID_DIGITS = 8;
const TRIES_MAX = 100;
/** Successors that may have died in a row while taking over. */
const CHAIN_MAX = 100;

export async function take(entrant: Entrant, guard: string): Promise<Taken> {
  const { files, claim, named, mayFollow } = entrant;
  let last: LockHolder | undefined;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    // The folder may just have been removed.
    if (tries > 0) {
      await requireInPlace(entrant);
      await files.makeDirectory(dirname(guard));
    }
    if (await tryCreate(entrant, guard)) return { ok: true };
    const chain = await readChain(files, guard);
    const end = chain.at(-1);
    if (end === undefined) continue;
    // A network share may say that the name is taken because an earlier try took it and its response was lost.
    if (end.claim.nonce === claim.nonce) return { ok: true };
    const holder = await lookUp(entrant, end.claim, named.kind === 'held');
    if (!mayFollow(holder)) return { ok: false, held: holder };
    if (await follow(entrant, guard, end)) return { ok: true, tookOver: holder };
    last = holder;
  }
  await refuseLinkToNothing(files, nextPath(guard, await readChain(files, guard)));
  if (last !== undefined) return { ok: false, held: last };
  throw new Error('bug: the guard neither exists nor can be created');
}

/** Where the next holder creates its file. */
function nextPath(guard: string, chain: readonly Link[]): string {
  const end = chain.at(-1);
  return end === undefined ? guard : `${guard}.${end.claim.nonce}`;
}

/** A repository may contain a link that can neither be read nor replaced by creating a file. Throws `ELOOP`. */
async function refuseLinkToNothing(files: Files, path: string): Promise<void> {
  if ((await files.facts(path)) !== undefined) return;
  if ((await files.real(path)) === join(await files.real(dirname(path)), basename(path))) return;
  throw Object.assign(new Error(`a symbolic link in place of ${path}`), { code: 'ELOOP', path });
}

/** Succeeds a holder that is gone. `false`: another process was faster. */
async function follow(entrant: Entrant, guard: string, end: Link): Promise<boolean> {
  const { files, claim } = entrant;
  const path = nextPath(guard, [end]);
  if (!(await tryCreate(entrant, path))) return false;
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

export async function tryCreate({ files, random, lockPath, claim }: Entrant, path: string): Promise<boolean> {
  try {
    await createFile(files, path, new TextEncoder().encode(claimText(claim)), scratchPath(random, lockPath));
    return true;
  } catch (fault) {
    // ENOENT: the new holder removed our scratch file.
    if (faultCode(fault) === 'EEXIST' || faultCode(fault) === 'ENOENT') return false;
    await releaseRunLock(files, path, claim.nonce).catch(() => {});
    throw fault;
  }
}

/** Whether this file system refuses to create a file that already exists. The lock depends on that. */
export async function createsOnce(files: Files, guard: string): Promise<boolean> {
  try {
    await files.link(guard, guard);
    return false;
  } catch (fault) {
    if (faultCode(fault) === 'EEXIST') return true;
  }
  try {
    const handle = await files.open(guard, 'exclusive');
    await handle.close();
    return false;
  } catch (fault) {
    return faultCode(fault) === 'EEXIST';
  }
}

/** The holder and its successors, of which the last is the rightful holder. Empty: the lock is free. */
export async function readChain(files: Files, guard: string): Promise<readonly Link[]> {
  const chain: Link[] = [];
  let path = guard;
  while (chain.length < CHAIN_MAX) {
    const claim = await readClaim(files, path);
    if (claim === undefined) break;
    chain.push({ path, claim });
    path = nextPath(guard, chain);
  }
  return chain;
}

export async function lookUp(
  { processes, clock, lockPath }: World,
  { holder, nonce, sinceMs }: Claim,
  claimIsOurs: boolean,
): Promise<LockHolder> {
  const { pid, hostname, beaconId } = holder;
  const startTime = pid > 0 ? await processes.startTimeOf(pid) : undefined;
  const beacon =
    beaconId === '' ? 'unknown' : await processes.askBeacon(socketPath(lockPath, nonce), beaconId);
  const liveness = judgeLiveness(holder, processes.self, { startTime, claimIsOurs, beacon });
  const id = nonce === UNREADABLE.nonce ? nonce : nonce.slice(0, ID_DIGITS);
  return { id, pid, hostname, sinceMs, ageMs: Math.max(0, clock.nowMs() - sinceMs), ...liveness };
}

export async function releaseRunLock(files: Files, guard: string, nonce: string): Promise<void> {
  if ((await readClaim(files, guard))?.nonce === nonce) await files.remove(guard);
}
