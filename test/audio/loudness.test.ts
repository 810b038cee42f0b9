import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeAudio } from '../../src/audio/decode.js';
import { encodeFlac } from '../../src/audio/encode-flac.js';
import { encodeWav } from '../../src/audio/encode-wav.js';
import { blockEnergies, integratedLoudness } from '../../src/audio/loudness.js';
import type { Pcm } from '../../src/audio/pcm.js';
import { decibels, truePeak } from '../../src/audio/true-peak.js';
import { taggerFor } from '../../src/release/tags/tag-file.js';
import { ebur128, ffmpeg, hasFfmpeg } from '../release/ffmpeg.js';
import { sequence, sine, wavBytes } from './signals.js';

const RATE = 48_000;

async function decodedPcm(bytes: Uint8Array): Promise<Pcm> {
  const decoded = await decodeAudio(bytes);
  if (decoded.kind !== 'pcm') throw new Error(decoded.kind);
  return decoded.pcm;
}

const loudness = (pcm: Pcm) => integratedLoudness(blockEnergies(pcm));

/** Without the clicks of a hard start and end, to which each meter's filter responds differently. */
function faded(samples: Float32Array, edge = 4_800): Float32Array {
  return samples.map((sample, at) => sample * Math.min(1, at / edge, (samples.length - 1 - at) / edge));
}

/** Seeded noise through a one-pole filter: from white (1) to dull. */
function noise(seconds: number, rate: number, amplitude: number, opening: number, seed = 1): Float32Array {
  let state = seed;
  let held = 0;
  return Float32Array.from({ length: Math.round(seconds * rate) }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    held += opening * ((state / 2 ** 31 - 1) * amplitude - held);
    return held;
  });
}

const GENERATED: Readonly<Record<string, Pcm>> = {
  'a low tone': { sampleRate: RATE, channels: [sine(60, 0.7, 6, RATE), sine(60, 0.7, 6, RATE)] },
  'a high tone at 44.1 kHz': { sampleRate: 44_100, channels: [faded(sine(9_000, 0.9, 6, 44_100))] },
  'white noise': { sampleRate: RATE, channels: [noise(6, RATE, 0.5, 1), noise(6, RATE, 0.5, 1, 9)] },
  'dull noise at 44.1 kHz': {
    sampleRate: 44_100,
    channels: [noise(6, 44_100, 1, 0.05), noise(6, 44_100, 1, 0.02)],
  },
  'noise at 22.05 kHz': { sampleRate: 22_050, channels: [noise(6, 22_050, 0.4, 0.3)] },
  'a quiet part and a loud one': sequence([-40, 5], [-18, 5], [-70, 3]),
  'a swell': {
    sampleRate: RATE,
    channels: [
      sine(440, 0.8, 8, RATE).map((sample, at) => sample * Math.sin((Math.PI * at) / (8 * RATE)) ** 2),
    ],
  },
  'a tone between the samples': {
    sampleRate: RATE,
    channels: [faded(sine(12_000, 0.9, 4, RATE, Math.PI / 4))],
  },
};

describe.skipIf(!hasFfmpeg)('loudness and true peak compared with ffmpeg (needs ffmpeg)', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['pink', 'anoisesrc=color=pink:duration=12:seed=1:amplitude=0.4,volume=0.9', '48000', '2'],
    ['bursts', 'aevalsrc=0.8*sin(2*PI*997*t)*gt(mod(t\\,2)\\,1)|0.3*sin(2*PI*210*t):d=12', '44100', '2'],
    ['low rate', 'anoisesrc=color=brown:duration=9:seed=3:amplitude=0.7', '22050', '1'],
    ['sharp', 'aevalsrc=0.95*(2*gt(sin(2*PI*330*t)\\,0)-1):d=6', '48000', '1'],
    ['starts and ends within a wave', 'aevalsrc=0.9*cos(2*PI*8000*t)|0.9*cos(2*PI*440*t):d=4', '44100', '2'],
    ['offset', 'aevalsrc=0.5+0.01*sin(2*PI*440*t):d=2', '44100', '1'],
    ['176.4 kHz', 'anoisesrc=color=white:duration=2:seed=2:amplitude=0.5:r=176400', '176400', '1'],
  ])('agree within 0.1 LU and 0.2 dB: %s', async (name, source, rate, channels) => {
    const file = path.join(folder, `${name}.wav`);
    ffmpeg('-f', 'lavfi', '-i', source, '-ar', rate, '-ac', channels, file);
    const pcm = await decodedPcm(readFileSync(file));
    const theirs = ebur128(file);
    expect(Math.abs(loudness(pcm)! - theirs.loudness)).toBeLessThanOrEqual(0.1);
    expect(Math.abs(decibels(truePeak(pcm)) - theirs.truePeak)).toBeLessThanOrEqual(0.2);
  });

  it.each(Object.entries(GENERATED))('agree within 0.15 LU and 0.25 dB: %s', (name, pcm) => {
    const file = path.join(folder, `${name}.wav`);
    writeFileSync(file, wavBytes(pcm));
    const theirs = ebur128(file);
    // It prints one decimal, so half of that is rounding.
    expect(Math.abs(loudness(pcm)! - theirs.loudness)).toBeLessThan(0.1 + 0.05);
    expect(Math.abs(decibels(truePeak(pcm)) - theirs.truePeak)).toBeLessThan(0.2 + 0.05);
  });

  const tagged = taggerFor('audio/flac')!;
  const tags = { title: 'A', track: 1, tracks: 1, comment: '', aiMark: '', gains: [] };

  it.each([
    ['quad', 4],
    ['2.1', 3],
    ['5.1(side)', 6],
    ['7.1(wide)', 8],
  ])('agree within 0.1 LU for the layout %s, before and after a release', async (layout, count) => {
    // Each channel has its own level, so that a weight on the wrong channel shows.
    const tones = Array.from({ length: count }, (_, at) => `${0.05 + 0.1 * ((at * 5) % count)}*sin(6264*t)`);
    const place = (name: string) => path.join(folder, name);
    const source = ['-f', 'lavfi', '-i', `aevalsrc=${tones.join('|')}:d=0.6:s=16000:c=${layout}`];
    ffmpeg(...source, place('a.wav'), place('a.flac'));
    const pcm = await decodedPcm(readFileSync(place('a.wav')));
    const { channelMask: _mask, ...withoutMask } = pcm;
    writeFileSync(place('b.wav'), encodeWav(pcm, 16));
    writeFileSync(place('b.flac'), tagged(encodeFlac(pcm, 16), tags));
    writeFileSync(place('c.wav'), encodeWav(withoutMask, 16));
    for (const name of ['a.wav', 'a.flac', 'b.wav', 'b.flac', 'c.wav']) {
      const ours = loudness(await decodedPcm(readFileSync(place(name))))!;
      expect(Math.abs(ours - ebur128(place(name)).loudness), name).toBeLessThanOrEqual(0.1);
    }
  });
});
