import type { Pcm } from '../audio/pcm.js';

/*
 * The true peak as in ITU-R BS.1770-4, annex 2: the highest value between the samples too, found by four times as many. The
 * interpolation is a windowed sinc, longer than the one of the annex; it lets through what most meters do, ffmpeg's among them.
 */

const FACTOR = 4;
const HALF_TAPS = 16;
const KAISER_BETA = 9;
/** Of half the sample rate. */
const CUTOFF = 0.97;
/** Samples looked at together: where none of them can lead to a new peak they are passed over. */
const STRIDE = 64;

/** As a factor of full scale: 1 is 0 dBTP. */
export function truePeak({ channels }: Pcm): number {
  let peak = 0;
  for (const channel of channels) peak = peakOf(channel, peak);
  return peak;
}

function peakOf(channel: Float32Array, known: number): number {
  let peak = known;
  for (const sample of channel) peak = Math.max(peak, Math.abs(sample));
  for (let from = 0; from < channel.length; from += STRIDE) {
    const to = Math.min(from + STRIDE, channel.length);
    if (highest(channel, from - HALF_TAPS, to + HALF_TAPS) * GAIN_MAX <= peak) continue;
    for (let at = from; at < to; at += 1)
      for (const phase of PHASES) peak = Math.max(peak, Math.abs(between(channel, at, phase)));
  }
  return peak;
}

function highest(channel: Float32Array, from: number, to: number): number {
  let high = 0;
  for (let at = Math.max(0, from); at < Math.min(to, channel.length); at += 1) {
    const value = Math.abs(channel[at]!);
    if (value > high) high = value;
  }
  return high;
}

/** The value a part of a sample after the one at `at`. */
function between(channel: Float32Array, at: number, phase: Float64Array): number {
  let sum = 0;
  const first = at - HALF_TAPS + 1;
  for (let tap = 0; tap < phase.length; tap += 1) sum += (channel[first + tap] ?? 0) * phase[tap]!;
  return sum;
}

const PHASES: readonly Float64Array[] = [1, 2, 3].map((part) => phaseOf(part / FACTOR));

/** More than that much above the samples around it no value between them can be. */
const GAIN_MAX = Math.max(...PHASES.map((phase) => phase.reduce((sum, tap) => sum + Math.abs(tap), 0)));

function phaseOf(part: number): Float64Array {
  const taps = Float64Array.from({ length: 2 * HALF_TAPS }, (_, tap) => {
    const distance = tap - HALF_TAPS + 1 - part;
    const edge = distance / HALF_TAPS;
    const window =
      Math.abs(edge) >= 1 ? 0 : bessel(KAISER_BETA * Math.sqrt(1 - edge * edge)) / bessel(KAISER_BETA);
    return (Math.sin(Math.PI * CUTOFF * distance) / (Math.PI * distance)) * window;
  });
  // A constant stays what it is.
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/** The modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let index = 1; term > sum * 1e-12; index += 1) {
    term *= (x / (2 * index)) ** 2;
    sum += term;
  }
  return sum;
}
