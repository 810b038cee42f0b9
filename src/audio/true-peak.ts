import type { Pcm } from './pcm.js';

/*
 * The highest level between the samples, as a player's converter makes it: four times oversampled (BS.1770-4, Annex 2).
 */

const FACTOR = 4;
/** On each side of the place between samples that is looked at. */
const REACH = 16;
/** Samples that are passed over together where nothing near them can come up to the peak. */
const STRIDE = 32;

/** For each place between two samples, what each sample around it counts: a sinc under a Hann window. */
const PHASES: readonly Float64Array[] = Array.from({ length: FACTOR - 1 }, (_, at) => {
  const place = (at + 1) / FACTOR;
  const taps = Float64Array.from({ length: 2 * REACH }, (__, tap) => {
    const x = Math.PI * (tap - REACH + 1 - place);
    const window = 0.5 * (1 + Math.cos(x / (REACH + 0.5)));
    return (Math.sin(x) / x) * window;
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
});

/** No place between samples is higher than this times the highest sample near it. */
const GROWTH = Math.max(...PHASES.map((taps) => taps.reduce((sum, tap) => sum + Math.abs(tap), 0)));

/** Full scale is 1. 0 for silence. */
export function truePeak({ channels, sampleRate }: Pcm): number {
  // So far above what is heard, samples stand close enough.
  if (sampleRate >= 176_400)
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
  const strides = Math.ceil(samples.length / STRIDE);
  const highest = Float64Array.from({ length: strides }, (_, at) =>
    samplePeak(samples.subarray(at * STRIDE, (at + 1) * STRIDE)),
  );
  for (let stride = 0; stride < strides; stride += 1) {
    const near = Math.max(highest[stride - 1] ?? 0, highest[stride]!, highest[stride + 1] ?? 0);
    if (near * GROWTH <= peak) continue;
    const end = Math.min(samples.length, (stride + 1) * STRIDE);
    for (let at = stride * STRIDE; at < end; at += 1)
      for (const taps of PHASES) peak = Math.max(peak, Math.abs(between(samples, at, taps)));
  }
  return peak;
}

/** What is outside is silence. */
function between(samples: Float32Array, at: number, taps: Float64Array): number {
  let sum = 0;
  const from = at - REACH + 1;
  for (let tap = 0; tap < taps.length; tap += 1) sum += (samples[from + tap] ?? 0) * taps[tap]!;
  return sum;
}

/** Of a level; minus infinity for silence. */
export function decibels(level: number): number {
  return 20 * Math.log10(level);
}
