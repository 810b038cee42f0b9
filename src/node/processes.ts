import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { faultCode } from '../errors.js';
import type { Processes } from '../ports.js';

const PS_TIMEOUT_MS = 5_000;
/** A constant of the Linux kernel. */
const PID_NAMESPACE_OF_THE_HOST = 'pid:[4026531836]';

/** Processes of this host: from `/proc` where there is one, else from `ps`. */
export async function createProcesses(): Promise<Processes> {
  return {
    self: {
      pid: process.pid,
      hostname: `${hostname()}${await pidNamespace()}`,
      bootId: (await contents('/proc/sys/kernel/random/boot_id'))?.trim() ?? '',
      startTime: (await startTimeOf(process.pid)) ?? '',
    },
    startTimeOf,
  };
}

/**
 * Two containers can bear one name and share a volume, and each sees only its own pids: to each other they are other hosts.
 * Empty outside containers.
 */
async function pidNamespace(): Promise<string> {
  try {
    const name = await readlink('/proc/self/ns/pid');
    return name === PID_NAMESPACE_OF_THE_HOST ? '' : `/${name}`;
  } catch {
    return '';
  }
}

async function startTimeOf(pid: number): Promise<string | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const stat = await contents(`/proc/${pid}/stat`);
  if (stat !== undefined) return startTimeFromStat(stat);
  if (!isAlive(pid)) return undefined;
  return process.platform === 'win32' || process.platform === 'linux' ? '' : startTimeFromPs(pid);
}

/**
 * The 22nd field of `/proc/<pid>/stat`: clock ticks since the boot. The second, the name, may hold spaces and
 * brackets. A zombie has ended: it holds no file and no lock.
 *
 * @returns `undefined` for a process that has ended, `''` for a text that is not understood
 */
export function startTimeFromStat(stat: string): string | undefined {
  const fields = stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/);
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const startTime = fields[19] ?? '';
  return /^\d+$/.test(startTime) ? startTime : '';
}

/** Signal 0 only asks. `EPERM`: it lives, under another user. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return faultCode(error) !== 'ESRCH';
  }
}

function startTimeFromPs(pid: number): Promise<string | undefined> {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'lstart=', '-p', String(pid)], { env, timeout: PS_TIMEOUT_MS }, (error, stdout) => {
      if (error === null) resolve(stdout.trim());
      else resolve(isAlive(pid) ? '' : undefined);
    });
  });
}

async function contents(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
