/** Which take of a track was chosen, by its bytes: so it holds whatever the file is called, and whatever is made later. */
export interface Pick {
  /** Hex, in lower case. */
  readonly sha256: string;
  readonly note?: string;
}

/** By id of the track. */
export type Picks = ReadonlyMap<string, Pick>;
