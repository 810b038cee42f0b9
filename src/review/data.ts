/**
 * Everything the review page shows, as JSON. The page has no other input: `review` serves it, `report` writes it into
 * the page.
 */
export interface ReviewData {
  /** Of the album; the manifest's name where it has no title. */
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
  /** Absent where the manifest cannot be read. */
  readonly request?: ReviewRequest;
  readonly pick?: ReviewPick;
  /** The takes of the manifest first, then files made for earlier versions of the track. The keys 1 to 9 name them in this order. */
  readonly takes: readonly ReviewTake[];
}

export interface ReviewRequest {
  readonly model: string;
  readonly prompt: string;
  readonly lyrics?: string;
  /** Every other field that was set, as name and value. */
  readonly settings: readonly (readonly [name: string, value: string])[];
}

export interface ReviewPick {
  /** Of the picked file, in hex. */
  readonly sha256: string;
  readonly note?: string;
  /** `superseded`: the track was changed or made again since; `unknown`: no file of the track has this hash. */
  readonly state: 'current' | 'superseded' | 'unknown';
}

export interface ReviewTake {
  /** Unique and stable: what a new copy of the data is matched by. */
  readonly key: string;
  /** `Take 2`, `Take 1, earlier version`. */
  readonly name: string;
  readonly state: 'ready' | 'in_flight' | 'absent';
  /** The state in the words of `status`. */
  readonly stateText: string;
  readonly model: string;
  /** `$0.69`; absent where nothing was charged. */
  readonly price?: string;
  /** When it was bought, ISO 8601. */
  readonly boughtAt?: string;
  /** Of a file that is here. */
  readonly file?: ReviewFile;
}

export interface ReviewFile {
  readonly sha256: string;
  /** For the page: relative to it. */
  readonly url: string;
  /** For a person: relative to the output root. */
  readonly path: string;
  readonly mediaType: string;
  /** Absent until the file has been analysed. */
  readonly sound?: ReviewSound;
}

/** Sound of the file, as far as it could be measured. */
export interface ReviewSound {
  readonly durationSeconds?: number;
  /** EBU R128 integrated. */
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
  /** Absent keeps the note of the same take; another take begins without one. */
  readonly note?: string;
}
