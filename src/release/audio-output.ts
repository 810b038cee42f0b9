import type { NamedTake } from './name-files.js';

/** Audio as it is released, without tags, and what was measured of it. */
export interface AudioOutput {
  readonly mediaType: string;
  /** Without the dot. */
  readonly extension: string;
  readonly seconds?: number;
  /** Integrated, LUFS. Absent: it could not be decoded, or is silent. */
  readonly loudnessLufs?: number;
  /** dBTP. */
  readonly truePeakDb?: number;
  /** Energy of each gating block (EBU R128), from which the loudness of several tracks together comes. */
  readonly blocks?: readonly number[];
  /** How much louder than the original, dB. */
  readonly gainDb?: number;
  /** By how much peaks were turned down at most to stay under the ceiling, dB. Absent: not at all. */
  readonly limitedDb?: number;
  readonly warnings: readonly string[];
}

/**
 * Makes the audio of a release from an original. `bytes` is absent where they are those of the original.
 */
export type PrepareAudio = (
  original: Uint8Array,
  take: NamedTake,
) => Promise<AudioOutput & { readonly bytes?: Uint8Array }>;
