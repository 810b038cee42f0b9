import { describe, expect, it } from 'vitest';
import { refuseSiblingManifest } from '../../src/session/sibling.js';
import { createMemoryDisk, type MemoryDisk } from '../fakes/memory-files.js';

async function refused(disk: MemoryDisk, name: string): Promise<readonly string[]> {
  const settings = { manifest: name, manifestPath: `/music/${name}`, choices: {} };
  const loaded = await refuseSiblingManifest(
    { diagnostics: [], sources: new Map() },
    settings as Parameters<typeof refuseSiblingManifest>[1],
    disk.files,
  );
  return loaded.diagnostics.map(({ code, message }) => `${code}: ${message}`);
}

describe('a manifest beside another that would share its lockfile', () => {
  it.each([
    ['album.yaml', 'album.yml'],
    ['album.yml', 'album.yaml'],
    ['album.YAML', 'album.yaml'],
    ['album.yaml', 'album.YAML'],
    ['album.Yml', 'album.YML'],
  ])('%s is refused beside %s', async (name, other) => {
    const disk = createMemoryDisk({ [`/music/${name}`]: '', [`/music/${other}`]: '' });
    expect(await refused(disk, name)).toEqual([
      `lockfile-shared: ${name} and ${other} would share one lockfile`,
    ]);
  });

  it('is accepted if the other one is the same file, as on a case-insensitive disk', async () => {
    const disk = createMemoryDisk({ '/music/album.yaml': '', '/music/other.yml': '' });
    disk.symlink('/music/album.YAML', '/music/album.yaml');
    expect(await refused(disk, 'album.YAML')).toEqual([]);
  });
});
