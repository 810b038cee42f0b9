import { channelKinds } from '../audio/layout.js';
import { blockEnergies, integratedLoudness } from '../audio/loudness.js';
import { durationOf, type Pcm } from '../audio/pcm.js';
import { decibels, truePeak } from '../audio/true-peak.js';
import { type Seam, seamOf } from './seam.js';

/** Measurements of a file that do not depend on the request. */
export interface Measures {
  readonly durationSeconds: number;
  readonly sampleRate: number;
  readonly channels: number;
  /** EBU R128 integrated loudness; `null` if shorter than 400 ms or nearly silent. */
  readonly loudnessLufs: number | null;
  /** Four times oversampled; `null` if all samples are 0. */
  readonly truePeakDbtp: number | null;
  /** Time in which nothing exceeds -60 dBFS. */
  readonly silentStartSeconds: number;
  readonly silentEndSeconds: number;
  /** Runs of three or more samples at full scale. */
  readonly clippedRuns: number;
  /** The highest mean of a channel, as a fraction of full scale. */
  readonly dcOffset: number;
  /**
   * For stereo: 1 if the channels are identical, -1 if one is the other inverted; `null` for other channel counts, and
   * silence.
   */
  readonly correlation: number | null;
  /** Silent channels, counted from 1, if others are not silent. A low-frequency channel may be silent. */
  readonly silentChannels: readonly number[];
  /** How well the end would loop into the start. */
  readonly seam: Seam;
}

/** -60 dBFS. Quieter audio at the start or end counts as silence. */
const SILENCE = 10 ** (-60 / 20);
const CLIP_SAMPLES_MIN = 3;

export function measure(pcm: Pcm): Measures {
  const { channels, sampleRate } = pcm;
  const [start, end] = soundOf(channels);
  const peaks = channels.map(peakOf);
  const kinds = channelKinds(pcm);
  const peak = truePeak(pcm);
  const total = channels[0]?.length ?? 0;
  return {
    durationSeconds: rounded(durationOf(pcm), 6),
    sampleRate,
    channels: channels.length,
    loudnessLufs: orNull(integratedLoudness(blockEnergies(pcm)), 2),
    truePeakDbtp: peak === 0 ? null : rounded(decibels(peak), 2),
    silentStartSeconds: rounded(start / sampleRate, 6),
    silentEndSeconds: rounded((total - end) / sampleRate, 6),
    clippedRuns: channels.reduce((sum, channel) => sum + clippedRuns(channel, clipLevel(pcm)), 0),
    dcOffset: rounded(Math.max(...channels.map((channel) => Math.abs(meanOf(channel)))), 5),
    correlation: channels.length === 2 ? orNull(correlationOf(channels[0]!, channels[1]!), 3) : null,
    silentChannels: peaks.some((one) => one >= SILENCE)
      ? peaks.flatMap((one, index) => (one < SILENCE && kinds[index] !== 'low-frequency' ? [index + 1] : []))
      : [],
    seam: seamOf(pcm),
  };
}

function orNull(value: number | undefined, digits: number): number | null {
  return value === undefined ? null : rounded(value, digits);
}

function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

/**
 * The first audible sample in any channel, and the one after the last. If all is silent, everything counts as the
 * start.
 */
function soundOf(channels: readonly Float32Array[]): readonly [number, number] {
  const total = channels[0]?.length ?? 0;
  const isSound = (at: number) => channels.some((channel) => Math.abs(channel[at]!) >= SILENCE);
  let start = 0;
  while (start < total && !isSound(start)) start += 1;
  let end = total;
  while (end > start && !isSound(end - 1)) end -= 1;
  return start === total ? [total, total] : [start, end];
}

function peakOf(channel: Float32Array): number {
  let peak = 0;
  for (const sample of channel) if (Math.abs(sample) > peak) peak = Math.abs(sample);
  return peak;
}

function meanOf(channel: Float32Array): number {
  let sum = 0;
  for (const sample of channel) sum += sample;
  return channel.length === 0 ? 0 : sum / channel.length;
}

/** Full scale, allowing for rounding. Audio of more than 16 bits may have been converted from 16. */
function clipLevel({ bits = 16 }: Pcm): number {
  return 1 - 1.5 / 2 ** (bits - 1);
}

function clippedRuns(channel: Float32Array, level: number): number {
  let [runs, length] = [0, 0];
  for (const sample of channel) {
    length = Math.abs(sample) >= level ? length + 1 : 0;
    if (length === CLIP_SAMPLES_MIN) runs += 1;
  }
  return runs;
}

function correlationOf(left: Float32Array, right: Float32Array): number | undefined {
  let [both, ofLeft, ofRight] = [0, 0, 0];
  for (let at = 0; at < left.length; at += 1) {
    const [a, b] = [left[at]!, right[at]!];
    both += a * b;
    ofLeft += a * a;
    ofRight += b * b;
  }
  return ofLeft === 0 || ofRight === 0 ? undefined : both / Math.sqrt(ofLeft * ofRight);
}
