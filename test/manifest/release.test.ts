import { describe, expect, it } from 'vitest';
import { found, load, takesOf } from './check.js';

const TRACKS = `tracks:
  - { id: a, prompt: p, title: One }
  - { id: b, prompt: p, lyrics_prompt: La la }
`;
const HEAD = 'version: 1\ntitle: Night Drive\ndefaults: { model: m }\n';

async function releaseOf(text: string) {
  const { manifest, diagnostics } = await load(text);
  expect(diagnostics).toEqual([]);
  return manifest!.release!;
}

describe('the release settings of a manifest', () => {
  it('have defaults', async () => {
    const release = await releaseOf(HEAD + TRACKS);
    expect(release).toMatchObject({ album: 'Night Drive', format: 'original', truePeakDb: -1 });
    expect(release.tracks.map(({ track, index, title }) => [track, index, title])).toEqual([
      ['a', 1, 'One'],
      ['b', 2, 'b'],
    ]);
    expect(release).not.toHaveProperty('loudnessLufs');
  });

  it('count the tracks that are included and use their own metadata', async () => {
    const release = await releaseOf(
      `${HEAD}release: { artist: X, date: 2026, loudness: -14 }
tracks:
  - { id: a, prompt: p, release_skip: true }
  - { id: b, prompt: p, release_title: B!, release_artist: Y, release_genre: g, release_comment: c }
`,
    );
    expect(release).toMatchObject({ artist: 'X', albumArtist: 'X', date: '2026', loudnessLufs: -14 });
    expect(release.tracks).toMatchObject([
      { track: 'b', index: 1, title: 'B!', artist: 'Y', genre: 'g', comment: 'c' },
    ]);
  });

  it.each([
    ['{ cover: ../a.jpg }', ['cover-path@4:19']],
    ['{ cover: /a.jpg }', ['cover-path@4:19']],
    ['{ cover: .git/a.jpg }', ['cover-path@4:19']],
    ['{ cover: "a\\\\b.jpg" }', ['cover-path@4:19']],
    ['{ output: "{index}.mp3" }', ['output-ext@4:28']],
    ['{ output: "{titel}.{ext}" }', ['output-token@4:21']],
    ['{ output: "x.{ext}" }', ['output-collision@8:11']],
    ['{ output: "../{id}.{ext}" }', ['output-leaves-folder@4:21']],
    ['{ artist: "a\\u0007" }', ['unprintable-character@4:20']],
    ['{ format: aiff }', ['out-of-range@4:20']],
    ['{ date: 27.11.2026 }', ['bad-value@4:18']],
    ['{ artits: a }', ['unknown-key@4:12']],
  ])('are checked: %s', async (release, expected) => {
    expect(await found(`${HEAD}release: ${release}\n\n${TRACKS}`)).toEqual(expected);
  });

  it.each([
    ['{ format: aiff }', 'give one of original, wav, flac, mp3, m4a, opus'],
    ['{ date: 27.11.2026 }', 'write it as YYYY, YYYY-MM or YYYY-MM-DD'],
    ['{ loudness: 14 }', 'write it as `loudness: -14`'],
    ['{ true_peak: 1 }', 'write it as `true_peak: -1`'],
    ['{ artits: a }', 'did you mean `artist`?'],
  ])('have errors that say how to write them: %s', async (release, hint) => {
    const { diagnostics } = await load(`${HEAD}release: ${release}\n${TRACKS}`);
    expect(diagnostics.map((one) => one.hint)).toEqual([hint]);
  });

  it('are not part of any request, so changing them buys nothing', async () => {
    const plain = await takesOf(HEAD + TRACKS);
    const released = await takesOf(
      `${HEAD}release: { artist: X, album: Y, cover: c.png, output: "{id}.{ext}", format: flac, loudness: -16 }
tracks:
  - { id: a, prompt: p, title: One, release_title: Uno, release_artist: Z, release_skip: true }
  - { id: b, prompt: p, lyrics_prompt: La la, release_comment: c, release_genre: g }
`,
    );
    expect(released.map(({ key, digest, parts, stem }) => ({ key, digest, parts, stem }))).toEqual(
      plain.map(({ key, digest, parts, stem }) => ({ key, digest, parts, stem })),
    );
  });
});
