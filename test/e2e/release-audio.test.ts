import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseFile } from 'music-metadata';
import { beforeAll, describe, expect, it } from 'vitest';
import { ebur128, ffmpeg, hasFfmpeg, probedTags } from '../release/ffmpeg.js';
import { folderWith } from './album.js';
import { folder, runProcess as run } from './program.js';

const TRACKS = `defaults: { model: elevenlabs-music, duration_seconds: 10 }
tracks:
  - { id: one, title: One, prompt: "Synthwave, 96 BPM, A minor, arpeggiated synth" }
  - { id: two, title: Two, model: ace-step-15, duration_seconds: 60, prompt: "A song, 90 BPM", lyrics_prompt: La la }
`;
const manifest = (release: string) =>
  `version: 1\ntitle: Ring Road\nbudget: 20\nrelease: { artist: Night Drive, ${release} }\n${TRACKS}`;

const COVER = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** The tags that ffprobe reads in every format. */
const PROBED = {
  artist: 'Night Drive',
  album: 'Ring Road',
  album_artist: 'Night Drive',
  date: '2026',
  genre: 'Synthwave',
  'ai-generated': expect.stringMatching(/^yes; model=\S+; request=v1:[0-9a-f]{64}; original=sha256:/),
};

let made = '';
beforeAll(async () => {
  made = folder();
  writeFileSync(path.join(made, 'album.yaml'), manifest('date: 2026'));
  const args = ['run', 'album.yaml', '--sandbox', '--yes', '--sandbox-speed', '1000'];
  expect(await run(args, made)).toMatchObject({ code: 0 });
}, 120_000);

interface Document {
  readonly tracks: readonly {
    path: string;
    loudness_lufs: number;
    true_peak_db: number;
    gain_db: number | null;
    limited_db: number | null;
  }[];
  readonly warnings: readonly { track: string; message: string }[];
}

/** Releases to `r` with these settings, and returns the output. */
async function released(cwd: string, release: string, env = {}): Promise<Document> {
  writeFileSync(path.join(cwd, 'album.yaml'), manifest(release));
  const { code, stdout, stderr } = await run(
    ['release', 'album.yaml', '--sandbox', '--to', 'r', '--json'],
    cwd,
    env,
  );
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Document;
}

