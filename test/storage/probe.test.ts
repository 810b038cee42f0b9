import { describe, expect, it } from 'vitest';
import type { Files, Random } from '../../src/core/ports.js';
import { openOutput } from '../../src/storage/output.js';
import { probeStorage } from '../../src/storage/probe.js';
import { createMemoryDisk, type MemoryDisk } from '../fakes/memory-files.js';

const random: Random = { bytes: (size) => new Uint8Array(size).fill(7) };
const probed = async (disk: MemoryDisk, how: 'nearest' | 'make' = 'nearest', more: Partial<Files> = {}) =>
  probeStorage({ ...disk.files, ...more }, await openOutput(disk.files, '/album'), random, {
    stems,
    how,
    bytesMin: 1_000,
  });
const probe = async (disk: MemoryDisk) => (await probed(disk)).fault;
const stems = ['out/01-one', 'out/02-two', 'more/03-three'];

describe('the probe of the output folders', () => {
  it('creates no folder and leaves no file', async () => {
    const disk = createMemoryDisk({ '/album/album.yaml': '' });
    expect(await probe(disk)).toBeUndefined();
    expect(Object.keys(disk.texts())).toEqual(['/album/album.yaml']);
    expect(await disk.files.list('/album')).toEqual(['album.yaml']);
  });

  it('names the folder that cannot store files, and why', async () => {
    const disk = createMemoryDisk({ '/album/more/02-other.wav': '' });
    disk.intercept(({ name, path }) =>
      name === 'write' && path.startsWith('/album/more/') ? 'ENOSPC' : undefined,
    );
    const fault = { directory: '/album/more', code: 'ENOSPC' };
    expect(await probe(disk)).toEqual(fault);
    expect(Object.keys(disk.texts())).toEqual(['/album/more/02-other.wav']);
  });

  it('tries the parent of a folder that has to be created', async () => {
    const disk = createMemoryDisk({ '/album/album.yaml': '' });
    disk.intercept(({ name, path }) =>
      name === 'open' && path.startsWith('/album/.probe-') ? 'EROFS' : undefined,
    );
    const fault = { directory: '/album/out', code: 'EROFS' };
    expect(await probe(disk)).toEqual(fault);
  });

  it('reports a file in the place of a folder', async () => {
    const disk = createMemoryDisk({ '/album/out': '' });
    expect((await probe(disk))?.directory).toBe('/album/out');
  });

  it('reports a disk that does not support file names as long as needed', async () => {
    const disk = createMemoryDisk({ '/album/album.yaml': '' });
    disk.intercept(({ path }) => ((path.split('/').at(-1) ?? '').length > 143 ? 'ENAMETOOLONG' : undefined));
    const output = await openOutput(disk.files, '/album');
    const tried = async (stem: string) =>
      (await probeStorage(disk.files, output, random, { stems: [stem], how: 'nearest' })).fault?.code;
    expect(await tried(`out/${'x'.repeat(100)}`)).toBeUndefined();
    expect(await tried(`out/${'x'.repeat(130)}`)).toBe('ENAMETOOLONG');
  });

  it('finds a disk that does not support the characters of the file names', async () => {
    const disk = createMemoryDisk({ '/album/out/x.wav': '' });
    disk.intercept(({ path }) => (/[^ -~]/.test(path) ? 'EINVAL' : undefined));
    const output = await openOutput(disk.files, '/album');
    const tried = async (...stems: string[]) =>
      (await probeStorage(disk.files, output, random, { stems, how: 'nearest' })).fault?.code;
    expect(await tried('out/Tune', 'out/It is (here)')).toBeUndefined();
    expect(await tried('out/Tune', 'out/Ü')).toBe('EINVAL');
    expect(Object.keys(disk.texts())).toEqual(['/album/out/x.wav']);
  });

  it('tries every folder, however many there are', async () => {
    const names = Array.from({ length: 40 }, (_, number) => `out/${number}`);
    const disk = createMemoryDisk(Object.fromEntries(names.map((name) => [`/album/${name}/x.wav`, ''])));
    disk.intercept(({ name, path }) =>
      name === 'open' && path.startsWith('/album/out/39/') ? 'EACCES' : undefined,
    );
    const output = await openOutput(disk.files, '/album');
    const stems = names.map((name) => `${name}/one`);
    const { fault } = await probeStorage(disk.files, output, random, { stems, how: 'nearest' });
    expect(fault).toEqual({ directory: '/album/out/39', code: 'EACCES' });
    expect(Object.keys(disk.texts())).toHaveLength(40);
  });

  it('removes its own leftovers of a killed run, and no other file of that name', async () => {
    const disk = createMemoryDisk({ '/album/out/.probe-0123456789ab.part': 'mine', '/album/more/x.wav': '' });
    let left = '';
    disk.intercept(({ name, path }) => {
      if (name === 'link') left = disk.texts()[path.replace('.done', '.part')] ?? '';
      return undefined;
    });
    await probe(disk);
    expect(left).toMatch(/^venice-batch /);
    disk.put('/album/out/.probe-ffffffffffff.done', left);
    disk.put('/album/out/.probe-eeeeeeeeeeee.part', left.slice(0, 100));
    disk.put('/album/out/.probe-dddddddddddd.part', left.slice(0, 20));
    disk.put('/album/out/.probe-cccccccccccc.part', '');
    await probe(disk);
    expect(Object.keys(disk.texts())).toEqual(['/album/out/.probe-0123456789ab.part', '/album/more/x.wav']);
  });

  it.each(['EPERM', 'EACCES', 'EIO', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])(
    'accepts a disk that refuses hard links with %s, as storing does',
    async (code) => {
      const disk = createMemoryDisk({ '/album/out/x.wav': '', '/album/more/x.wav': '' });
      disk.intercept(({ name }) => (name === 'link' ? code : undefined));
      expect(await probe(disk)).toBeUndefined();
      expect(Object.keys(disk.texts())).toHaveLength(2);
    },
  );

  it.each([
    ['rename', 'EACCES'],
    ['stream', 'EIO'],
    ['syncDirectory', 'EIO'],
    ['remove', 'EPERM'],
  ])('reports failures of the last step of storing: %s', async (operation, code) => {
    const disk = createMemoryDisk({ '/album/out/x.wav': '', '/album/more/x.wav': '' });
    disk.intercept(({ name, path }) => {
      if (name === 'link') return 'ENOSYS';
      return name === operation && path.startsWith('/album/more') ? code : undefined;
    });
    expect(await probe(disk)).toEqual({ directory: '/album/more', code });
  });

  it('reports a disk that cannot sync folders, and continues', async () => {
    const disk = createMemoryDisk({ '/album/album.yaml': '' });
    const reported = await probed(disk, 'nearest', { canSyncDirectory: async () => false });
    expect(reported).toEqual({ unsynced: '/album' });
  });

  it('reports too little space for all that is to be bought', async () => {
    const disk = createMemoryDisk({ '/album/album.yaml': '' });
    const free = (bytes: number | undefined) => probed(disk, 'nearest', { freeBytes: async () => bytes });
    expect(await free(999)).toEqual({ fault: { directory: '/album/out', code: 'ENOSPC' } });
    expect(await free(1_000)).toEqual({});
    expect(await free(undefined)).toEqual({});
  });

  it('finds too few free inodes for all that is to be bought', async () => {
    const disk = createMemoryDisk({ '/album/album.yaml': '' });
    const free = (files: number | undefined) => probed(disk, 'nearest', { freeFiles: async () => files });
    expect(await free(1)).toEqual({ fault: { directory: '/album/out', code: 'ENOSPC' } });
    expect(await free(1_000)).toEqual({});
    expect(await free(undefined)).toEqual({});
    // A file system that always reports 0.
    expect(await free(0)).toEqual({});
  });

  it('creates needed folders before buying, and tries only those', async () => {
    const disk = createMemoryDisk({ '/album/more/x.wav': '' });
    const tried: string[] = [];
    disk.intercept(({ name, path }) => {
      if (name === 'open') tried.push(path.slice(0, path.lastIndexOf('/')));
      return undefined;
    });
    expect(await probed(disk, 'make')).toEqual({});
    expect(tried).toEqual(['/album/out']);
    const other = createMemoryDisk({ '/album/more/x.wav': '' });
    other.intercept(({ name }) => (name === 'makeDirectory' ? 'EACCES' : undefined));
    expect(await probed(other, 'make')).toEqual({ fault: { directory: '/album/out', code: 'EACCES' } });
  });
});
