import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { limit } from '../../src/audio/limiter.js';
import type { Pcm } from '../../src/audio/pcm.js';
import { decibels, truePeak } from '../../src/audio/true-peak.js';
import { ebur128, hasFfmpeg } from '../release/ffmpeg.js';
import { sine, wavBytes } from './signals.js';

const RATE = 48_000;

/** A quiet tone with short louder parts: the usual case for a limiter. */
function withBursts(level: number, { seconds = 3, every = 0.5, sampleRate = RATE } = {}): Pcm {
  const base = sine(220, 0.2, seconds, sampleRate);
  const loud = sine(1_900, level, seconds, sampleRate, 0.7);
  const samples = base.map((sample, at) => {
    const inPeriod = (at / sampleRate) % every;
    return sample + (inPeriod < 0.02 ? loud[at]! * Math.sin((Math.PI * inPeriod) / 0.02) : 0);
  });
  return { sampleRate, channels: [samples, samples.map((sample) => sample * 0.5)] };
}

describe('the limiter', () => {
  it('does not change samples below the ceiling', () => {
    const pcm = withBursts(0.3);
    expect(limit(pcm, 0.9)).toEqual({ pcm, reductionDb: 0 });
  });

  it.each([44_100, 48_000, 96_000])('keeps the true peak under the ceiling at %i Hz', (sampleRate) => {
    const limited = limit(withBursts(1.2, { sampleRate }), 0.5);
    expect(decibels(truePeak(limited.pcm)) - decibels(0.5)).toBeLessThan(0.1);
    expect(limited.reductionDb).toBeGreaterThan(decibels(1.2 / 0.5));
    expect(limited.reductionDb).toBeLessThan(decibels(1.5 / 0.5));
  });

  it('changes only the surroundings of a peak, and all channels equally', () => {
    const pcm = withBursts(1.2);
    const { channels } = limit(pcm, 0.5).pcm;
    // Long after one burst, and before the next.
    for (let at = Math.round(0.48 * RATE); at < 0.49 * RATE; at += 1)
      expect(channels[0]![at]! / pcm.channels[0]![at]!).toBeGreaterThan(0.99);
    const ratio = (at: number, channel: number) => channels[channel]![at]! / pcm.channels[channel]![at]!;
    for (let at = 0; at < RATE; at += 97)
      if (Math.abs(pcm.channels[0]![at]!) > 0.01) expect(ratio(at, 0)).toBeCloseTo(ratio(at, 1), 5);
  });

  it('changes the gain smoothly', () => {
    const pcm = withBursts(1.2);
    const steady = {
      sampleRate: RATE,
      channels: [pcm.channels[0]!, new Float32Array(pcm.channels[0]!.length).fill(0.1)],
    };
    const gains = limit(steady, 0.5).pcm.channels[1]!.map((sample) => sample / 0.1);
    let steepest = 0;
    for (let at = 1; at < gains.length; at += 1)
      steepest = Math.max(steepest, Math.abs(gains[at]! - gains[at - 1]!));
    expect(steepest).toBeLessThan(0.01);
  });

  it('keeps the ceiling for any samples and never makes them louder', () =>
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: 1, maxLength: 400 }),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        (samples, ceiling) => {
          const channel = Float32Array.from(samples);
          const [limited] = limit({ sampleRate: 8_000, channels: [channel] }, ceiling).pcm.channels;
          for (const [at, sample] of limited!.entries()) {
            expect(Math.abs(sample)).toBeLessThanOrEqual(ceiling * 1.000001);
            expect(Math.abs(sample)).toBeLessThanOrEqual(Math.abs(channel[at]!));
          }
        },
      ),
    ));

  describe.skipIf(!hasFfmpeg)('measured by ffmpeg (needs ffmpeg)', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-limiter-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it.each([-1, -3, -6])('stays under %i dBTP', (ceilingDb) => {
      const file = path.join(folder, 'limited.wav');
      writeFileSync(file, wavBytes(limit(withBursts(1.3), 10 ** (ceilingDb / 20)).pcm));
      expect(ebur128(file).truePeak).toBeLessThanOrEqual(ceilingDb + 0.2);
    });
  });
});
