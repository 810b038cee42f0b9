import { describe, expect, it } from 'vitest';
import { loadManifest, loadManifestText } from '../../src/manifest/load.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { load, oneTrack, placeOf } from './check.js';

const GOOD = oneTrack();

describe('a readable manifest', () => {
  it('has its folder and its settings', async () => {
    const disk = createMemoryDisk({
      '/music/album.yaml': `title: Night Drive\nbudget: 5.00\nconcurrency: 8\n${GOOD}`,
    });
    const { manifest, diagnostics, sources } = await loadManifest(
      disk.files,
      '/music/album.yaml',
      'album.yaml',
    );
    expect(diagnostics).toEqual([]);
    expect(manifest).toMatchObject({
      path: '/music/album.yaml',
      directory: '/music',
      title: 'Night Drive',
      budgetMicroUsd: 5_000_000,
      concurrency: 8,
    });
    expect([...sources.keys()]).toEqual(['album.yaml']);
  });

  it.each([
    ['0.29', 290_000],
    ['1.1', 1_100_000],
    ['0.0000019', 1],
    ['0.0000001', 0],
    ['1000000', 1_000_000_000_000],
  ])('rounds a budget of %s USD down to whole micro-dollars', async (budget, microUsd) => {
    expect((await load(`budget: ${budget}\n${GOOD}`)).manifest?.budgetMicroUsd).toBe(microUsd);
  });

  it('has no value for a missing setting', async () => {
    const { manifest } = await load(GOOD);
    expect(Object.keys(manifest!)).toEqual(['path', 'directory', 'takes', 'extraTake', 'release']);
  });

  it('has its text without a byte-order mark for code frames', async () => {
    const disk = createMemoryDisk();
    const { sources } = await loadManifestText(disk.files, `\uFEFF${GOOD}`, '/music/-', '<stdin>');
    expect(sources.get('<stdin>')).toBe(GOOD);
  });
});

describe('an unreadable manifest', () => {
  const cases: [string, string, string | undefined][] = [
    ['/music/nope.yaml', 'manifest-missing', undefined],
    ['/music', 'manifest-directory', undefined],
    ['/music/latin1.yaml', 'manifest-not-utf8', undefined],
    ['/music/large.yaml', 'manifest-too-large', undefined],
    ['/music/album.yaml', 'manifest-not-permitted', 'EACCES'],
    ['/music/album.yaml', 'manifest-unreadable', 'EIO'],
  ];

  it.each(cases)('is reported without an exception: %s: %s', async (path, code, fault) => {
    const disk = createMemoryDisk({ '/music/album.yaml': GOOD });
    disk.put('/music/latin1.yaml', Uint8Array.of(0x66, 0xfc, 0x72));
    disk.put('/music/large.yaml', new Uint8Array(16 * 1024 * 1024 + 1).fill(0x20));
    disk.intercept(({ name }) => (name === 'read' ? fault : undefined));
    const { manifest, diagnostics } = await loadManifest(disk.files, path, 'album.yaml');
    expect(manifest).toBeUndefined();
    expect(diagnostics.map(placeOf)).toEqual([code]);
    expect(diagnostics[0]?.hint).toBeTruthy();
  });

  it('does not hide an exception of the program', async () => {
    const broken = { facts: () => Promise.reject(new TypeError('bug')) } as never;
    await expect(loadManifest(broken, '/a.yaml', 'a.yaml')).rejects.toThrow('bug');
  });
});
