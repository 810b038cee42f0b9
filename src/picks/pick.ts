/** The chosen take of each track, by its bytes: the pick survives renames and later takes. */
export interface Pick {
  /** Hex, in lower case. */
  readonly sha256: string;
  readonly note?: string;
}

/** By id of the track. */
export type Picks = ReadonlyMap<string, Pick>;
