import type { Pcm } from './pcm.js';
import { crests, decibels } from './true-peak.js';

/*
 * A look-ahead limiter: turns the audio down around each peak above a ceiling, all channels alike, and leaves all else as it is.
 * The gain falls before the peak comes and rises after it, both without a step.
 */

/** Time in which the gain falls, and the least in which it rises. */
const ATTACK_SECONDS = 0.004;
/** After a peak the gain comes back by 63 % of what is missing in this time. */
const RELEASE_SECONDS = 0.06;

export interface Limited {
  readonly pcm: Pcm;
  /** By how much it was turned down at most, dB; 0 where nothing is above the ceiling. */
  readonly reductionDb: number;
}

/** @param ceiling true peak that nothing may exceed, as a factor of full scale */
export function limit(pcm: Pcm, ceiling: number): Limited {
  const { channels, sampleRate } = pcm;
  const needed = neededGains(pcm, ceiling);
  if (needed === undefined) return { pcm, reductionDb: 0 };
  const reach = Math.max(1, Math.round(ATTACK_SECONDS * sampleRate));
  const gains = smoothed(released(lowestAround(needed, reach), RELEASE_SECONDS * sampleRate), reach);
  return {
    pcm: {
      sampleRate,
      channels: channels.map((samples) => samples.map((sample, at) => sample * gains[at]!)),
    },
    reductionDb: -decibels(gains.reduce((lowest, gain) => Math.min(lowest, gain), 1)),
  };
}

/** What each sample may be multiplied by at most; `undefined` where nothing is above the ceiling. */
function neededGains({ channels }: Pcm, ceiling: number): Float64Array | undefined {
  const gains = new Float64Array(channels[0]?.length ?? 0).fill(1);
  let found = false;
  for (const samples of channels)
    for (const { at, height } of crests(samples, () => ceiling)) {
      found = true;
      // It may lie between this sample and the next.
      for (const one of [at, Math.min(at + 1, gains.length - 1)])
        gains[one] = Math.min(gains[one]!, ceiling / height);
    }
  return found ? gains : undefined;
}

/** The lowest value within `reach` on both sides of each. Linear: candidates wait in a queue, lowest first. */
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

/** Down at once, up slowly. Never above what it was. */
function released(gains: Float64Array, samples: number): Float64Array {
  const share = 1 - Math.exp(-1 / samples);
  let gain = 1;
  return gains.map((wanted) => {
    gain = Math.min(wanted, gain + (1 - gain) * share);
    return gain;
  });
}

/**
 * The mean over `reach` samples on both sides, twice over half of it: a slope without corners. Every value that counts was the lowest
 * around it, so that the mean at a peak is no higher than the peak allows.
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
