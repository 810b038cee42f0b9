import { describe, expect, it } from 'vitest';
import { decodeAudio } from '../../src/audio/decode.js';
import { blockEnergies, integratedLoudness as gatedLoudness } from '../../src/audio/loudness.js';
import type { Pcm } from '../../src/audio/pcm.js';
import { truePeak } from '../../src/audio/true-peak.js';
import { analyse, measuresOf, wasUndecodable } from '../../src/qc/analysis.js';
import { type Expected, findingsOf } from '../../src/qc/findings.js';
import { measure } from '../../src/qc/measure.js';
import { sequence, sine, wavBytes } from '../audio/signals.js';

const RATE = 48_000;
const gain = (db: number) => 10 ** (db / 20);
const integratedLoudness = (pcm: Pcm) => gatedLoudness(blockEnergies(pcm));
const dbtp = (pcm: Pcm) => 20 * Math.log10(truePeak(pcm));

describe('integrated loudness, by the cases of EBU Tech 3341', () => {
  it.each([
    ['case 1: a sine at -23 dBFS', sequence([-23, 20]), -23],
    ['case 2: a sine at -33 dBFS', sequence([-33, 20]), -33],
    ['case 3: quieter parts around it are gated', sequence([-36, 10], [-23, 60], [-36, 10]), -23],
    ['case 4: so is near silence', sequence([-72, 10], [-36, 10], [-23, 60], [-36, 10], [-72, 10]), -23],
    ['case 5: parts of similar loudness all count', sequence([-26, 20], [-20, 20.1], [-26, 20]), -23],
  ])('%s', (_name, pcm, lufs) => {
    expect(Math.abs(integratedLoudness(pcm)! - lufs)).toBeLessThan(0.1);
  });

  it('case 6: five channels and one low-frequency channel', () => {
    const at = (level: number) => sine(1_000, gain(level), 20, RATE);
    const channels = [at(-28), at(-28), at(-24), at(0), at(-30), at(-30)];
    expect(Math.abs(integratedLoudness({ sampleRate: RATE, channels })! + 23)).toBeLessThan(0.1);
  });

  it('of one channel is 3 LU below that of two', () => {
    const channel = sine(1_000, gain(-20), 5, RATE);
    const mono = integratedLoudness({ sampleRate: RATE, channels: [channel] })!;
    const stereo = integratedLoudness({ sampleRate: RATE, channels: [channel, channel] })!;
    expect(stereo - mono).toBeCloseTo(3.01, 2);
  });

  it('is the same at every sample rate', () => {
    for (const rate of [22_050, 32_000, 44_100, 96_000])
      expect(
        Math.abs(
          integratedLoudness({
            sampleRate: rate,
            channels: Array(2).fill(sine(1_000, gain(-23), 5, rate)),
          })! + 23,
        ),
      ).toBeLessThan(0.1);
  });

  it('does not exist for silence or for less than 400 ms', () => {
    expect(integratedLoudness({ sampleRate: RATE, channels: [new Float32Array(RATE)] })).toBeUndefined();
    expect(
      integratedLoudness({ sampleRate: RATE, channels: [sine(1_000, gain(-100), 2, RATE)] }),
    ).toBeUndefined();
    expect(integratedLoudness({ sampleRate: RATE, channels: [sine(1_000, 1, 0.39, RATE)] })).toBeUndefined();
  });
});

describe('true peak, by the cases of EBU Tech 3341', () => {
  // Cases 15 to 19: tones at integer fractions of the sample rate, shifted so that no sample is at a peak.
  it.each([
    ['case 15', 4, 0, 0.5, -6],
    ['case 16', 4, 45, 0.5, -6],
    ['case 17', 6, 60, 0.5, -6],
    ['case 18', 8, 67.5, 0.5, -6],
    ['case 19', 4, 45, 1.41, 3],
  ])('%s', (_name, part, degrees, amplitude, expected) => {
    const channel = sine(RATE / part, amplitude, 1, RATE, (degrees * Math.PI) / 180);
    const faded = channel.map(
      (sample, at) => sample * Math.min(1, at / 4_800, (channel.length - at) / 4_800),
    );
    const error = dbtp({ sampleRate: RATE, channels: [faded] }) - expected;
    expect(error).toBeLessThan(0.2);
    expect(error).toBeGreaterThan(-0.4);
  });

  it('is 0 for silence', () => {
    expect(truePeak({ sampleRate: RATE, channels: [new Float32Array(100)] })).toBe(0);
  });

  it('is at least the highest sample', () => {
    const channel = Float32Array.from({ length: 999 }, (_, at) => ((at * 7919) % 1_000) / 500 - 1);
    expect(truePeak({ sampleRate: RATE, channels: [channel] })).toBeGreaterThanOrEqual(
      Math.max(...channel.map(Math.abs)),
    );
  });
});

