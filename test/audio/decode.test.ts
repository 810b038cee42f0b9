import { describe, expect, it, vi } from 'vitest';
import { openAudioCache } from '../../src/audio/cache.js';
import { cachedPeaks } from '../../src/audio/cached-peaks.js';
import { decodeAudio } from '../../src/audio/decode.js';
import { durationOf, type Pcm } from '../../src/audio/pcm.js';
import { peaksOf } from '../../src/audio/peaks.js';
import { renderAudio } from '../../src/sandbox/audio/render.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { noise } from '../node/container-bytes.js';
import { mp3 } from '../storage/audio-bytes.js';
import { encodeWith, hasFfmpeg, sine, wavBytes } from './signals.js';

const RATE = 44_100;

function pcmOf(decoded: Awaited<ReturnType<typeof decodeAudio>>): Pcm {
  if (decoded.kind !== 'pcm') throw new Error(JSON.stringify(decoded));
  return decoded.pcm;
}

const rms = (samples: Float32Array) => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);

describe('WAV', () => {
  it.each([
    ['a sample that is no number', 8_000, Number.NaN],
    ['an infinite sample', 8_000, Number.POSITIVE_INFINITY],
    ['a rate of 1 Hz', 1, 0],
  ])('with %s is damaged', async (_what, sampleRate, last) => {
    const signal: Pcm = { sampleRate, channels: [Float32Array.from([0.5, 0.25, last])] };
    const file = wavBytes(signal, { bits: 32, coding: 3 });
    expect(await decodeAudio(file)).toEqual({ kind: 'damaged', format: 'WAV' });
  });

  it.each([
    ['u8', 8, 1],
    ['s16', 16, 1],
    ['s24', 24, 1],
    ['s32', 32, 1],
    ['f32', 32, 3],
    ['f64', 64, 3],
  ])('with %s samples is decoded without loss', async (_name, bits, coding) => {
    const signal: Pcm = {
      sampleRate: 8_000,
      channels: [sine(440, 0.5, 0.1, 8_000), sine(880, 0.25, 0.1, 8_000)],
    };
    const pcm = pcmOf(await decodeAudio(wavBytes(signal, { bits, coding })));
    expect(pcm.sampleRate).toBe(8_000);
    expect(pcm.channels).toHaveLength(2);
    for (const [index, channel] of pcm.channels.entries())
      for (const [at, sample] of channel.entries())
        expect(Math.abs(sample - signal.channels[index]![at]!)).toBeLessThan(bits === 8 ? 0.008 : 0.0001);
  });

  it('that ends too early is decoded as far as it goes', async () => {
    const whole = wavBytes({ sampleRate: 8_000, channels: [sine(440, 0.5, 1, 8_000)] });
    expect(durationOf(pcmOf(await decodeAudio(whole.subarray(0, 44 + 16_000))))).toBe(0.5);
  });
});

describe('a damaged MP3', () => {
  it('is decoded as far as it goes, and the library prints nothing', async () => {
    const printed = vi.spyOn(console, 'error').mockReturnValue();
    try {
      const damaged = Buffer.concat([mp3(20), noise(3_000)]);
      expect(durationOf(pcmOf(await decodeAudio(damaged)))).toBeGreaterThan(0.4);
      expect(printed).not.toHaveBeenCalled();
      console.error('as before');
      expect(printed).toHaveBeenCalledOnce();
    } finally {
      printed.mockRestore();
    }
  });
});

describe('the audio of the sandbox', () => {
  it.each(['wav', 'flac', 'm4a'] as const)('is decoded from %s without another program', async (format) => {
    const job = { prompt: 'Piano, 100 BPM', kind: 'music', durationSeconds: 3, seed: 's' } as const;
    const bytes = Buffer.concat([...renderAudio({ ...job, format }).chunks()]);
    const pcm = pcmOf(await decodeAudio(bytes));
    const plain = pcmOf(
      await decodeAudio(Buffer.concat([...renderAudio({ ...job, format: 'wav' }).chunks()])),
    );
    expect(pcm).toEqual(plain);
    expect(durationOf(pcm)).toBeCloseTo(3, 3);
  });
});

