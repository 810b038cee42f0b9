/**
 * Everything the review page shows, as JSON. The page has no other input: `review` serves it, and `report` writes it
 * into the page.
 */
export interface ReviewData {
  /** The album's title, or the manifest's name if it has none. */
  readonly title: string;
  /** Display name of the manifest. */
  readonly manifest: string;
  readonly sandbox: boolean;
  /** In the manifest's order. */
  readonly tracks: readonly ReviewTrack[];
}

export interface ReviewTrack {
  readonly id: string;
  readonly title?: string;
  /** Absent if the manifest cannot be read. */
  readonly request?: ReviewRequest;
  readonly pick?: ReviewPick;
  /**
   * The manifest's takes first, then files made for earlier versions of the track. Keys 1 to 9 select them in this
   * order.
   */
  readonly takes: readonly ReviewTake[];
}

export interface ReviewRequest {
  readonly model: string;
  readonly prompt: string;
  readonly lyrics?: string;
  /** All other fields that were set, as name and value. */
  readonly settings: readonly (readonly [name: string, value: string])[];
}

export interface ReviewPick {
  /** Of the picked file, in hex. */
  readonly sha256: string;
  readonly note?: string;
  /** `superseded`: the track has changed or was made again since. `unknown`: no file of the track has this hash. */
  readonly state: 'current' | 'superseded' | 'unknown';
}

export interface ReviewTake {
  /** Unique and stable, to match entries of a newer copy of the data. */
  readonly key: string;
  /** `Take 2`, `Take 1, earlier version`. */
  readonly name: string;
  readonly state: 'ready' | 'in_flight' | 'absent';
  /** The state as worded by `status`. */
  readonly stateText: string;
  readonly model: string;
  /** `$0.69`; absent if nothing was charged. */
  readonly price?: string;
  /** When it was bought, ISO 8601. */
  readonly boughtAt?: string;
  /** Present if the file is here. */
  readonly file?: ReviewFile;
}

export interface ReviewFile {
  readonly sha256: string;
  /** Relative to the page. */
  readonly url: string;
  /** For display: relative to the output root. */
  readonly path: string;
  readonly mediaType: string;
  /** Absent until the file has been analysed. */
  readonly sound?: ReviewSound;
}

/** Sound of the file, as far as it could be measured. */
export interface ReviewSound {
  readonly durationSeconds?: number;
  /** EBU R128 integrated loudness. */
  readonly loudnessLufs?: number;
  readonly truePeakDb?: number;
  /** One sentence each. */
  readonly warnings: readonly string[];
}

/** Request body of the page to set or clear a pick. */
export interface PickRequest {
  readonly track: string;
  /** `null` clears the pick. */
  readonly sha256: string | null;
  /** Absent keeps the note if the take is the same; another take starts without one. */
  readonly note?: string;
}
