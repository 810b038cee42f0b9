import { describe, expect, it } from 'vitest';
import type { Random } from '../../src/ports.js';
import { openOutput } from '../../src/run/output.js';
import { probeStorage } from '../../src/run/probe.js';
import { createMemoryDisk, type MemoryDisk } from '../fakes/memory-files.js';

const random: Random = { bytes: (size) => new Uint8Array(size).fill(7) };
const probe = async (disk: MemoryDisk) =>
  probeStorage(disk.files, await openOutput(disk.files, '/album'), random, stems);
const stems = ['out/01-one', 'out/02-two', 'more/03-three'];

describe('the probe of the output folders', () => {
  it('makes no folder and leaves no file: nothing may come of it', async () => {
    const disk = createMemoryDisk({ '/album/album.yaml': '' });
    expect(await probe(disk)).toBeUndefined();
    expect(Object.keys(disk.texts())).toEqual(['/album/album.yaml']);
    expect(await disk.files.list('/album')).toEqual(['album.yaml']);
  });

  it('names the folder that takes no file, and why', async () => {
    const disk = createMemoryDisk({ '/album/more/02-other.wav': '' });
    disk.intercept(({ name, path }) =>
      name === 'write' && path.startsWith('/album/more/') ? 'ENOSPC' : undefined,
    );
    const fault = { directory: '/album/more', code: 'ENOSPC' };
    expect(await probe(disk)).toEqual(fault);
    expect(Object.keys(disk.texts())).toEqual(['/album/more/02-other.wav']);
  });

  it('tries the folder in which one would have to be made', async () => {
    const disk = createMemoryDisk({ '/album/album.yaml': '' });
    disk.intercept(({ name, path }) =>
      name === 'open' && path.startsWith('/album/.probe-') ? 'EROFS' : undefined,
    );
    const fault = { directory: '/album/out', code: 'EROFS' };
    expect(await probe(disk)).toEqual(fault);
  });

  it('finds a file where a folder has to be', async () => {
    const disk = createMemoryDisk({ '/album/out': '' });
    expect((await probe(disk))?.directory).toBe('/album/out');
  });

  it('removes what a killed run left of its own, and nothing else', async () => {
    const disk = createMemoryDisk({
      '/album/out/.probe-0123456789ab.part': '',
      '/album/out/.probe-mine.part': '',
      '/album/out/01-one.0123abcd.part': '',
    });
    await probe(disk);
    expect(Object.keys(disk.texts())).toEqual([
      '/album/out/.probe-mine.part',
      '/album/out/01-one.0123abcd.part',
    ]);
  });
});
