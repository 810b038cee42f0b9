import { describe, expect, it } from 'vitest';
import { boughtElsewhere, runningElsewhere } from '../../src/app/elsewhere.js';
import { knownLockfiles, rememberLockfile } from '../../src/app/known-lockfiles.js';
import type { Ports } from '../../src/core/ports.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { LockHeader } from '../../src/lockfile/lock-header.js';
import { serialiseLock } from '../../src/lockfile/lock-text.js';
import { acquireRunLock } from '../../src/lockfile/run-lock.js';
import type { Take } from '../../src/manifest/take.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { attempt, file, random } from '../lockfile/build.js';

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

describe('a copy of the lockfile beside the manifest', () => {
  const header: LockHeader = { format: 'venice-batch-lock', version: 2, endpoint, lineage: '0'.repeat(32) };
  const bought = attempt({ state: 'done', rev: 4, queue_id: 'q1', file });
  const take = { ...bought, key: bought.track } as unknown as Take;
  const find = (copied: Attempt, own: readonly Attempt[]) => {
    const { files } = createMemoryDisk({
      [manifest.path]: 'tracks: []\n',
      '/album/backup.txt': serialiseLock(header, [copied]),
    });
    const around = { lockfilePath: manifest.lockfile, endpoint, folders: ['/album'], manifest };
    return boughtElsewhere(files, around, [take], own);
  };

  it('says nothing new, so that a missing take can be bought again', async () => {
    expect(await find(bought, [bought])).toBeUndefined();
    expect(await find({ ...bought, state: 'stored', rev: 3 }, [bought])).toBeUndefined();
  });

  it.each([
    ['knows more about an attempt', [{ ...bought, rev: 2, state: 'rejected' as const }]],
    ['has an attempt that is not known', []],
  ])('prevents a purchase if it %s', async (_, own) => {
    expect(await find(bought, own)).toMatchObject({ lockfile: '/album/backup.txt', takes: [take] });
  });
});
