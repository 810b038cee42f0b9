import type { AudioCache } from '../audio/cache.js';
import { PEAKS_KIND } from '../audio/cached-peaks.js';
import { decodeAudio, type ExternalDecoder } from '../audio/decode.js';
import { type Peaks, peaksOf } from '../audio/peaks.js';
import { type Measures, measure } from './measure.js';

/** Analysis of the sound of one file. */
export type Analysis =
  | { readonly kind: 'measured'; readonly measures: Measures; readonly peaks?: Peaks }
  /** It cannot be decoded here, which is not an error: there may be no decoder for its format. */
  | { readonly kind: 'undecodable'; readonly format: string }
  /** The analysis was stopped, which says nothing about the file. */
  | { readonly kind: 'not-analysed'; readonly format: string };

/**
 * Decodes and measures a whole file. Takes a second or two of CPU time per minute of audio: not for the main thread of
 * a run.
 */
export async function analyse(bytes: Uint8Array, external?: ExternalDecoder): Promise<Analysis> {
  const decoded = await decodeAudio(bytes, external);
  if (decoded.kind !== 'pcm') return { kind: 'undecodable', format: decoded.format };
  return { kind: 'measured', measures: measure(decoded.pcm), peaks: peaksOf(decoded.pcm) };
}

/** Version of the measurements. Results of other versions are computed again. */
const MEASURES_KIND = 'qc-v3';

/** Measurements of a file by hash; `undefined` if there are none yet. */
export async function knownMeasures(cache: AudioCache, sha256: string): Promise<Measures | undefined> {
  const known = (await cache.read(MEASURES_KIND, sha256)) as Partial<Measures> | null | undefined;
  // Only this program writes these files. A damaged one is no longer valid JSON.
  return typeof known?.durationSeconds === 'number' && typeof known.seam === 'object'
    ? (known as Measures)
    : undefined;
}

const UNDECODABLE_KIND = 'undecodable-v1';

/** Whether a file with this hash could not be decoded here the last time. A decoder may have been installed since. */
export async function wasUndecodable(cache: AudioCache, sha256: string): Promise<boolean> {
  return (await cache.read(UNDECODABLE_KIND, sha256)) !== undefined;
}

/**
 * The measurements of a file, from the cache if possible; otherwise from `analyse`, and then cached.
 *
 * @param sha256 of the file, hex
 * @returns `undefined` if it cannot be analysed
 */
export async function measuresOf(
  cache: AudioCache,
  sha256: string,
  analyseFile: () => Promise<Analysis>,
): Promise<Measures | undefined> {
  const known = await knownMeasures(cache, sha256);
  if (known !== undefined) return known;
  const analysis = await analyseFile();
  if (analysis.kind === 'undecodable')
    await cache.write(UNDECODABLE_KIND, sha256, { format: analysis.format });
  if (analysis.kind !== 'measured') return undefined;
  await cache.write(MEASURES_KIND, sha256, analysis.measures);
  if (analysis.peaks !== undefined) await cache.write(PEAKS_KIND, sha256, analysis.peaks);
  return analysis.measures;
}