describe.skipIf(!hasFfmpeg)('what ffmpeg encodes (needs ffmpeg)', () => {
  const signal: Pcm = { sampleRate: RATE, channels: [sine(440, 0.5, 2, RATE), sine(660, 0.25, 2, RATE)] };

  it.each([
    ['MP3', 'mp3', ['-c:a', 'libmp3lame', '-b:a', '192k']],
    ['FLAC of 24 bits', 'flac', ['-c:a', 'flac', '-sample_fmt', 's32']],
    ['FLAC of 16 bits, compressed as far as it goes', 'flac', ['-c:a', 'flac', '-compression_level', '12']],
    ['FLAC of 16 bits, hardly compressed', 'flac', ['-c:a', 'flac', '-compression_level', '0']],
  ])('is decoded from %s', async (_name, container, words) => {
    const pcm = pcmOf(await decodeAudio(await encodeWith(signal, container, words)));
    expect(pcm.channels).toHaveLength(2);
    expect(Math.abs(durationOf(pcm) - 2)).toBeLessThan(0.06);
    expect(rms(pcm.channels[0]!.slice(4_410, -4_410))).toBeCloseTo(0.5 / Math.SQRT2, 1);
    expect(rms(pcm.channels[1]!.slice(4_410, -4_410))).toBeCloseTo(0.25 / Math.SQRT2, 1);
  });

  it('is not analysed from AAC without another program, and is with one', async () => {
    const bytes = await encodeWith(signal, 'ipod', ['-c:a', 'aac', '-b:a', '192k']);
    expect(await decodeAudio(bytes)).toEqual({ kind: 'unsupported', format: 'AAC in MP4' });
    expect(await decodeAudio(bytes, async () => wavBytes(signal))).toMatchObject({ kind: 'pcm' });
  });

  it('of one channel stays one channel', async () => {
    const mono = { sampleRate: RATE, channels: [signal.channels[0]!] };
    const mp3 = await encodeWith(mono, 'mp3', ['-c:a', 'libmp3lame']);
    expect(pcmOf(await decodeAudio(mp3)).channels).toHaveLength(1);
  });
});

describe('a file that is not audio', () => {
  it.each(['', 'RIFF', 'fLaC', 'OggS', 'ID3', 'hello, world', '\0\0\0\x20ftypM4A '])(
    'is not decoded, and causes no exception: %j',
    async (text) => {
      const decoded = await decodeAudio(Buffer.from(text, 'latin1'));
      expect(decoded.kind).not.toBe('pcm');
    },
  );
});

describe('peaks', () => {
  it('are the lowest and highest samples of each bucket, over all channels', () => {
    const left = Float32Array.from([0, 0.5, -0.25, 0, 1, 0]);
    const right = Float32Array.from([0, 0, 0, -1, 0, 0.125]);
    expect(peaksOf({ sampleRate: 2, channels: [left, right] }, 3)).toEqual({
      durationSeconds: 3,
      min: [0, -1, 0],
      max: [0.5, 0, 1],
    });
  });

  it('are at most as many as there are samples', () => {
    expect(peaksOf({ sampleRate: 1, channels: [new Float32Array(2)] }).min).toEqual([0, 0]);
  });
});

describe('cached peaks', () => {
  const SHA = 'c'.repeat(64);
  const random = { bytes: (count: number) => new Uint8Array(count).fill(3) };
  const sound = async () =>
    ({ kind: 'pcm', pcm: { sampleRate: 2, channels: [Float32Array.from([0.5, -0.5])] } }) as const;

  it('decode a file once, and keep what they found in the folder that Git ignores', async () => {
    const disk = createMemoryDisk({ '/a/album.lock.jsonl': '' });
    const cache = await openAudioCache(disk.files, random, '/a/album.lock.jsonl');
    const first = await cachedPeaks(cache, SHA, sound);
    const again = await cachedPeaks(cache, SHA, () => Promise.reject(new Error('decoded twice')));
    expect(again).toEqual(first);
    expect(first).toEqual({ durationSeconds: 1, min: [0.5, -0.5], max: [0.5, -0.5] });
    expect(Object.keys(disk.texts())).toContain(`/a/.venice-batch/audio/${SHA}.peaks-v1.json`);
    expect(disk.texts()['/a/.venice-batch/.gitignore']).toBe('*\n');
  });

  it('are computed again if the cache is damaged, and work without a cache if the disk is full', async () => {
    const disk = createMemoryDisk({ [`/a/.venice-batch/audio/${SHA}.peaks-v1.json`]: '{"min":[1' });
    disk.intercept(({ name }) => (name === 'write' ? 'ENOSPC' : undefined));
    const cache = await openAudioCache(disk.files, random, '/a/album.lock.jsonl');
    expect(await cachedPeaks(cache, SHA, sound)).toMatchObject({ min: [0.5, -0.5] });
  });
});
