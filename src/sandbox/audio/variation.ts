import { drawn } from './score.js';

/** What a seed varies in a take, so that two takes of one prompt sound different. */
export interface Variation {
  /** Strength of the higher harmonics: 0 for the instrument's own, lower for duller, higher for brighter. */
  readonly brightness: number;
  /** Octaves between chords and melody. */
  readonly octave: number;
  /** Share of the melody's notes that are omitted. */
  readonly rests: number;
  /** Which instrument plays the melody: the first, the second, … */
  readonly lead: number;
  /** Inversion of each chord. */
  readonly inversion: number;
  readonly beat: Beat;
  readonly bass: readonly number[];
}

/** Eighths of a bar. */
export interface Beat {
  readonly kick: readonly number[];
  readonly snare: readonly number[];
  readonly hat: readonly number[];
}

const EVERY = [0, 1, 2, 3, 4, 5, 6, 7];
const BEATS: readonly Beat[] = [
  { kick: [0, 5], snare: [4], hat: EVERY },
  { kick: [0, 2, 4, 6], snare: [4], hat: [1, 3, 5, 7] },
  { kick: [0, 3, 6], snare: [4, 7], hat: EVERY },
  { kick: [0], snare: [4], hat: [0, 2, 4, 6] },
  { kick: [0, 1, 5], snare: [2, 6], hat: [0, 2, 3, 4, 6, 7] },
];
const BASSES: readonly (readonly number[])[] = [[0, 3, 4, 6], [0, 2, 4, 6], [0], [0, 4, 5], EVERY];
const BRIGHTNESS = [-0.8, -0.3, 0.2, 0.6];

export function variationOf(seed: string): Variation {
  const draw = drawn(`variation ${seed}`);
  // The first number of a seed is not random enough.
  draw();
  const one = <T>(of: readonly T[]): T => of[Math.floor(draw() * of.length)]!;
  return {
    brightness: one(BRIGHTNESS),
    octave: one([1, 1, 2]),
    rests: 0.1 + 0.4 * draw(),
    lead: Math.floor(3 * draw()),
    inversion: one([0, 1, 2]),
    beat: one(BEATS),
    bass: one(BASSES),
  };
}
