import type { NamedTake } from './name-files.js';

/** Audio as released, without tags, and its measurements. */
export interface AudioOutput {
  readonly mediaType: string;
  /** Without the dot. */
  readonly extension: string;
  readonly seconds?: number;
  /** Integrated loudness in LUFS. Absent: it could not be decoded, or is silent. */
  readonly loudnessLufs?: number;
  /** True peak in dBTP. */
  readonly truePeakDb?: number;
  /** Energy of each gating block (EBU R128), from which the loudness of several tracks is computed. */
  readonly blocks?: readonly number[];
  /** How much louder than the original, in dB. */
  readonly gainDb?: number;
  /** The largest reduction of a peak to stay under the ceiling, in dB. Absent: none. */
  readonly limitedDb?: number;
  readonly warnings: readonly string[];
}

/** Makes the audio of a release from an original. `bytes` is absent if the original's bytes are used unchanged. */
export type PrepareAudio = (
  original: Uint8Array,
  take: NamedTake,
) => Promise<AudioOutput & { readonly bytes?: Uint8Array }>;
