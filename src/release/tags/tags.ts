/** A picture as it is embedded. */
export interface Cover {
  readonly mediaType: 'image/jpeg' | 'image/png';
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

export function coverName({ mediaType }: Cover): string {
  return mediaType === 'image/png' ? 'cover.png' : 'cover.jpg';
}

/** What a released file says about itself. Texts are as the manifest has them. */
export interface Tags {
  readonly title: string;
  readonly artist?: string;
  readonly album?: string;
  readonly albumArtist?: string;
  readonly track: number;
  readonly tracks: number;
  /** YYYY, YYYY-MM or YYYY-MM-DD. */
  readonly date?: string;
  readonly genre?: string;
  readonly copyright?: string;
  readonly comment: string;
  readonly lyrics?: string;
  readonly cover?: Cover;
  /** Says that a machine made it, and which: see `AI_MARK`. */
  readonly aiMark: string;
  /** ReplayGain, or R128 of Opus: names that no format has a field of its own for, in capitals. */
  readonly gains: readonly (readonly [name: string, value: string])[];
}

/** The name that `aiMark` is under. */
const AI_MARK = 'AI-GENERATED';

/** Names and values that go into a format's place for names of one's own. */
export function customFields({ gains, aiMark }: Tags): readonly (readonly [name: string, value: string])[] {
  return [[AI_MARK, aiMark], ...gains];
}

/** Bytes that are no file of the format: nothing is written then. */
export class UntaggableError extends Error {}
