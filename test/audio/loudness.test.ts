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

function tone(
  decibel: number,
  { hertz = 1_000, seconds = 20, sampleRate = 48_000, channels = 2, phase = 0 } = {},
): Pcm {
  const level = 10 ** (decibel / 20);
  const samples = Float32Array.from(
    { length: seconds * sampleRate },
    (_, at) => level * Math.sin((2 * Math.PI * hertz * at) / sampleRate + phase),
  );
  return { sampleRate, channels: Array.from({ length: channels }, () => samples) };
}

function joined(...parts: readonly Pcm[]): Pcm {
  const [first] = parts;
  const channels = first!.channels.map((_, index) =>
    Float32Array.from(parts.flatMap(({ channels: of }) => [...of[index]!])),
  );
  return { sampleRate: first!.sampleRate, channels };
}

async function decodedPcm(bytes: Uint8Array): Promise<Pcm> {
  const decoded = await decodeAudio(bytes);
  if (decoded.kind !== 'pcm') throw new Error(decoded.kind);
  return decoded.pcm;
}

const loudness = (pcm: Pcm) => integratedLoudness(blockEnergies(pcm));

describe('integrated loudness', () => {
  // EBU Tech 3341, test signals 1 to 4 (shortened), each within 0.1 LU.
  it.each([
    ['a tone at -23 dBFS', tone(-23), -23],
    ['a tone at -33 dBFS', tone(-33), -33],
    ['a tone at 44.1 kHz', tone(-23, { sampleRate: 44_100 }), -23],
    ['quiet, loud, quiet', joined(tone(-36, { seconds: 5 }), tone(-23), tone(-36, { seconds: 5 })), -23],
    [
      'almost silent parts',
      joined(
        tone(-72, { seconds: 5 }),
        tone(-36, { seconds: 5 }),
        tone(-23, { seconds: 30 }),
        tone(-72, { seconds: 5 }),
      ),
      -23,
    ],
    ['one channel', tone(-20, { channels: 1 }), -23],
  ])('%s', (_name, pcm, expected) => {
    expect(Math.abs(loudness(pcm)! - expected)).toBeLessThan(0.1);
  });

  it('is unknown for silence, and for less than a block', () => {
    expect(loudness(tone(-100))).toBeUndefined();
    expect(loudness({ sampleRate: 48_000, channels: [new Float32Array(48_000)] })).toBeUndefined();
    expect(loudness(tone(-20, { seconds: 0.3 }))).toBeUndefined();
  });
});

describe('true peak', () => {
  it('is found between the samples', () => {
    // At a quarter of the rate, half a sample off, no sample is at a peak. It fades in, to start without a click.
    const sharp = tone(-6, { hertz: 12_000, phase: Math.PI / 4, seconds: 1 });
    const pcm = {
      ...sharp,
      channels: sharp.channels.map((all) => all.map((one, at) => one * Math.min(1, at / 1_000))),
    };
    expect(Math.max(...pcm.channels[0]!)).toBeCloseTo(10 ** (-9.01 / 20), 3);
    expect(decibels(truePeak(pcm))).toBeGreaterThan(-6.2);
    expect(decibels(truePeak(pcm))).toBeLessThan(-5.8);
  });

  it('is 0 for silence', () => {
    expect(truePeak({ sampleRate: 48_000, channels: [new Float32Array(100)] })).toBe(0);
  });
});

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
