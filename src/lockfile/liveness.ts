import type { ProcessIdentity } from '../core/ports.js';

/** The holder of a run lock, as its file says. */
export interface Holder extends ProcessIdentity {
  /** Whether it also claimed the lockfile's name from the operating system. */
  readonly claimed: boolean;
  /** Device and inode of its beacon; empty if it has none. */
  readonly beaconId: string;
}

/** What this process can find out about a holder. */
export interface Evidence {
  /** Start time of its pid among the processes visible here: see `Processes.startTimeOf`. */
  readonly startTime: string | undefined;
  /** Whether this process has claimed the lockfile's name. */
  readonly claimIsOurs: boolean;
  readonly beacon: 'answers' | 'silent' | 'unknown';
}

export type Liveness =
  | { readonly alive: true }
  | { readonly alive: false }
  | { readonly alive: 'unknown'; readonly why: UnknownReason };

/** Why it is not certain whether the holder is alive. */
export type UnknownReason =
  /** The lock file cannot be understood. */
  | 'unreadable'
  | 'other_host'
  /** The host name is the same, but it may be another machine. */
  | 'same_name'
  /** The same machine, but a container whose processes are not visible here. */
  | 'other_container'
  /** A process with this pid is running, and the system does not show whether it is the same one. */
  | 'pid_in_use';

const ALIVE: Liveness = { alive: true };
const GONE: Liveness = { alive: false };

/**
 * Whether the process that took a run lock is still alive. Pure. It counts as gone only if that is proven: neither age
 * nor host name proves it, because machines are cloned and containers are named after their service.
 */
export function judgeLiveness(holder: Holder, self: ProcessIdentity, evidence: Evidence): Liveness {
  if (holder.pid <= 0) return unknown('unreadable');
  // A socket answers only under the kernel that it was created under.
  if (evidence.beacon === 'answers') return ALIVE;
  const bootsKnown = holder.bootId !== '' && self.bootId !== '';
  if (bootsKnown && holder.bootId === self.bootId) return underThisKernel(holder, self, evidence);
  if (!isSameMachine(holder, self))
    return unknown(holder.hostname === self.hostname ? 'same_name' : 'other_host');
  // The machine has been restarted since.
  if (bootsKnown) return GONE;
  if (holder.pidNamespace !== self.pidNamespace) return unknown('other_container');
  if (isClaimFree(holder, self, evidence)) return GONE;
  return byPid(holder, evidence) ?? unknown('pid_in_use');
}

function underThisKernel(holder: Holder, self: ProcessIdentity, evidence: Evidence): Liveness {
  const seesPid = holder.pidNamespace === self.pidNamespace && holder.pidNamespace !== '';
  const found = seesPid ? byPid(holder, evidence) : undefined;
  if (found !== undefined) return found;
  if (holder.beaconId !== '' && evidence.beacon === 'silent') return GONE;
  if (isClaimFree(holder, self, evidence)) return GONE;
  return unknown(seesPid ? 'pid_in_use' : 'other_container');
}

/** A cloned machine may share the machine id of its original, and a container may share another's host name. */
function isSameMachine(holder: Holder, self: ProcessIdentity): boolean {
  return holder.machineId !== '' && holder.machineId === self.machineId && holder.hostname === self.hostname;
}

/** `undefined`: a process with this pid is running, and may or may not be the same one. */
function byPid({ startTime }: Holder, evidence: Evidence): Liveness | undefined {
  if (evidence.startTime === undefined) return GONE;
  if (evidence.startTime === '' || startTime === '') return undefined;
  return evidence.startTime === startTime ? ALIVE : GONE;
}

/**
 * This process now holds what the holder had claimed, so it is gone. Names are unique only within a network namespace.
 */
function isClaimFree(holder: Holder, self: ProcessIdentity, { claimIsOurs }: Evidence): boolean {
  return holder.claimed && claimIsOurs && holder.netNamespace === self.netNamespace;
}

function unknown(why: UnknownReason): Liveness {
  return { alive: 'unknown', why };
}
