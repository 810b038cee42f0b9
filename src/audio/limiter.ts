import type { Pcm } from './pcm.js';
import { crests, decibels } from './true-peak.js';

/*
 * A look-ahead limiter: turns all channels down equally around each peak above a ceiling, and leaves the rest
 * unchanged. The gain falls before the peak and rises after it, both without a step. `release/prepare-audio.ts` decides
 * how much it may reduce.
 */

/** How long the gain takes to fall, and at least takes to rise. */
const ATTACK_SECONDS = 0.004;
/** After a peak, the gain recovers 63 % of the missing amount in this time. */
const RELEASE_SECONDS = 0.06;

export interface Limited {
  readonly pcm: Pcm;
  /** The largest reduction in dB; 0 if nothing is above the ceiling. */
  readonly reductionDb: number;
}

/** @param ceiling the highest true peak allowed, as a factor of full scale */
export function limit(pcm: Pcm, ceiling: number): Limited {
  const { channels, sampleRate } = pcm;
  const needed = neededGains(pcm, ceiling);
  if (needed === undefined) return { pcm, reductionDb: 0 };
  const reach = Math.max(1, Math.round(ATTACK_SECONDS * sampleRate));
  const gains = smoothed(released(lowestAround(needed, reach), RELEASE_SECONDS * sampleRate), reach);
  return {
    pcm: { ...pcm, channels: channels.map((samples) => samples.map((sample, at) => sample * gains[at]!)) },
    reductionDb: -decibels(gains.reduce((lowest, gain) => Math.min(lowest, gain), 1)),
  };
}

/** The highest gain allowed for each sample; `undefined` if nothing is above the ceiling. */
function neededGains({ channels }: Pcm, ceiling: number): Float64Array | undefined {
  const gains = new Float64Array(channels[0]?.length ?? 0).fill(1);
  let found = false;
  for (const samples of channels)
    for (const { at, height } of crests(samples, () => ceiling)) {
      found = true;
      // The peak may lie between this sample and the next.
      for (const one of [at, Math.min(at + 1, gains.length - 1)])
        gains[one] = Math.min(gains[one]!, ceiling / height);
    }
  return found ? gains : undefined;
}

/** The lowest value within `reach` samples on either side. Linear: candidates wait in a queue, lowest first. */
function lowestAround(values: Float64Array, reach: number): Float64Array {
  const lowest = new Float64Array(values.length);
  const queue = new Int32Array(values.length);
  let [first, end, next] = [0, 0, 0];
  for (let at = 0; at < values.length; at += 1) {
    for (const last = Math.min(values.length - 1, at + reach); next <= last; next += 1) {
      while (end > first && values[queue[end - 1]!]! >= values[next]!) end -= 1;
      queue[end] = next;
      end += 1;
    }
    while (queue[first]! < at - reach) first += 1;
    lowest[at] = values[queue[first]!]!;
  }
  return lowest;
}

/** Falls at once and rises slowly. Never above the input. */
function released(gains: Float64Array, samples: number): Float64Array {
  const share = 1 - Math.exp(-1 / samples);
  let gain = 1;
  return gains.map((wanted) => {
    gain = Math.min(wanted, gain + (1 - gain) * share);
    return gain;
  });
}

/**
 * A moving average over `reach` samples on either side, made of two passes over half of it, for a smooth slope. The
 * input is already the lowest value around each sample, so the average at a peak is not too high.
 */
function smoothed(gains: Float64Array, reach: number): Float64Array {
  const half = Math.max(1, Math.floor(reach / 2));
  return meanAround(meanAround(gains, half), reach - half);
}

function meanAround(values: Float64Array, reach: number): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let at = 0; at < values.length; at += 1) sums[at + 1] = sums[at]! + values[at]!;
  return values.map((_, at) => {
    const [from, to] = [Math.max(0, at - reach), Math.min(values.length, at + reach + 1)];
    return (sums[to]! - sums[from]!) / (to - from);
  });
}
