import { durationOf, type Pcm } from './pcm.js';

/** Waveform outline over all channels: the lowest and highest sample of each equal time span, from -1 to 1. */
export interface Peaks {
  readonly durationSeconds: number;
  readonly min: readonly number[];
  readonly max: readonly number[];
}

const PEAK_BUCKETS = 800;

/** Three decimal places, finer than a screen shows. */
const STEPS = 1_000;

/** @param buckets at least 1; the result has fewer if there are fewer samples */
export function peaksOf(pcm: Pcm, buckets = PEAK_BUCKETS): Peaks {
  const total = pcm.channels[0]?.length ?? 0;
  const count = Math.min(buckets, total);
  const min: number[] = [];
  const max: number[] = [];
  for (let bucket = 0; bucket < count; bucket += 1) {
    const from = Math.floor((bucket * total) / count);
    const to = Math.floor(((bucket + 1) * total) / count);
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const channel of pcm.channels)
      for (let sample = from; sample < to; sample += 1) {
        const value = channel[sample]!;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    min.push(rounded(low));
    max.push(rounded(high));
  }
  return { durationSeconds: durationOf(pcm), min, max };
}

function rounded(value: number): number {
  return Math.round(Math.min(1, Math.max(-1, value)) * STEPS) / STEPS;
}
