/** The chosen take of a track, identified by its bytes, so that the pick survives renames and later takes. */
export interface Pick {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly note?: string;
}

/** By track id. */
export type Picks = ReadonlyMap<string, Pick>;
