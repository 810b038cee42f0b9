import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { FolderFiles } from '../../src/core/ports.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { LockStore } from '../../src/lockfile/lock-store.js';
import { type KnownPlaces, recover } from '../../src/run/recover.js';
import { applyMoves } from '../../src/storage/move.js';
import { openOutput } from '../../src/storage/output.js';
import { createMemoryDisk, type MemoryDisk } from '../fakes/memory-files.js';
import { attempt, file, id } from '../lockfile/build.js';
import { lockOn } from '../lockfile/lock-on.js';
import { makeTake } from '../plan/builders.js';

const ROOT = '/album';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const from = { ...file, path: 'out/one.mp3', bytes: 3, sha256: sha256('one') };
const done = attempt({ state: 'done', queue_id: 'q-1', file: from });
const flying = attempt({ attempt: id('b'), track: 'two', state: 'intent' });

async function viewOf(disk: MemoryDisk, store: LockStore) {
  return { output: await openOutput(disk.files, ROOT), store };
}

describe('a file whose new folder cannot be created', () => {
  const refuses = ({ name, path }: { name: string; path: string }) =>
    name === 'makeDirectory' && path.startsWith(`${ROOT}/locked`) ? 'ENOTDIR' : undefined;

  it('stays where it is, and the others move', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: 'one', [`${ROOT}/out/two.mp3`]: 'two' });
    const second = {
      ...done,
      attempt: id('c'),
      queue_id: 'q-2',
      file: { ...from, path: 'out/two.mp3', sha256: sha256('two') },
    };
    const store = await lockOn(disk, [done, second]);
    disk.intercept(refuses);
    const stuck = { attempt: done.attempt, from: 'out/one.mp3', to: 'locked/one.mp3' };
    const moves = [stuck, { attempt: second.attempt, from: 'out/two.mp3', to: 'new/two.mp3' }];
    expect(await applyMoves(await viewOf(disk, store), moves)).toEqual([stuck]);
    expect(
      Object.keys(disk.texts())
        .filter((name) => !name.includes('/.venice-batch/'))
        .sort(),
    ).toEqual([`${ROOT}/album.lock.jsonl`, `${ROOT}/new/two.mp3`, `${ROOT}/out/one.mp3`]);
  });

  it('keeps its recorded move for later, while everything else is moved', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: 'one' });
    const moving = { ...done, move_to: 'locked/one.mp3' };
    const store = await lockOn(disk, [moving, flying]);
    disk.intercept(refuses);
    await recover(await viewOf(disk, store), 0);
    expect(store.attempts.get(done.attempt)).toEqual(moving);
    expect(store.attempts.get(flying.attempt)?.state).toBe('in_doubt');
  });
});

it('a recorded move is finished even if its folder was removed since', async () => {
  const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: 'one' });
  const store = await lockOn(disk, [{ ...done, move_to: 'new/one.mp3' }]);
  await recover(await viewOf(disk, store), 0);
  expect(store.attempts.get(done.attempt)?.file?.path).toBe('new/one.mp3');
  expect(Object.keys(disk.texts())).toContain(`${ROOT}/new/one.mp3`);
});

it('a file with a recorded move to where it already is stays there', async () => {
  const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: 'one' });
  const store = await lockOn(disk, [{ ...done, move_to: 'out/one.mp3' }]);
  await recover(await viewOf(disk, store), 0);
  expect(disk.texts()[`${ROOT}/out/one.mp3`]).toBe('one');
  expect(store.attempts.get(done.attempt)).toMatchObject({ file: from });
  expect(store.attempts.get(done.attempt)?.move_to).toBeUndefined();
});

describe('a file that the lockfile records as moved, seen from another folder', () => {
  const elsewhere = { ...done, stem: 'out/one', file: { ...from, path: 'out/one.v1abc.mp3' } };
  const pathAfter = async (texts: Record<string, string>, known: KnownPlaces = {}) => {
    const disk = createMemoryDisk(texts);
    const store = await lockOn(disk, [elsewhere]);
    await recover(await viewOf(disk, store), 0, known);
    expect(Object.keys(disk.texts())).toEqual(expect.arrayContaining(Object.keys(texts)));
    return store.attempts.get(done.attempt)?.file?.path;
  };

  it('is found where it was first stored', async () => {
    expect(await pathAfter({ [`${ROOT}/out/one.mp3`]: 'one' })).toBe('out/one.mp3');
  });

  it.each<[string, KnownPlaces]>([
    ['the manifest names now', { takes: [makeTake({ stem: 'out/uno' })] }],
    ['an older record of the lockfile names', { former: new Map([[done.attempt, 'out/uno.mp3']]) }],
  ])('is found at the path that %s', async (_, known) => {
    expect(await pathAfter({ [`${ROOT}/out/uno.mp3`]: 'one' }, known)).toBe('out/uno.mp3');
    expect(await pathAfter({ [`${ROOT}/out/uno.mp3`]: 'two' }, known)).toBe('out/one.v1abc.mp3');
    expect(await pathAfter({ [`${ROOT}/out/dos.mp3`]: 'one' }, known)).toBe('out/one.v1abc.mp3');
  });

  it('is not confused with another file there', async () => {
    expect(await pathAfter({ [`${ROOT}/out/one.mp3`]: 'two' })).toBe('out/one.v1abc.mp3');
  });

  it('stays where it is if it is there', async () => {
    const both = { [`${ROOT}/out/one.v1abc.mp3`]: 'one', [`${ROOT}/out/one.mp3`]: 'one' };
    expect(await pathAfter(both)).toBe('out/one.v1abc.mp3');
  });
});

