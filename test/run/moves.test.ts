import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lock/attempt.js';
import { type LockStore, openLock } from '../../src/lock/store.js';
import { applyMoves } from '../../src/run/moves.js';
import { recover } from '../../src/run/recover.js';
import { createMemoryDisk, type MemoryDisk } from '../fakes/memory-files.js';
import { attempt, command, file, header, id } from '../lock/build.js';

const ROOT = '/album';
const from = { ...file, path: 'out/one.mp3', bytes: 3 };
const done = attempt({ state: 'done', queue_id: 'q-1', file: from });
const flying = attempt({ attempt: id('b'), track: 'two', state: 'intent' });

async function open(disk: MemoryDisk, records: readonly Attempt[]): Promise<LockStore> {
  const opened = await openLock(disk.files, `${ROOT}/album.lock.jsonl`, {
    endpoint: header.endpoint,
    command,
    lineage: () => header.lineage,
  });
  if (!opened.ok) throw new Error(opened.problem.kind);
  for (const record of records) await opened.store.record(record);
  return opened.store;
}

function viewOf(disk: MemoryDisk, store: LockStore) {
  return { ports: { files: disk.files }, store, settings: { outputRoot: ROOT } };
}

describe('a file that is to move where no folder can be', () => {
  const refuses = ({ name, path }: { name: string; path: string }) =>
    name === 'makeDirectory' && path.startsWith(`${ROOT}/locked`) ? 'ENOTDIR' : undefined;

  it('stays where it is, and the others move', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: 'one', [`${ROOT}/out/two.mp3`]: 'two' });
    const second = { ...done, attempt: id('c'), queue_id: 'q-2', file: { ...from, path: 'out/two.mp3' } };
    const store = await open(disk, [done, second]);
    disk.intercept(refuses);
    const stuck = { attempt: done.attempt, from: 'out/one.mp3', to: 'locked/one.mp3' };
    const moves = [stuck, { attempt: second.attempt, from: 'out/two.mp3', to: 'new/two.mp3' }];
    expect(await applyMoves(viewOf(disk, store), moves)).toEqual([stuck]);
    expect(Object.keys(disk.texts()).sort()).toEqual([
      `${ROOT}/album.lock.jsonl`,
      `${ROOT}/new/two.mp3`,
      `${ROOT}/out/one.mp3`,
    ]);
  });

  it('keeps a journaled move for later, and everything else is brought in order', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: 'one' });
    const moving = { ...done, move_to: 'locked/one.mp3' };
    const store = await open(disk, [moving, flying]);
    disk.intercept(refuses);
    await recover(viewOf(disk, store), 0);
    expect(store.attempts.get(done.attempt)).toEqual(moving);
    expect(store.attempts.get(flying.attempt)?.state).toBe('in_doubt');
  });
});

it('a journaled move is finished though its folder was removed since', async () => {
  const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: 'one' });
  const store = await open(disk, [{ ...done, move_to: 'new/one.mp3' }]);
  await recover(viewOf(disk, store), 0);
  expect(store.attempts.get(done.attempt)?.file?.path).toBe('new/one.mp3');
  expect(Object.keys(disk.texts())).toContain(`${ROOT}/new/one.mp3`);
});
