/**
 * The chosen take of a track, identified by its bytes: the pick survives a new title, order or file name and later
 * takes, but not a new `id` of the track.
 */
export interface Pick {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly note?: string;
}

/** By track id. */
export type Picks = ReadonlyMap<string, Pick>;