describe('findings', () => {
  const tone = (seconds = 3, amplitude = 0.3) => sine(440, amplitude, seconds, 8_000);
  const codes = (channels: readonly Float32Array[], expected: Expected = {}) =>
    findingsOf(measure({ sampleRate: 8_000, channels }), expected).map(({ code }) => code);
  const joined = (...parts: readonly Float32Array[]) => Float32Array.from(parts.flatMap((part) => [...part]));
  const silence = (seconds: number) => new Float32Array(seconds * 8_000);

  it('are empty for sound that is as requested', () => {
    expect(codes([tone()], { durationSeconds: 3 })).toEqual([]);
    expect(codes([tone(), tone().map((sample) => sample * 0.5)], { durationSeconds: 4 })).toEqual([]);
  });

  it.each<[string, readonly Float32Array[], Expected, readonly string[]]>([
    ['silence', [silence(3)], {}, ['qc-silent']],
    ['near silence', [tone(3, 0.0005)], {}, ['qc-silent']],
    ['silence before', [joined(silence(2), tone())], {}, ['qc-silent-start']],
    ['silence after', [joined(tone(), silence(4))], {}, ['qc-silent-end']],
    ['clipping', [tone(3, 2).map((sample) => Math.max(-1, Math.min(1, sample)))], {}, ['qc-clipped']],
    ['a DC offset', [tone().map((sample) => sample + 0.1)], {}, ['qc-dc-offset']],
    ['a file that is too short', [tone(3)], { durationSeconds: 10 }, ['qc-length']],
    ['a file that is too long', [tone(10)], { durationSeconds: 3 }, ['qc-length']],
    ['a silent channel', [tone(), silence(3)], {}, ['qc-channel-silent']],
    ['an inverted channel', [tone(), tone().map((sample) => -sample)], {}, ['qc-phase']],
    ['very quiet sound', [tone(3, 0.004)], {}, ['qc-quiet']],
  ])('include %s', (_what, channels, expected, found) => {
    expect(codes(channels, expected)).toEqual(found);
  });

  it('do not call a file of two samples silent', () => {
    expect(codes([tone(2 / 8_000, 0.5).map((_, at) => 0.4 - 0.8 * at)])).toEqual([]);
  });

  it.each([1, -1])('include clipping of 8-bit samples at %i', async (side) => {
    const clipped = tone(1, 0.9).map((sample) => side * Math.min(0.5, sample) * 2);
    const oneSided = clipped.map((sample) =>
      Math.max(side === 1 ? -0.5 : -1, Math.min(side === 1 ? 1 : 0.5, sample)),
    );
    const bytes = wavBytes({ sampleRate: 8_000, channels: [oneSided] }, { bits: 8, coding: 1 });
    const decoded = await decodeAudio(bytes);
    if (decoded.kind !== 'pcm') throw new Error(decoded.kind);
    expect(measure(decoded.pcm).clippedRuns).toBeGreaterThan(400);
  });

  it('accept a silent low-frequency channel', () => {
    const channels = [tone(), tone(), tone(), silence(3), tone(), tone()];
    expect(measure({ sampleRate: 8_000, channels }).silentChannels).toEqual([]);
    expect(measure({ sampleRate: 8_000, channels, channelMask: 0x13f ^ 0x8 }).silentChannels).toEqual([4]);
  });

  it('include a seam only for a requested loop', () => {
    const whole = sine(440, 0.3, 2, 8_000);
    expect(codes([whole], { loop: true })).toEqual([]);
    const cut = whole.slice(0, -5);
    expect(codes([cut])).toEqual([]);
    expect(codes([cut], { loop: true })).toEqual(['qc-loop-seam']);
    const fading = whole.map((sample, at) => sample * (1 - at / whole.length) ** 2);
    expect(codes([fading], { loop: true })).toEqual(['qc-loop-seam']);
  });

  it('include the measured value', () => {
    const of = measure({ sampleRate: 8_000, channels: [joined(silence(2), tone())] });
    expect(findingsOf(of, { durationSeconds: 30 }).map(({ message }) => message)).toEqual([
      'it starts with 2 s of silence',
      'it lasts 5 s instead of 30 s',
    ]);
  });
});

describe('a file without measurements', () => {
  const SHA = 'd'.repeat(64);
  const cacheInMemory = () => {
    const entries = new Map<string, unknown>();
    return {
      read: async (kind: string, sha256: string) => entries.get(`${sha256} ${kind}`),
      write: async (kind: string, sha256: string, value: unknown) => {
        entries.set(`${sha256} ${kind}`, value);
      },
    };
  };

  it('is remembered as undecodable, but is decoded again when asked: a decoder may have been installed', async () => {
    const cache = cacheInMemory();
    const noise = new TextEncoder().encode('OggS and nothing else');
    expect(await measuresOf(cache, SHA, () => analyse(noise))).toBeUndefined();
    expect(await wasUndecodable(cache, SHA)).toBe(true);
    const wav = wavBytes({ sampleRate: RATE, channels: [sine(1_000, 0.1, 1, RATE)] });
    expect(await measuresOf(cache, SHA, () => analyse(wav))).toMatchObject({ durationSeconds: 1 });
  });

  it('is not called undecodable if the analysis was only stopped', async () => {
    const cache = cacheInMemory();
    const stopped = async () => ({ kind: 'not-analysed', format: 'this file' }) as const;
    expect(await measuresOf(cache, SHA, stopped)).toBeUndefined();
    expect(await wasUndecodable(cache, SHA)).toBe(false);
  });
});
