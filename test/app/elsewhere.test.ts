import { expect, it } from 'vitest';
import { runningElsewhere } from '../../src/app/elsewhere.js';
import { knownLockfiles, rememberLockfile } from '../../src/app/known-lockfiles.js';
import type { Ports } from '../../src/core/ports.js';
import { acquireRunLock } from '../../src/lockfile/run-lock.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { random } from '../lockfile/build.js';

const manifest = { path: '/album/album.yaml', lockfile: '/album/album.lock.jsonl' };
const endpoint = 'https://api.example';

/** Everything in one process, as for users of the library. */
function stage() {
  const { files, symlink } = createMemoryDisk({ [manifest.path]: 'tracks: []\n', '/tmp/x': '' });
  const self = { pid: 7, hostname: 'studio', bootId: 'b', startTime: 's', machineId: 'm' };
  const ports = {
    files,
    random,
    clock: { nowMs: () => 1_000, sleep: async () => {} },
    processes: {
      self: { ...self, pidNamespace: 'pid:[1]', netNamespace: 'net:[1]' },
      startTimeOf: async () => 's',
      claim: async () => ({ kind: 'unsupported' }),
      openBeacon: async () => undefined,
      askBeacon: async () => 'unknown',
    },
  } as unknown as Ports;
  const hold = (lockfile: string) =>
    acquireRunLock(files, ports.processes, ports.clock, ports.random, lockfile);
  const look = (lockfilePath: string) =>
    runningElsewhere(ports, { lockfilePath, endpoint, folders: [], manifest });
  return { ports, symlink, hold, look };
}

it('two runs of one process under two lockfiles both see each other', async () => {
  const { hold, look } = stage();
  const other = '/tmp/other.lock.jsonl';
  await hold(manifest.lockfile);
  await hold(other);
  expect(await look(other)).toMatchObject({ diagnostic: { code: 'locked' } });
  expect(await look(manifest.lockfile)).toMatchObject({ diagnostic: { code: 'locked' } });
});

it('a run alone is not refused', async () => {
  const { hold, look } = stage();
  const held = await hold('/tmp/other.lock.jsonl');
  expect(await look('/tmp/other.lock.jsonl')).toBeUndefined();
  if (held.ok) await held.release();
  await hold(manifest.lockfile);
  expect(await look(manifest.lockfile)).toBeUndefined();
});

it('the list of lockfiles stays readable, however long their paths are', async () => {
  const { ports } = stage();
  for (let count = 0; count < 100; count += 1)
    await rememberLockfile(ports.files, ports.random, {
      manifest: manifest.path,
      lockfile: `/tmp/${'x'.repeat(4_000)}${count}`,
      endpoint,
    });
  const known = await knownLockfiles(ports.files, manifest.path);
  expect(known.length).toBeGreaterThan(50);
  expect(known.length).toBeLessThan(100);
});
