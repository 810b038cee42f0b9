import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { faultCode } from '../core/errors.js';
import type { Processes } from '../core/ports.js';
import { askBeacon, claimName, openBeacon } from './claims.js';

const COMMAND_TIMEOUT_MS = 5_000;
/** A constant of the Linux kernel. */
const PID_NAMESPACE_OF_THE_HOST = 'pid:[4026531836]';

/** Processes of this host: from `/proc` if available, else from system commands. */
export async function createProcesses(): Promise<Processes> {
  const pidNamespace = await linkText('/proc/self/ns/pid');
  return {
    self: {
      pid: process.pid,
      hostname: hostname(),
      bootId: await bootId(),
      startTime: (await startTimeOf(process.pid)) ?? '',
      machineId: hashed(await machineId(pidNamespace)),
      pidNamespace,
      netNamespace: await linkText('/proc/self/ns/net'),
    },
    startTimeOf,
    claim: claimName,
    openBeacon,
    askBeacon,
  };
}

async function bootId(): Promise<string> {
  if (process.platform === 'darwin') return output('sysctl', ['-n', 'kern.bootsessionuuid']);
  return (await contents('/proc/sys/kernel/random/boot_id'))?.trim() ?? '';
}

/** In a container the file may come from the image, so that every machine running it would have the same. */
async function machineId(pidNamespace: string): Promise<string> {
  switch (process.platform) {
    case 'linux':
      if (pidNamespace !== PID_NAMESPACE_OF_THE_HOST) return '';
      return usableMachineId((await contents('/etc/machine-id')) ?? (await contents(DBUS_MACHINE_ID)) ?? '');
    case 'darwin':
      return found(
        /"IOPlatformUUID" = "([^"]+)"/,
        await output('ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']),
      );
    case 'win32':
      return found(
        /MachineGuid\s+REG_SZ\s+(\S+)/,
        await output('reg', ['query', WINDOWS_KEY, '/v', 'MachineGuid']),
      );
    default:
      return '';
  }
}

const DBUS_MACHINE_ID = '/var/lib/dbus/machine-id';
const WINDOWS_KEY = 'HKLM\\SOFTWARE\\Microsoft\\Cryptography';

/**
 * The content of `/etc/machine-id`, without its line end.
 *
 * @returns empty if it is not set yet (`uninitialized`) or is not a random number
 */
function usableMachineId(text: string): string {
  const id = text.trim();
  return /^[0-9a-f]{32}$/.test(id) && new Set(id).size > 4 ? id : '';
}

/** A machine's id is confidential, and a lock file may be copied (`man machine-id`). */
function hashed(id: string): string {
  if (id === '') return '';
  return createHash('sha256').update(`venice-batch ${id}`).digest('hex').slice(0, 32);
}

function found(pattern: RegExp, text: string): string {
  return pattern.exec(text)?.[1] ?? '';
}

async function linkText(path: string): Promise<string> {
  try {
    return await readlink(path);
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
 * Field 22 of `/proc/<pid>/stat`: clock ticks since the boot. Field 2, the name, may contain spaces and brackets. A
 * zombie has ended: it holds no file and no lock.
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

/** Signal 0 only checks. `EPERM`: it is alive, under another user. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return faultCode(error) !== 'ESRCH';
  }
}

async function startTimeFromPs(pid: number): Promise<string | undefined> {
  const startedAt = await output('ps', ['-o', 'lstart=', '-p', String(pid)]);
  return startedAt !== '' || isAlive(pid) ? startedAt : undefined;
}

/** The trimmed output of a system command; empty if it fails. */
function output(command: string, words: readonly string[]): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  return new Promise((resolve) => {
    execFile(command, words, { env, timeout: COMMAND_TIMEOUT_MS }, (error, stdout) => {
      resolve(error === null ? stdout.trim() : '');
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
