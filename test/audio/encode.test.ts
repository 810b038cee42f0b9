import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeAudio } from '../../src/audio/decode.js';
import { encodeFlac } from '../../src/audio/encode-flac.js';
import { encodeWav } from '../../src/audio/encode-wav.js';
import type { Pcm } from '../../src/audio/pcm.js';
import { sampleBitsOf } from '../../src/audio/sample-bits.js';
import { inspectMedia } from '../../src/storage/inspect-media.js';
import { ffmpeg, hasFfmpeg } from '../release/ffmpeg.js';

async function decoded(bytes: Uint8Array): Promise<Pcm> {
  const result = await decodeAudio(bytes);
  if (result.kind !== 'pcm') throw new Error(`${result.kind}: ${result.format}`);
  return result.pcm;
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Samples that a file of this bit depth stores exactly. */
function held(bits: 16 | 24, values: readonly number[]): Float32Array {
  const scale = 2 ** (bits - 1);
  return Float32Array.from(
    values,
    (value) => Math.max(-scale, Math.min(scale - 1, Math.round(value * scale) + 0)) / scale,
  );
}

/** Audio of every kind and length: silence, noise, tones, full-scale steps. */
const AUDIO = fc
  .record({
    bits: fc.constantFrom(16 as const, 24 as const),
    sampleRate: fc.constantFrom(8_000, 22_050, 44_100, 48_000, 96_000),
    channels: fc.integer({ min: 1, max: 3 }),
    length: fc.constantFrom(1, 2, 3, 5, 64, 4_095, 4_096, 4_097, 9_000),
    kind: fc.constantFrom('silence', 'noise', 'tone', 'steps', 'quiet'),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
  })
  .map(({ bits, sampleRate, channels, length, kind, seed }) => {
    let state = seed;
    const chance = () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state / 2 ** 30 - 1;
    };
    const at = (index: number, channel: number) => {
      if (kind === 'silence') return 0;
      if (kind === 'noise') return chance();
      if (kind === 'quiet') return chance() / 3_000;
      if (kind === 'steps') return Math.floor(index / 7) % 2 === 0 ? 1 : -1;
      return 0.8 * Math.sin(index / (9 + channel));
    };
    const pcm: Pcm = {
      sampleRate,
      // 2.1 and 3.0: in FLAC, only the second is the default.
      ...(channels === 3 ? { channelMask: seed % 2 === 0 ? 0xb : 0x7 } : {}),
      channels: Array.from({ length: channels }, (_, channel) =>
        held(
          bits,
          Array.from({ length }, (__, index) => at(index, channel)),
        ),
      ),
    };
    return { bits, pcm };
  });

describe('losslessly encoded audio', () => {
  it('decodes from FLAC to the same samples', async () => {
    await fc.assert(
      fc.asyncProperty(AUDIO, async ({ bits, pcm }) => {
        const bytes = encodeFlac(pcm, bits);
        expect(await decoded(bytes)).toEqual(pcm);
        expect(sampleBitsOf(bytes)).toBe(bits);
      }),
      { numRuns: 150 },
    );
  });

  it('decodes from WAV to the same samples', async () => {
    await fc.assert(
      fc.asyncProperty(AUDIO, async ({ bits, pcm }) => {
        for (const how of [bits, 'float'] as const) {
          const bytes = encodeWav(pcm, how);
          expect(await decoded(bytes)).toEqual(pcm);
          expect(sampleBitsOf(bytes)).toBe(how);
          const finding = await inspectMedia(() => piecesOf(bytes), bytes.length);
          expect(finding).toMatchObject({ kind: 'whole', mediaType: 'audio/wav' });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is clipped at full scale', async () => {
    const loud: Pcm = { sampleRate: 48_000, channels: [Float32Array.of(1.5, -1.5, 0.25)] };
    for (const bytes of [encodeWav(loud, 16), encodeFlac(loud, 16)]) {
      const [samples] = (await decoded(bytes)).channels;
      expect([...samples!]).toEqual([32_767 / 32_768, -1, 0.25]);
    }
  });
});

describe('FLAC files', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are smaller than WAV and pass every checksum test of ffmpeg', () => {
    const seconds = 3;
    const samples = (phase: number) =>
      Float32Array.from(
        { length: seconds * 48_000 },
        (_, at) => 0.5 * Math.sin(at / 40 + phase) * Math.sin(at / 9_000),
      );
    const pcm: Pcm = { sampleRate: 48_000, channels: [samples(0), samples(0.1)] };
    for (const bits of [16, 24] as const) {
      const [flac, wav] = [encodeFlac(pcm, bits), encodeWav(pcm, bits)];
      expect(flac.length).toBeLessThan(0.7 * wav.length);
      if (!hasFfmpeg) continue;
      const files = [path.join(folder, 'a.flac'), path.join(folder, 'a.wav')] as const;
      writeFileSync(files[0], flac);
      writeFileSync(files[1], wav);
      const [one, other] = files.map((file) =>
        ffmpeg('-err_detect', 'crccheck+explode', '-i', file, '-c:a', `pcm_s${bits}le`, '-f', 'md5', '-'),
      );
      expect(one).toBe(other);
    }
  });
});