describe('a forged line in the lockfile', () => {
  const SECRET = 'the secret';
  const theirs = (path: string, to: string): Attempt => ({
    ...done,
    file: { ...file, path, bytes: SECRET.length, sha256: sha256(SECRET) },
    move_to: to,
  });

  it.each([
    ['through a link to a folder outside', 'in/secret.mp3', '/victim'],
    ['that is a link itself', 'in/secret.mp3', undefined],
  ])('moves no file %s', async (_, path, linked) => {
    const disk = createMemoryDisk({ '/victim/secret.mp3': SECRET, [`${ROOT}/album.yaml`]: '' });
    disk.symlink(linked === undefined ? `${ROOT}/${path}` : `${ROOT}/in`, linked ?? '/victim/secret.mp3');
    const store = await lockOn(disk, [theirs(path, 'out/a.mp3')]);
    await recover(await viewOf(disk, store), 0);
    expect(disk.texts()['/victim/secret.mp3']).toBe(SECRET);
    expect(Object.keys(disk.texts())).not.toContain(`${ROOT}/out/a.mp3`);
  });

  it('moves nothing outside the folder', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: SECRET, '/victim/keep': '' });
    disk.symlink(`${ROOT}/gone`, '/victim');
    const store = await lockOn(disk, [theirs('out/one.mp3', 'gone/authorized_keys.mp3')]);
    await recover(await viewOf(disk, store), 0);
    expect(disk.texts()).toMatchObject({ [`${ROOT}/out/one.mp3`]: SECRET });
    expect(Object.keys(disk.texts()).filter((name) => name.startsWith('/victim'))).toEqual(['/victim/keep']);
  });

  it.each([
    ['.env', 'out/zz.wav'],
    ['out/one.mp3', '.git/hooks/post-checkout'],
  ])('does not move %s to %s, as that is not audio', async (path, to) => {
    const disk = createMemoryDisk({ [`${ROOT}/${path}`]: SECRET });
    const store = await lockOn(disk, [theirs(path, to)]);
    await recover(await viewOf(disk, store), 0);
    expect(disk.texts()[`${ROOT}/${path}`]).toBe(SECRET);
    expect(store.attempts.get(done.attempt)?.move_to).toBeUndefined();
  });

  it('moves no file other than the one whose hash it has', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: 'not it' });
    const wrong = { ...theirs('out/one.mp3', 'out/two.mp3'), file: { ...from, bytes: 6 } };
    const store = await lockOn(disk, [wrong]);
    await recover(await viewOf(disk, store), 0);
    const { move_to: _, ...settled } = store.attempts.get(done.attempt)!;
    const move = { attempt: done.attempt, from: 'out/one.mp3', to: 'out/three.mp3' };
    expect(await applyMoves(await viewOf(disk, store), [move])).toEqual([move]);
    expect(settled.file?.path).toBe('out/one.mp3');
    expect(Object.keys(disk.texts()).filter((name) => name.includes('/out/'))).toEqual([
      `${ROOT}/out/one.mp3`,
    ]);
  });
});

it('a file whose name changes only in letter case is kept on a disk that ignores case', async () => {
  const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: 'one' });
  const store = await lockOn(disk, [done]);
  const { root, files } = (await viewOf(disk, store)).output;
  const lower = (path: string) => path.replace('/ONE', '/one');
  let renamed = 0;
  const caseless: FolderFiles = {
    ...files,
    facts: (path) => files.facts(lower(path)),
    stream: (path) => files.stream(lower(path)),
    remove: (path) => files.remove(lower(path)),
    link: (source, target) => files.link(lower(source), lower(target)),
    rename: async () => {
      renamed += 1;
    },
  };
  const move = { attempt: done.attempt, from: 'out/one.mp3', to: 'out/ONE.mp3' };
  expect(await applyMoves({ store, output: { root, files: caseless } }, [move])).toEqual([]);
  expect(renamed).toBe(1);
  expect(disk.texts()[`${ROOT}/out/one.mp3`]).toBe('one');
});
