import type { AudioCache } from './cache.js';
import type { Decoded } from './pcm.js';
import { type Peaks, peaksOf } from './peaks.js';

export const PEAKS_KIND = 'peaks-v1';

/**
 * The outline of a file's waveform, from the cache where it is there.
 *
 * @param sha256 of the file, hex
 * @param decode called only where the cache has nothing
 * @returns `undefined`: the file cannot be decoded here
 */
export async function cachedPeaks(
  cache: AudioCache,
  sha256: string,
  decode: () => Promise<Decoded>,
): Promise<Peaks | undefined> {
  const known = await cache.read(PEAKS_KIND, sha256);
  if (isPeaks(known)) return known;
  const decoded = await decode();
  // Not remembered: another decoder may be installed tomorrow.
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
