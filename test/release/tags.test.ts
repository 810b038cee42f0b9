import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseBuffer } from 'music-metadata';
import { afterAll, describe, expect, it } from 'vitest';
import { taggerFor } from '../../src/release/tags/tag-file.js';
import { type Tags, UntaggableError } from '../../src/release/tags/tags.js';
import { adts, id3Tag, m4a, noise, withChunk } from '../node/container-bytes.js';
import { flac, mp3, wav } from '../storage/audio-bytes.js';
import { codedAudio, ffmpeg, hasFfmpeg, probedTags } from './ffmpeg.js';

const TAGS: Tags = {
  title: 'Für Elise — 雨',
  artist: 'Night Drive',
  album: 'Ring Road',
  albumArtist: 'Various',
  track: 3,
  tracks: 12,
  date: '2026-11-27',
  genre: 'Synthwave',
  copyright: '2026 Night Drive',
  comment: 'AI-generated with a-model',
  lyrics: '[Verse]\nRadio low\nand the sky turning grey',
  cover: { mediaType: 'image/png', width: 2, height: 3, bytes: noise(70_000) },
  aiMark: 'yes; model=a-model; digest=v1:ab',
  gains: [
    ['REPLAYGAIN_TRACK_GAIN', '-3.25 dB'],
    ['REPLAYGAIN_TRACK_PEAK', '0.988553'],
  ],
};

const MADE: readonly (readonly [name: string, mediaType: string, bytes: Uint8Array])[] = [
  ['mp3', 'audio/mpeg', mp3(40)],
  ['mp3 with a tag', 'audio/mpeg', mp3(40, { id3: true })],
  ['flac', 'audio/flac', flac(20_000)],
  ['wav', 'audio/wav', wav(1)],
  ['wav with a chunk', 'audio/wav', withChunk(wav(1), 32)],
  ['m4a', 'audio/mp4', m4a()],
  ['aac', 'audio/aac', adts(40)],
];

function tag(mediaType: string, bytes: Uint8Array, tags = TAGS): Uint8Array {
  return taggerFor(mediaType)!(bytes, tags);
}

describe('a tagged file', () => {
  it.each(MADE)('has every tag: %s', async (_name, mediaType, bytes) => {
    const { common, native } = await parseBuffer(tag(mediaType, bytes), { mimeType: mediaType });
    expect(common).toMatchObject({
      title: TAGS.title,
      artist: TAGS.artist,
      album: TAGS.album,
      albumartist: TAGS.albumArtist,
      track: { no: 3, of: 12 },
      genre: [TAGS.genre],
      copyright: TAGS.copyright,
      replaygain_track_gain: { dB: -3.25 },
    });
    expect(common.date ?? String(common.year)).toContain('2026');
    expect(common.comment?.map(({ text }) => text)).toContain(TAGS.comment);
    expect(common.lyrics?.[0]?.text).toBe(TAGS.lyrics);
    expect(Buffer.from(common.picture![0]!.data).equals(TAGS.cover!.bytes)).toBe(true);
    expect(JSON.stringify(native)).toContain('model=a-model');
  });

  it.each(MADE)('does not change when it is tagged again: %s', (_name, mediaType, bytes) => {
    const once = tag(mediaType, bytes);
    expect(Buffer.from(tag(mediaType, once)).equals(once)).toBe(true);
    const other = tag(mediaType, bytes, {
      title: 'Another',
      track: 1,
      tracks: 1,
      comment: 'c',
      aiMark: 'm',
      gains: [],
    });
    expect(Buffer.from(tag(mediaType, other)).equals(once)).toBe(true);
  });

  it('keeps what is neither audio nor tag', () => {
    const chunk = withChunk(wav(1), 32).subarray(12);
    expect(Buffer.from(tag('audio/wav', withChunk(wav(1), 32))).includes(chunk.subarray(24, 64))).toBe(true);
    expect(Buffer.from(tag('audio/mpeg', Buffer.concat([id3Tag(), mp3(9)]))).indexOf(mp3(9))).toBeGreaterThan(
      0,
    );
  });

  it.each([
    ['audio/wav', noise(100)],
    ['audio/flac', noise(100)],
    ['audio/mp4', m4a().subarray(0, 60)],
    ['audio/ogg', noise(100)],
    ['audio/flac', flac(20_000).subarray(0, 30)],
  ])('is not made from bytes of another format: %s', (mediaType, bytes) => {
    expect(() => tag(mediaType, bytes)).toThrow(UntaggableError);
  });

  it('is not made in a format without tags', () => {
    expect(taggerFor('audio/webm')).toBeUndefined();
  });
});

/** How ffmpeg makes one of each kind; the index of an MP4 file at either end, and in fragments. */
const ENCODED: readonly (readonly [file: string, mediaType: string, args: readonly string[]])[] = [
  ['a.mp3', 'audio/mpeg', ['-b:a', '128k', '-write_id3v1', '1', '-metadata', 'title=Before']],
  ['a.wav', 'audio/wav', ['-metadata', 'title=Before']],
  ['a.flac', 'audio/flac', ['-metadata', 'title=Before']],
  ['end.m4a', 'audio/mp4', ['-c:a', 'aac', '-metadata', 'title=Before']],
  ['front.m4a', 'audio/mp4', ['-c:a', 'aac', '-movflags', '+faststart', '-metadata', 'title=Before']],
  ['fragments.m4a', 'audio/mp4', ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov']],
  ['a.aac', 'audio/aac', ['-c:a', 'aac']],
  ['a.opus', 'audio/opus', ['-c:a', 'libopus', '-metadata', 'title=Before']],
  ['a.ogg', 'audio/ogg', ['-c:a', 'libvorbis', '-metadata', 'title=Before']],
];

describe.skipIf(!hasFfmpeg)('a tagged file, read by ffmpeg (needs ffmpeg)', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('contains the same audio and every tag', async () => {
    for (const [name, mediaType, args] of ENCODED) {
      const file = path.join(folder, name);
      ffmpeg('-f', 'lavfi', '-i', 'sine=frequency=440:duration=3', ...args, file);
      const tagged = path.join(folder, `tagged-${name}`);
      writeFileSync(tagged, tag(mediaType, readFileSync(file)));
      expect(codedAudio(tagged), name).toBe(codedAudio(file));
      const reported = probedTags(tagged);
      expect(reported, name).toMatchObject({ title: TAGS.title, artist: TAGS.artist, album: TAGS.album });
      expect(JSON.stringify(reported), name).toContain('model=a-model');
      // ffmpeg reads no ID3 in WAV, and `LIST INFO` has no lyrics.
      if (mediaType !== 'audio/wav')
        expect(reported.lyrics ?? reported['lyrics-und'] ?? reported.unsyncedlyrics, name).toBe(TAGS.lyrics);
      const { common } = await parseBuffer(readFileSync(tagged), { mimeType: mediaType });
      expect(common, name).toMatchObject({ title: TAGS.title, track: { no: 3, of: 12 } });
      expect(common.picture?.[0]?.data.length, name).toBe(TAGS.cover!.bytes.length);
    }
  });
});
