import { describe, expect, it } from 'vitest';
import { loadManifest, loadManifestText } from '../../src/manifest/load.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { oneTrack } from './check.js';

const hintOf = ({ diagnostics }: { diagnostics: readonly { hint?: string | undefined }[] }) =>
  diagnostics[0]?.hint;

describe('a mistyped path', () => {
  it.each([
    ['album.yml', 'album.yaml'],
    ['albun.yaml', 'album.yaml'],
    ['songs/intros.yaml', 'songs/intro.yaml'],
    ['songs', 'songs/intro.yaml'],
  ])('of a manifest leads to a suggestion: %s suggests %s', async (written, meant) => {
    const disk = createMemoryDisk({
      '/music/album.yaml': '',
      '/music/album.lock.jsonl': '',
      '/music/songs/intro.yaml': '',
      '/music/songs/intro.picks.yaml': '',
    });
    expect(hintOf(await loadManifest(disk.files, `/music/${written}`, written))).toBe(
      `did you mean \`${meant}\`?`,
    );
  });

  it.each(['jazz.yaml', 'songs'])(
    'of a manifest leads to no suggestion if nothing is near: %s',
    async (written) => {
      const disk = createMemoryDisk({
        '/music/album.yaml': '',
        '/music/songs/a.yaml': '',
        '/music/songs/b.yaml': '',
      });
      expect(hintOf(await loadManifest(disk.files, `/music/${written}`, written))).not.toContain(
        'did you mean',
      );
    },
  );

  it('of lyrics leads to the nearest file name in the folder of the manifest', async () => {
    const disk = createMemoryDisk({ '/music/words/verse.txt': 'la' });
    const text = oneTrack('lyrics_file: words/verses.txt');
    expect(hintOf(await loadManifestText(disk.files, text, '/music/a.yaml', 'a.yaml'))).toBe(
      'did you mean `words/verse.txt`?',
    );
  });

  it.each([
    ['.', 'name a file in it'],
    ['words', 'did you mean `words/verse.txt`?'],
    ['a.yml', "check the path: it starts at the manifest's folder"],
    ['a.lock.json', "check the path: it starts at the manifest's folder"],
    ['words/versemp3', "check the path: it starts at the manifest's folder"],
  ])('of lyrics leads only to text, never to the manifest or its lockfile: %s', async (written, hint) => {
    const disk = createMemoryDisk({
      '/music/a.yaml': '',
      '/music/a.lock.jsonl': '',
      '/music/words/verse.mp3': '',
      '/music/words/verse.txt': 'la',
    });
    const text = oneTrack(`lyrics_file: ${written}`);
    expect(hintOf(await loadManifestText(disk.files, text, '/music/a.yaml', 'a.yaml'))).toBe(hint);
  });

  it('is looked for only so many times, as each one lists the folder', async () => {
    const disk = createMemoryDisk({ '/music/words/verse.txt': 'la' });
    let listed = 0;
    const files: typeof disk.files = {
      ...disk.files,
      below: async (root) => {
        const below = await disk.files.below(root);
        const list = (folder: string) => {
          listed += 1;
          return below.list(folder);
        };
        return { ...below, list };
      },
    };
    const tracks = Array.from(
      { length: 50 },
      (_, n) => `  - { id: t${n}, model: m, prompt: p, lyrics_file: words/verse${n}.txt }`,
    );
    const text = `version: 1\ntracks:\n${tracks.join('\n')}\n`;
    const { diagnostics } = await loadManifestText(files, text, '/music/a.yaml', 'a.yaml');
    expect(diagnostics).toHaveLength(50);
    expect(listed).toBe(20);
  });
});
