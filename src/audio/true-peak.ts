import type { Pcm } from './pcm.js';

/*
 * The highest level between samples, as a player's converter reproduces it: four times oversampled (BS.1770-4, Annex
 * 2).
 */

const FACTOR = 4;
/** Samples used on each side of an interpolated point. */
const REACH = 16;
/** Samples skipped together if nothing near them can reach the peak. */
const STRIDE = 32;

/** Window parameter. With it, results agree with most meters, including ffmpeg's. */
const KAISER_BETA = 8;

/** Filter taps for each point between two samples: a sinc with a Kaiser window. */
const PHASES: readonly Float64Array[] = Array.from({ length: FACTOR - 1 }, (_, at) => {
  const place = (at + 1) / FACTOR;
  const taps = Float64Array.from({ length: 2 * REACH }, (__, tap) => {
    const distance = tap - REACH + 1 - place;
    const edge = Math.min(1, Math.abs(distance) / REACH);
    const window = bessel(KAISER_BETA * Math.sqrt(1 - edge * edge)) / bessel(KAISER_BETA);
    return (Math.sin(Math.PI * distance) / (Math.PI * distance)) * window;
  });
  // Normalised, so that a constant stays the same.
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
});

/** The modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let index = 1; term > sum * 1e-12; index += 1) {
    term *= (x / (2 * index)) ** 2;
    sum += term;
  }
  return sum;
}

/** No point between samples exceeds this multiple of the highest sample near it. */
const GROWTH = Math.max(...PHASES.map((taps) => taps.reduce((sum, tap) => sum + Math.abs(tap), 0)));

/** Full scale is 1. Returns 0 for silence. */
export function truePeak({ channels, sampleRate }: Pcm): number {
  // At rates this far above the audible range, the samples are close enough together.
  if (sampleRate >= 192_000)
    return channels.reduce((peak, samples) => Math.max(peak, samplePeak(samples)), 0);
  return channels.reduce((peak, samples) => Math.max(peak, channelPeak(samples, peak)), 0);
}

function samplePeak(samples: Float32Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak;
}

function channelPeak(samples: Float32Array, before: number): number {
  let peak = Math.max(before, samplePeak(samples));
  for (const { height } of crests(samples, () => peak)) peak = height;
  return peak;
}

/** A point above the given level: at the sample `at`, or between it and the next. */
export interface Crest {
  readonly at: number;
  readonly height: number;
}

/**
 * Every point above a level, in order. Points between samples come with the samples on either side. As in ffmpeg, the
 * edges of the file are no peaks: silence around it would give one to audio that starts or ends in the middle of a wave,
 * such as a loop.
 *
 * @param level called again for each point
 */
export function* crests(samples: Float32Array, level: () => number): Generator<Crest> {
  const strides = Math.ceil(samples.length / STRIDE);
  const highest = Float64Array.from({ length: strides }, (_, at) =>
    samplePeak(samples.subarray(at * STRIDE, (at + 1) * STRIDE)),
  );
  for (let stride = 0; stride < strides; stride += 1) {
    const near = Math.max(highest[stride - 1] ?? 0, highest[stride]!, highest[stride + 1] ?? 0);
    if (near * GROWTH <= level()) continue;
    const end = Math.min(samples.length, (stride + 1) * STRIDE);
    for (let at = stride * STRIDE; at < end; at += 1) {
      const own = Math.abs(samples[at]!);
      if (own > level()) yield { at, height: own };
      if (at + REACH >= samples.length) continue;
      for (const taps of PHASES) {
        const height = Math.abs(between(samples, at, taps));
        if (height > level()) yield { at, height };
      }
    }
  }
}

/** Before the start the audio is mirrored. */
function between(samples: Float32Array, at: number, taps: Float64Array): number {
  let sum = 0;
  const from = at - REACH + 1;
  for (let tap = 0; tap < taps.length; tap += 1) sum += samples[Math.abs(from + tap)]! * taps[tap]!;
  return sum;
}

/** A level in dB; minus infinity for silence. */
export function decibels(level: number): number {
  return 20 * Math.log10(level);
}
