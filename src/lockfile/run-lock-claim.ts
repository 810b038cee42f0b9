import { faultCode } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import type { Holder } from './liveness.js';

export interface Claim {
  readonly holder: Holder;
  /** 32 random hex digits, never reused. */
  readonly nonce: string;
  /** In the holder's time, ms since the epoch. */
  readonly sinceMs: number;
}

const RUN_LOCK_BYTES_MAX = 4096;
/** A constant of the Linux kernel. */
export const PID_NAMESPACE_OF_THE_HOST = 'pid:[4026531836]';

export function claimText({ holder, nonce, sinceMs }: Claim): string {
  const said = {
    pid: holder.pid,
    hostname: holder.hostname,
    boot_id: holder.bootId,
    start_time: holder.startTime,
    machine_id: holder.machineId,
    pid_namespace: holder.pidNamespace,
    net_namespace: holder.netNamespace,
    claimed: holder.claimed,
    beacon: holder.beaconId,
    nonce,
    since_ms: sinceMs,
  };
  return `${JSON.stringify(said)}\n`;
}

/** `undefined` if there is no such file. A file that cannot be understood is a claim of an unknown holder. */
export async function readClaim(files: Files, path: string): Promise<Claim | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await files.read(path, RUN_LOCK_BYTES_MAX);
  } catch (fault) {
    if (faultCode(fault) === 'ENOENT') return undefined;
    if (faultCode(fault) === 'EFBIG') return UNREADABLE;
    throw fault;
  }
  return claimOf(new TextDecoder().decode(bytes)) ?? UNREADABLE;
}

/** Stands for a lock file that we did not write. Its holder cannot be checked. */
export const UNREADABLE: Claim = {
  holder: {
    pid: 0,
    hostname: '',
    bootId: '',
    startTime: '',
    machineId: '',
    pidNamespace: '',
    netNamespace: '',
    claimed: false,
    beaconId: '',
  },
  nonce: 'unreadable',
  sinceMs: 0,
};

function claimOf(text: string): Claim | undefined {
  const said = objectIn(text);
  if (said === undefined) return undefined;
  const { pid, nonce, since_ms: sinceMs } = said;
  const [hostname, bootId, startTime] = [said.hostname, said.boot_id, said.start_time];
  if (
    typeof hostname !== 'string' ||
    typeof bootId !== 'string' ||
    typeof startTime !== 'string' ||
    typeof nonce !== 'string' ||
    !/^[0-9a-f]{32}$/.test(nonce) ||
    !Number.isSafeInteger(pid) ||
    !Number.isFinite(sinceMs)
  ) {
    return undefined;
  }
  const holder = {
    pid: pid as number,
    bootId,
    startTime,
    machineId: textOr('', said.machine_id),
    ...namespaceOf(hostname, said.pid_namespace, bootId),
    netNamespace: textOr('', said.net_namespace),
    claimed: said.claimed === true,
    beaconId: textOr('', said.beacon),
  };
  return { holder, nonce, sinceMs: sinceMs as number };
}

/** In earlier versions the host name of a process in a container ends in its namespace: `name/pid:[4026532177]`. */
function namespaceOf(hostname: string, namespace: unknown, bootId: string) {
  if (typeof namespace === 'string') return { hostname, pidNamespace: namespace };
  const at = hostname.indexOf('/pid:[');
  if (at >= 0) return { hostname: hostname.slice(0, at), pidNamespace: hostname.slice(at + 1) };
  return { hostname, pidNamespace: bootId === '' ? '' : PID_NAMESPACE_OF_THE_HOST };
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function textOr(otherwise: string, value: unknown): string {
  return typeof value === 'string' ? value : otherwise;
}
