import type { ProcessIdentity } from '../core/ports.js';

/** Who holds a guard, as the guard file says. */
export interface Holder extends ProcessIdentity {
  /** True if it also claimed the lockfile's name from the operating system. */
  readonly claimed: boolean;
  /** Device and inode of its beacon; empty without one. */
  readonly beaconId: string;
}

/** What can be found out about a holder from this process. */
export interface Evidence {
  /** Of its pid among the processes that this one sees: see `Processes.startTimeOf`. */
  readonly startTime: string | undefined;
  /** True if this process has claimed the lockfile's name. */
  readonly claimIsOurs: boolean;
  readonly beacon: 'answers' | 'silent' | 'unknown';
}

export type Liveness =
  | { readonly alive: true }
  | { readonly alive: false }
  | { readonly alive: 'unknown'; readonly why: Doubt };

/** Why nothing is proven. */
export type Doubt =
  /** The guard file says nothing that can be understood. */
  | 'unreadable'
  | 'other_host'
  /** The same host name, but nothing shows that it is the same machine. */
  | 'same_name'
  /** The same machine, in a container whose processes are not visible here. */
  | 'other_container'
  /** A process with this pid lives, and the system does not tell whether it is the same one. */
  | 'pid_in_use';

const ALIVE: Liveness = { alive: true };
const GONE: Liveness = { alive: false };

/**
 * Whether the process that took a guard still lives. Pure. It is gone only where that is proven; age proves nothing, and
 * neither does a host name: machines are cloned, and containers bear the name of their service.
 */
export function judgeLiveness(holder: Holder, self: ProcessIdentity, evidence: Evidence): Liveness {
  if (holder.pid <= 0) return unknown('unreadable');
  // A socket answers only under the kernel that it was made under.
  if (evidence.beacon === 'answers') return ALIVE;
  const bootsKnown = holder.bootId !== '' && self.bootId !== '';
  if (bootsKnown && holder.bootId === self.bootId) return underThisKernel(holder, self, evidence);
  if (!isSameMachine(holder, self))
    return unknown(holder.hostname === self.hostname ? 'same_name' : 'other_host');
  // The machine was started again since.
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

/** A cloned machine may have the machine id of its original, and a container the host name of another. */
function isSameMachine(holder: Holder, self: ProcessIdentity): boolean {
  return holder.machineId !== '' && holder.machineId === self.machineId && holder.hostname === self.hostname;
}

/** `undefined`: a process with this pid lives, and nothing tells whether it is another one. */
function byPid({ startTime }: Holder, evidence: Evidence): Liveness | undefined {
  if (evidence.startTime === undefined) return GONE;
  if (evidence.startTime === '' || startTime === '') return undefined;
  return evidence.startTime === startTime ? ALIVE : GONE;
}

/** What the holder claimed is ours now, so that it lives no more. Names are unique within a network namespace only. */
function isClaimFree(holder: Holder, self: ProcessIdentity, { claimIsOurs }: Evidence): boolean {
  return holder.claimed && claimIsOurs && holder.netNamespace === self.netNamespace;
}

function unknown(why: Doubt): Liveness {
  return { alive: 'unknown', why };
}
