import { describe, expect, it } from 'vitest';
import { loadManifestText } from '../../src/manifest/load.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { found, oneTrack, placeOf, takesOf } from './check.js';

const file = (path: string) => oneTrack(`lyrics_file: ${JSON.stringify(path)}`);
const PLACE = '5:18';

describe('a lyrics file', () => {
  it.each([
    ['lyrics/a.txt', 'lyrics/a.txt'],
    ['./a.txt', 'a.txt'],
    ['lyrics/../a.txt', 'a.txt'],
    ['a..b/c.d.txt', 'a..b/c.d.txt'],
    ['with space/ä.txt', 'with space/ä.txt'],
  ])('is read from a path relative to the manifest: %s', async (path, stored) => {
    const [take] = await takesOf(file(path), { [stored]: '\uFEFFla\r\nla\r\n' });
    expect(take?.request.lyrics_prompt).toBe('la\nla');
  });

  it.each([
    ['/etc/lyrics.txt', 'lyrics-path'],
    ['C:\\lyrics.txt', 'lyrics-path'],
    ['\\\\host\\lyrics.txt', 'lyrics-path'],
    ['~/lyrics.txt', 'lyrics-path'],
    ['lyrics\\a.txt', 'lyrics-path'],
    ['a\0.txt', 'lyrics-path'],
    ['../shared/a.txt', 'lyrics-path'],
    ['lyrics/../../../etc/passwd', 'lyrics-path'],
    ['..', 'lyrics-path'],
    ['.env', 'lyrics-path'],
    ['./.env', 'lyrics-path'],
    ['.git/config', 'lyrics-path'],
    ['lyrics/.keys/a.txt', 'lyrics-path'],
    ['..a/b.txt', 'lyrics-path'],
    ['nope.txt', 'lyrics-missing'],
    ['folder', 'lyrics-directory'],
    ['blank.txt', 'empty-text'],
    ['escape.txt', 'unprintable-character'],
    ['long.txt', 'too-long'],
    ['large.txt', 'lyrics-too-large'],
  ])('%j is refused as %s', async (path, code) => {
    const files = {
      'folder/x.txt': 'x',
      '.env': 'VENICE_API_KEY=k',
      '.git/config': 'token = t',
      'blank.txt': ' \n\n',
      'escape.txt': 'la \u001b[2J',
      'long.txt': 'x'.repeat(100_001),
      'large.txt': 'x'.repeat(1024 * 1024 + 1),
    };
    expect(await found(file(path), files)).toEqual([`${code}@${PLACE}`]);
  });

  it.each([
    ['/album/l.txt', '/etc/passwd', 'l.txt', 'lyrics-path'],
    ['/album/in', '/etc', 'in/passwd', 'lyrics-path'],
    ['/album/in', '/albums', 'in/l.txt', 'lyrics-path'],
    ['/album/l.txt', '/album/.env', 'l.txt', 'lyrics-path'],
    ['/album/in', '/album/.git', 'in/config', 'lyrics-path'],
    ['/album/l.txt', '/album/nowhere', 'l.txt', 'lyrics-missing'],
  ])('is refused if %s is a link to %s', async (link, target, path, code) => {
    const disk = createMemoryDisk({
      '/etc/passwd': 'root',
      '/albums/l.txt': 'la',
      '/album/.env': 'KEY=k',
      '/album/.git/config': 't',
    });
    disk.symlink(link, target);
    const { diagnostics } = await loadManifestText(disk.files, file(path), '/album/a.yaml', 'a.yaml');
    expect(diagnostics.map(placeOf)).toEqual([`${code}@${PLACE}`]);
  });

  it('may be a link to another file below the folder, even through another link', async () => {
    const disk = createMemoryDisk({ '/album/texts/a.txt': 'la' });
    disk.symlink('/album/l.txt', '/album/texts/a.txt');
    disk.symlink('/mine', '/album');
    const { manifest } = await loadManifestText(disk.files, file('l.txt'), '/mine/a.yaml', 'a.yaml');
    expect(manifest?.takes[0]?.request.lyrics_prompt).toBe('la');
  });

  it('is refused if it is not UTF-8', async () => {
    const disk = createMemoryDisk();
    disk.put('/album/latin1.txt', Uint8Array.of(0x66, 0xfc, 0x72));
    const { diagnostics } = await loadManifestText(disk.files, file('latin1.txt'), '/album/a.yaml', 'a.yaml');
    expect(diagnostics.map(placeOf)).toEqual([`lyrics-not-utf8@${PLACE}`]);
  });

  it.each([
    ['EACCES', 'lyrics-not-permitted'],
    ['EISDIR', 'lyrics-directory'],
    ['EIO', 'lyrics-unreadable'],
    ['ELOOP', 'lyrics-unreadable'],
  ])('that fails with %s is refused as %s', async (fault, code) => {
    const disk = createMemoryDisk({ '/album/l.txt': 'la' });
    disk.intercept(({ name }) => (name === 'read' ? fault : undefined));
    const { diagnostics } = await loadManifestText(disk.files, file('l.txt'), '/album/a.yaml', 'a.yaml');
    expect(diagnostics.map(placeOf)).toEqual([`${code}@${PLACE}`]);
  });

  it('is read once for several tracks', async () => {
    const disk = createMemoryDisk({ '/album/l.txt': 'la' });
    const read: string[] = [];
    disk.intercept(({ name, path }) => {
      if (name === 'read') read.push(path);
      return undefined;
    });
    const text = `${file('l.txt')}  - id: b\n    lyrics_file: l.txt\n`;
    const { manifest } = await loadManifestText(disk.files, text, '/album/a.yaml', 'a.yaml');
    expect(manifest?.takes.map(({ request }) => request.lyrics_prompt)).toEqual(['la', 'la']);
    expect(read).toEqual(['/album/l.txt']);
  });

  it('in the defaults is not read if no track uses it', async () => {
    const text =
      'version: 1\ndefaults: { model: m, prompt: p, lyrics_file: no.txt }\ntracks: [{ id: a, lyrics_prompt: la }]\n';
    expect(await found(text)).toEqual([]);
  });
});