describe('the audio of a release', () => {
  it('is the original audio with ReplayGain of track and album', async () => {
    const cwd = folderWith(made);
    const { tracks } = await released(cwd, 'date: 2026', { PATH: '' });
    const gains = await Promise.all(
      tracks.map(async ({ path: name }) => (await parseFile(path.join(cwd, 'r', name))).common),
    );
    for (const [index, { replaygain_track_gain: gain }] of gains.entries())
      expect(gain?.dB).toBeCloseTo(-18 - tracks[index]!.loudness_lufs, 1);
    expect(new Set(gains.map(({ replaygain_album_gain: gain }) => gain?.dB)).size).toBe(1);
    expect(gains[0]?.replaygain_album_gain?.dB).toBeDefined();
    if (!hasFfmpeg) return;
    const [original] = readdirSync(path.join(cwd, 'album.sandbox/out')).sort();
    const pcm = (file: string) => ffmpeg('-i', file, '-f', 'md5', '-');
    expect(pcm(path.join(cwd, 'r', tracks[0]!.path))).toBe(
      pcm(path.join(cwd, 'album.sandbox/out', original!)),
    );
  }, 90_000);

  it.each(['loudness: -22', 'loudness: -22, format: wav', 'loudness: -22, format: flac'])(
    'has the requested loudness without another program: %s',
    async (asked) => {
      const cwd = folderWith(made);
      const { tracks, warnings } = await released(cwd, asked, { PATH: '' });
      expect(warnings).toEqual([]);
      for (const { path: name, loudness_lufs } of tracks) {
        expect(Math.abs(loudness_lufs + 22)).toBeLessThan(0.1);
        if (!hasFfmpeg) continue;
        const theirs = ebur128(path.join(cwd, 'r', name));
        expect(Math.abs(theirs.loudness + 22), name).toBeLessThanOrEqual(0.3);
      }
    },
    90_000,
  );

  it.each(['loudness: -14', 'loudness: -14, true_peak: -2, format: flac'])(
    'has the requested loudness below the ceiling if peaks have to be limited: %s',
    async (asked) => {
      const cwd = folderWith(made);
      const ceiling = asked.includes('true_peak') ? -2 : -1;
      const { tracks, warnings } = await released(cwd, asked, { PATH: '' });
      expect(warnings).toEqual([]);
      expect(tracks.some(({ limited_db }) => (limited_db ?? 0) > 0.5)).toBe(true);
      for (const { path: name, loudness_lufs, true_peak_db } of tracks) {
        expect(Math.abs(loudness_lufs + 14), name).toBeLessThanOrEqual(0.1);
        expect(true_peak_db, name).toBeLessThanOrEqual(ceiling + 0.02);
        if (!hasFfmpeg) continue;
        const theirs = ebur128(path.join(cwd, 'r', name));
        expect(Math.abs(theirs.loudness + 14), name).toBeLessThanOrEqual(0.3);
        expect(theirs.truePeak, name).toBeLessThanOrEqual(ceiling + 0.2);
      }
    },
    90_000,
  );

  it('stays below its true peak ceiling and says if that costs loudness', async () => {
    const cwd = folderWith(made);
    const { tracks, warnings } = await released(cwd, 'loudness: -5, true_peak: -9', { PATH: '' });
    expect(warnings.map(({ message }) => message).join('\n')).toContain('instead of -5');
    for (const { path: name, true_peak_db } of tracks) {
      expect(true_peak_db).toBeLessThanOrEqual(-8.9);
      if (hasFfmpeg) expect(ebur128(path.join(cwd, 'r', name)).truePeak).toBeLessThanOrEqual(-8.8);
    }
  }, 90_000);

  it('is refused in a format that needs a missing program, before anything is made', async () => {
    const cwd = folderWith(made);
    writeFileSync(path.join(cwd, 'album.yaml'), manifest('format: mp3'));
    const { code, stderr } = await run(['release', 'album.yaml', '--sandbox', '--to', 'r'], cwd, {
      PATH: '',
    });
    expect(code).toBe(2);
    expect(stderr).toContain('error[release-unsupported]');
    expect(stderr).toContain('install ffmpeg, or set `format: flac`');
    expect(readdirSync(cwd)).not.toContain('r');
  }, 60_000);

  it.skipIf(!hasFfmpeg)(
    'is encoded by ffmpeg with loudness and tags, identical each time (needs ffmpeg)',
    async () => {
      for (const format of ['mp3', 'm4a', 'opus']) {
        const cwd = folderWith(made);
        writeFileSync(path.join(cwd, 'cover.png'), COVER);
        const asked = `format: ${format}, loudness: -22, bitrate: 128, date: 2026, genre: Synthwave, cover: cover.png`;
        const { tracks } = await released(cwd, asked);
        const before = tracks.map(({ path: name }) => readFileSync(path.join(cwd, 'r', name)));
        await released(cwd, asked);
        execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], {
          cwd: path.join(cwd, 'r'),
        });
        for (const [index, { path: name }] of tracks.entries()) {
          const file = path.join(cwd, 'r', name);
          expect(name.endsWith(`.${format}`)).toBe(true);
          expect(readFileSync(file).equals(before[index]!), name).toBe(true);
          expect(Math.abs(ebur128(file).loudness + 22), name).toBeLessThanOrEqual(0.3);
          const probed = probedTags(file);
          expect(probed, name).toMatchObject({ title: index === 0 ? 'One' : 'Two', ...PROBED });
          expect(JSON.stringify(probed), name).toMatch(/(?:replaygain|r128)_track_gain/);
          const { common } = await parseFile(file);
          expect(common, name).toMatchObject({ track: { no: index + 1, of: 2 }, genre: ['Synthwave'] });
          expect(common.picture?.[0]?.data.length, name).toBe(COVER.length);
          expect(common.lyrics?.[0]?.text, name).toBe(index === 0 ? undefined : 'La la');
          expect(common.comment?.[0]?.text, name).toMatch(/^AI-generated with /);
        }
      }
    },
    240_000,
  );
});
