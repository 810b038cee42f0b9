import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FolderFiles } from '../../src/core/ports.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { LockStore } from '../../src/lockfile/lock-store.js';
import { systemFiles } from '../../src/node/files.js';
import { fileStates, type KnownPlaces, recover, withPlacesFound } from '../../src/run/recover.js';
import { pushFiles } from '../../src/run/upload.js';
import type { AudioStore } from '../../src/shared-log/audio-store.js';
import { hashedOnce } from '../../src/storage/link-into-place.js';
import { applyMoves, moveSuperseded } from '../../src/storage/move.js';
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

it.each(['out/ONE~1.mp3', 'OUT~1/one.mp3'])(
  'a file with a recorded move to its short name stays: %s',
  async (short) => {
    const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: 'one' });
    const store = await lockOn(disk, [{ ...done, move_to: short }]);
    const { root, files } = (await viewOf(disk, store)).output;
    const long = (name: string) => name.replace('OUT~1', 'out').replace('ONE~1', 'one');
    const aliased: FolderFiles = {
      ...files,
      facts: (name) => files.facts(long(name)),
      stream: (name) => files.stream(long(name)),
      list: (name) => files.list(long(name)),
      makeDirectory: (name) => files.makeDirectory(long(name)),
      syncDirectory: (name) => files.syncDirectory(long(name)),
      link: (source, target) => files.link(long(source), long(target)),
    };
    await recover({ store, output: { root, files: aliased } }, 0);
    expect(disk.texts()[`${ROOT}/out/one.mp3`]).toBe('one');
  },
);

it.each([
  ['one.mp3', 'two.mp3'],
  ['out/one.mp3', 'out/two.mp3'],
  ['out/one.mp3', 'new/one.mp3'],
])('the old name that a killed run left is removed: %s, now %s', async (old, to) => {
  const top = mkdtempSync(path.join(tmpdir(), 'venice-move-'));
  try {
    for (const folder of ['out', 'new']) mkdirSync(path.join(top, folder));
    writeFileSync(path.join(top, old), 'one');
    linkSync(path.join(top, old), path.join(top, to));
    const moving = { ...done, file: { ...from, path: old }, move_to: to };
    const store = await lockOn(createMemoryDisk({ '/album/x': '' }), [moving]);
    await recover({ store, output: await openOutput(systemFiles, top) }, 0);
    expect([existsSync(path.join(top, old)), readFileSync(path.join(top, to), 'utf8')]).toEqual([
      false,
      'one',
    ]);
    expect(store.attempts.get(done.attempt)?.file?.path).toBe(to);
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
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

describe('a file that many lines of the lockfile name', () => {
  const LINES = 6;
  const other = { bytes: 3, sha256: sha256('two') };
  /** How often `out/one.mp3`, whatever its name is then, is read. */
  const readsOf = async (
    lineOf: (at: number) => Partial<Attempt>,
    act: (context: Awaited<ReturnType<typeof viewOf>>) => Promise<unknown> = (context) => recover(context, 0),
  ) => {
    const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: 'one', [`${ROOT}/out/full.mp3`]: 'three' });
    const lines = Array.from({ length: LINES }, (_, at) =>
      attempt({ ...done, attempt: id(`line ${at}`), queue_id: `q-${at}`, ...lineOf(at) }),
    );
    const store = await lockOn(disk, lines);
    let reads = 0;
    disk.intercept(({ name, path }) => {
      if (name === 'stream' && !path.includes('.venice-batch')) reads += 1;
      return undefined;
    });
    await act(await viewOf(disk, store));
    expect(Object.values(disk.texts()).filter((text) => text === 'one')).toEqual(['one']);
    return { reads, store };
  };
  const gone = { ...from, path: 'out/gone.mp3' };

  it.each<[string, number, (at: number) => Partial<Attempt>]>([
    ['as where theirs was first', 1, () => ({ stem: 'out/one', file: { ...gone, ...other } })],
    ['as where theirs was first, and it is', 1, () => ({ stem: 'out/one', file: gone })],
    ['as the source of a move', 1, (at) => ({ file: { ...from, ...other }, move_to: `out/${at}.mp3` })],
    ['as the target of a move', 1, () => ({ file: { ...gone, ...other }, move_to: 'out/one.mp3' })],
    ['as the target of a move that was made', 1, () => ({ file: gone, move_to: 'out/one.mp3' })],
    ['as the source of a move whose target is taken', 1, () => ({ file: from, move_to: 'out/full.mp3' })],
    ['as audio that was given up', 1, () => ({ state: 'failed', file: { ...from, ...other } })],
    // It is read again right before the one move that is made.
    [
      'as moved from each to the next',
      2,
      (at) => ({
        file: { ...from, path: at === 0 ? 'out/one.mp3' : `out/${at}.mp3` },
        move_to: `out/${at + 1}.mp3`,
      }),
    ],
  ])('%s is read %i times', async (_, reads, lineOf) => {
    expect((await readsOf(lineOf)).reads).toBe(reads);
  });

  it('is read once for a command that records nothing', async () => {
    const lineOf = () => ({ stem: 'out/one', file: { ...gone, ...other } });
    const look = ({ output, store }: Awaited<ReturnType<typeof viewOf>>) =>
      withPlacesFound({ output }, [...store.attempts.values()], {});
    expect((await readsOf(lineOf, look)).reads).toBe(1);
  });

  it('is read once to make room for another', async () => {
    const lineOf = () => ({ file: { ...from, ...other } });
    const make = (context: Awaited<ReturnType<typeof viewOf>>) =>
      moveSuperseded(context, 'out/one.mp3', attempt({ attempt: id('new') }));
    expect((await readsOf(lineOf, make)).reads).toBe(1);
  });

  it('is read once for an audio store that lacks it', async () => {
    let puts = 0;
    const audio = {
      has: async () => false,
      put: async () => {
        puts += 1;
        return 'changed';
      },
    } as unknown as AudioStore;
    const push = ({ output, store }: Awaited<ReturnType<typeof viewOf>>) =>
      pushFiles(audio, output, store.attempts.values());
    const { reads } = await readsOf(() => ({ file: { ...from, ...other } }), push);
    expect(reads + puts).toBe(1);
  });

  it('is read once under names that differ in letter case', async () => {
    const names = ['one', 'One', 'oNe', 'onE', 'ONe', 'ONE'];
    const lineOf = (at: number) => ({ file: { ...from, path: `out/${names[at]}.mp3` } });
    const look = ({ output: { root, files }, store }: Awaited<ReturnType<typeof viewOf>>) => {
      const caseless: FolderFiles = {
        ...files,
        facts: (name) => files.facts(name.toLowerCase()),
        stream: (name) => files.stream(name.toLowerCase()),
      };
      return fileStates({ output: { root, files: caseless } }, store.attempts.values(), 'hash');
    };
    expect((await readsOf(lineOf, look)).reads).toBe(1);
  });

  it('is read again once it was modified', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/out/one.mp3`]: 'one' });
    const { root, files } = await openOutput(disk.files, ROOT);
    const [place, hashOf] = [path.join(root, 'out/one.mp3'), hashedOnce(files)];
    expect(await hashOf(place)).toBe(sha256('one'));
    const handle = await files.open(place, 'truncate');
    await handle.write(new TextEncoder().encode('two'));
    await handle.close();
    expect([await hashOf(place), await hashOf(`${place}x`)]).toEqual([sha256('two'), undefined]);
  });
});
