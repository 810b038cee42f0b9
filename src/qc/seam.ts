import type { Pcm } from '../audio/pcm.js';

/** What is heard if the end of a file is followed by its start. */
export interface Seam {
  /** The step from the last sample to the first, beyond the steps around it, as a fraction of full scale. */
  readonly step: number;
  /** How much louder the start is than the end, in dB; `null` if one of them is silent. */
  readonly levelDb: number | null;
}

const EDGE_SECONDS = 0.1;
const FLOOR = 1e-4;

export function seamOf({ channels, sampleRate }: Pcm): Seam {
  const total = channels[0]?.length ?? 0;
  const edge = Math.max(1, Math.min(Math.floor(EDGE_SECONDS * sampleRate), Math.floor(total / 2)));
  let step = 0;
  for (const channel of channels) {
    const usual = Math.max(largestStep(channel, 0, edge), largestStep(channel, total - edge, total));
    const across = Math.abs((channel[0] ?? 0) - (channel[total - 1] ?? 0));
    step = Math.max(step, across - usual);
  }
  const [start, end] = [rms(channels, 0, edge), rms(channels, total - edge, total)];
  const isQuiet = start < FLOOR || end < FLOOR;
  const levelDb = isQuiet ? null : Math.round(200 * Math.log10(start / end)) / 10;
  return { step: Math.round(step * 10_000) / 10_000, levelDb };
}

function largestStep(channel: Float32Array, from: number, to: number): number {
  let largest = 0;
  for (let at = from + 1; at < to; at += 1)
    largest = Math.max(largest, Math.abs(channel[at]! - channel[at - 1]!));
  return largest;
}

function rms(channels: readonly Float32Array[], from: number, to: number): number {
  let sum = 0;
  for (const channel of channels) for (let at = from; at < to; at += 1) sum += channel[at]! ** 2;
  return Math.sqrt(sum / Math.max(1, channels.length * (to - from)));
}
