import { parseBuffer } from 'music-metadata';
import { describe, expect, it } from 'vitest';
import { type AudioJob, renderAudio } from '../../src/sandbox/audio/render.js';
import { readScore } from '../../src/sandbox/audio/score.js';
import { decodeFlac } from './flac-decoder.js';
import { bytesOf } from './play.js';

const JOB: AudioJob = {
  prompt: 'Slow piano and strings, 70 BPM, C minor',
  kind: 'music',
  durationSeconds: 5,
  format: 'wav',
  seed: 'seed',
};

const KINDS = ['music', 'speech', 'effect'] as const;
const FORMATS = ['wav', 'flac', 'm4a'] as const;
const EVERY = KINDS.flatMap((kind) => FORMATS.map((format) => ({ kind, format })));

/** The samples of a WAV file made by `renderAudio`. */
function pcm(job: AudioJob): Int16Array {
  const bytes = bytesOf(renderAudio({ ...job, format: 'wav' })).subarray(44);
  return Int16Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readInt16LE(index * 2));
}

/** The samples of an M4A file that has only uncompressed frames. */
function decodeAlac(file: Buffer, samples: number): Int16Array {
  const decoded = new Int16Array(samples);
  let at = file.indexOf('mdat') + 4;
  for (let from = 0; from < samples; from += 4_096) {
    const length = Math.min(4_096, samples - from);
    const headBits = length === 4_096 ? 23 : 55;
    for (let index = 0; index < length; index++) {
      const bit = headBits + 16 * index;
      const word = file.readUIntBE(at + (bit >> 3), 3);
      decoded[from + index] = (word >> (8 - (bit & 7))) & 0xffff;
    }
    at += Math.ceil((headBits + 16 * length + 3) / 8);
  }
  expect(at).toBe(file.length);
  return decoded;
}

/** Root mean square, relative to full scale. */
function loudness(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length) / 32_768;
}

describe('rendered audio', () => {
  it.each(EVERY)('$kind as $format is a file of that type and of the requested length', async (about) => {
    const info = { wav: ['WAVE', 'PCM'], flac: ['FLAC', 'FLAC'], m4a: ['M4A/mp42/isom', 'ALAC'] }[
      about.format
    ];
    for (const durationSeconds of [0.4, 5, 61]) {
      const bytes = bytesOf(renderAudio({ ...JOB, ...about, durationSeconds }));
      const { format } = await parseBuffer(bytes);
      expect([format.container, format.codec]).toEqual(info);
      expect(format.duration).toBeCloseTo(durationSeconds, 3);
      expect(format.numberOfChannels).toBe(1);
    }
  });

  it.each(KINDS)('%s has the same samples in every format', (kind) => {
    for (const durationSeconds of [0.0001, 0.1, 0.2, 3, 12]) {
      const job = { ...JOB, kind, durationSeconds };
      const decoded = decodeFlac(bytesOf(renderAudio({ ...job, format: 'flac' })));
      const samples = pcm(job);
      expect(decoded).toMatchObject({ rate: 22_050, bitsPerSample: 16, totalSamples: samples.length });
      expect(Buffer.from(decoded.samples.buffer).equals(Buffer.from(samples.buffer))).toBe(true);
      const lossless = decodeAlac(bytesOf(renderAudio({ ...job, format: 'm4a' })), samples.length);
      expect(Buffer.from(lossless.buffer).equals(Buffer.from(samples.buffer))).toBe(true);
    }
  });

  it.each(EVERY)(
    '$kind as $format has the declared length, comes in small chunks, and is repeatable',
    (about) => {
      const body = renderAudio({ ...JOB, ...about, durationSeconds: 200 });
      const once = bytesOf(body);
      expect(once.byteLength).toBe(body.bytes);
      expect(Math.max(...[...body.chunks()].map((chunk) => chunk.byteLength))).toBeLessThanOrEqual(16 * 1024);
      expect(bytesOf(body).equals(once)).toBe(true);
    },
  );

  it.each(EVERY)('$kind as $format depends on the job and its seed alone', (about) => {
    const bytes = (seed: string) => bytesOf(renderAudio({ ...JOB, ...about, seed }));
    const first = bytes('one');
    // More than the cache holds, so that it is rendered again.
    for (let index = 0; index < 9; index += 1) renderAudio({ ...JOB, seed: String(index) });
    expect(bytes('one').equals(first)).toBe(true);
    expect(bytes('two').equals(first)).toBe(false);
  });

  it.each(KINDS)('%s is audible in every two seconds and never clips', (kind) => {
    const samples = pcm({ ...JOB, kind, durationSeconds: 30 });
    expect(samples.every((sample) => Math.abs(sample) < 32_000)).toBe(true);
    for (let start = 0; start + 44_100 <= samples.length; start += 44_100) {
      expect(loudness(samples.subarray(start, start + 44_100))).toBeGreaterThan(0.01);
    }
  });

  it('begins and ends without a click', () => {
    const samples = pcm({ ...JOB, durationSeconds: 10 });
    expect(Math.abs(samples[0]!)).toBeLessThan(100);
    expect(Math.abs(samples.at(-1)!)).toBeLessThan(100);
  });
});

describe('the decoder of these tests', () => {
  it('notices a single changed bit', () => {
    const bytes = bytesOf(renderAudio({ ...JOB, format: 'flac', durationSeconds: 1 }));
    for (const place of [50, 1_000, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[place]! ^= 0x10;
      expect(() => decodeFlac(changed)).toThrow();
    }
  });
});

describe('a score', () => {
  it.each([
    ['Lo-fi, 72 BPM', { bpm: 72 }],
    ['Drum and bass at 174bpm', { bpm: 174 }],
    ['Absurd: 999 bpm', { bpm: 220 }],
    ['Ballad in A minor', { tonic: 9, minor: true }],
    ['Anthem, C# major', { tonic: 1, minor: false }],
    ['Waltz in B flat major', { tonic: 10, minor: false }],
    ['A dark piece in the key of E', { tonic: 4, minor: true }],
    ['A minor, sparse', { tonic: 9, minor: true }],
    ['Fanfare in Bb, brass', { tonic: 10, minor: false }],
    ['Pads in F# with a choir', { tonic: 6 }],
  ])('follows the prompt: %s', (prompt, expected) => {
    for (const seed of ['1', '2', '3']) expect(readScore(prompt, seed)).toMatchObject(expected);
  });

  it('uses the instruments that are named', () => {
    const instruments = (prompt: string) => [...readScore(prompt, 'seed').instruments].sort();
    expect(instruments('Acoustic guitar and soft drums')).toEqual(['drums', 'pluck']);
    expect(instruments('String quartet with piano')).toEqual(['keys', 'strings']);
  });

  it('is drawn from the seed where the prompt says nothing', () => {
    const tempos = ['1', '2', '3', '4', '5'].map((seed) => readScore('A song', seed).bpm);
    expect(new Set(tempos).size).toBeGreaterThan(1);
    expect(readScore('A song', '1')).toEqual(readScore('A song', '1'));
  });

  it('never reads the article "a" as a key', () => {
    const tonics = ['1', '2', '3', '4', '5', '6'].map(
      (seed) => readScore('A major success of a song', seed).tonic,
    );
    expect(new Set(tonics).size).toBeGreaterThan(1);
  });
});
