import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createProcesses, startTimeFromStat } from '../../src/node/processes.js';
import { systemRandom } from '../../src/node/random.js';

describe('processes', () => {
  it('include this one', async () => {
    const processes = await createProcesses();
    expect(processes.self).toMatchObject({ pid: process.pid, hostname: hostname() });
    expect(await processes.startTimeOf(process.pid)).toBe(processes.self.startTime);
    if (process.platform === 'linux') {
      expect(processes.self.startTime).toMatch(/^\d+$/);
      expect(processes.self.bootId).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
    }
  });

  it('tell whether another one lives', async () => {
    const processes = await createProcesses();
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await once(child, 'spawn');
    expect(await processes.startTimeOf(child.pid!)).toEqual(expect.any(String));
    child.stdin.end();
    await once(child, 'exit');
    expect(await processes.startTimeOf(child.pid!)).toBeUndefined();
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 31 - 1])('do not include %s', async (pid) => {
    expect(await (await createProcesses()).startTimeOf(pid)).toBeUndefined();
  });
});

describe('the start time in /proc/<pid>/stat', () => {
  const stat = (name: string, state: string, startTime: string) =>
    `42 (${name}) ${state} ${Array.from({ length: 18 }, (_, i) => i).join(' ')} ${startTime} 99 98`;

  it('is the 22nd field for any process name', () => {
    expect(startTimeFromStat(stat('node', 'S', '12345'))).toBe('12345');
    expect(startTimeFromStat(stat('a) R 1 (b c)', 'R', '777'))).toBe('777');
  });

  it('is missing for a zombie process', () => {
    expect(startTimeFromStat(stat('node', 'Z', '12345'))).toBeUndefined();
  });

  it('is unknown in any other text', () => {
    expect(startTimeFromStat('')).toBe('');
    expect(startTimeFromStat('42 (node) S 1 2')).toBe('');
  });
});

describe('random bytes', () => {
  it('have the requested length and never repeat', () => {
    expect(systemRandom.bytes(16)).toHaveLength(16);
    expect(Buffer.from(systemRandom.bytes(16))).not.toEqual(Buffer.from(systemRandom.bytes(16)));
  });
});
