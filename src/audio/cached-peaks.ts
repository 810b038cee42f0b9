import type { AudioCache } from './cache.js';
import type { Decoded } from './pcm.js';
import { type Peaks, peaksOf } from './peaks.js';

export const PEAKS_KIND = 'peaks-v1';

/**
 * The waveform outline of a file, from the cache if possible.
 *
 * @param sha256 of the file, hex
 * @param decode called only if the cache has no entry
 * @returns `undefined` if the file cannot be decoded here
 */
export async function cachedPeaks(
  cache: AudioCache,
  sha256: string,
  decode: () => Promise<Decoded>,
): Promise<Peaks | undefined> {
  const known = await cache.read(PEAKS_KIND, sha256);
  if (isPeaks(known)) return known;
  const decoded = await decode();
  // Not cached: a decoder may be installed later.
  if (decoded.kind !== 'pcm') return undefined;
  const peaks = peaksOf(decoded.pcm);
  await cache.write(PEAKS_KIND, sha256, peaks);
  return peaks;
}

function isPeaks(value: unknown): value is Peaks {
  const { durationSeconds, min, max } = (value ?? {}) as Record<string, unknown>;
  return typeof durationSeconds === 'number' && isNumbers(min) && isNumbers(max) && min.length === max.length;
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'number');
}
