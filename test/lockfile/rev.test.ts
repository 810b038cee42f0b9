import { expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { LockStore } from '../../src/lockfile/lock-store.js';
import { serialiseLock } from '../../src/lockfile/lock-text.js';
import { openLock } from '../../src/lockfile/open-lock.js';
import { readLock } from '../../src/lockfile/read.js';
import { repairFile } from '../../src/lockfile/repair-file.js';
import { createMemoryDisk, type MemoryDisk } from '../fakes/memory-files.js';
import { attempt, command, file, header, id, random } from './build.js';

const path = '/album/album.lock.jsonl';
const copy = `/album/.venice-batch/album.lock.jsonl.${header.lineage.slice(0, 8)}.copy`;
const journal = `/album/.venice-batch/album.lock.jsonl.${header.lineage.slice(0, 8)}.00000000.journal`;
const stored = attempt({ rev: 3, state: 'stored', queue_id: 'q1', file });

async function open(disk: MemoryDisk): Promise<LockStore> {
  const opened = await openLock(disk.files, path, {
    endpoint: header.endpoint,
    command,
    lineage: () => id('new'),
    random,
  });
  if (!opened.ok) throw new Error(opened.problem.kind);
  return opened.store;
}

/** What the next run does with the attempt. */
async function finish(disk: MemoryDisk): Promise<Attempt> {
  const store = await open(disk);
  const done = { ...store.attempts.get(stored.attempt)!, state: 'done' } as const;
  await store.record({ ...done, rev: done.rev + 1 });
  await store.close();
  return { ...done, rev: done.rev + 1 };
}

it.each([900_000, 900_001, 1_000_000])(
  'an attempt with rev %i can be finished and read again',
  async (rev) => {
    const disk = createMemoryDisk({ [path]: serialiseLock(header, [{ ...stored, rev }]) });
    const done = await finish(disk);
    const read = await readLock(disk.files, path);
    if (!read.ok) throw new Error(read.problems[0].kind);
    expect(read.attempts.get(done.attempt)).toMatchObject({ state: 'done' });
    expect((await finish(disk)).rev).toBeLessThan(900_000);
  },
);

it.each([[copy], [journal]])('repair lowers a rev that %s has, too', async (second) => {
  const damaged = serialiseLock(header, [{ ...stored, rev: 1_000_001 }]);
  const disk = createMemoryDisk({ [path]: damaged, [second]: damaged });
  expect(await repairFile(disk.files, random, path)).toMatchObject({
    ok: true,
    report: { keptAsRead: [{ line: 2, loweredTo: 500_000 }] },
    restorable: 0,
  });
  expect(await finish(disk)).toMatchObject({ state: 'done', rev: 500_001 });
  expect(await readLock(disk.files, path)).toMatchObject({ ok: true });
});
