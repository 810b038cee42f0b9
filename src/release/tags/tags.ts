/** A picture to embed. */
export interface Cover {
  readonly mediaType: 'image/jpeg' | 'image/png';
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

const COVERS = { 'image/png': 'cover.png', 'image/jpeg': 'cover.jpg' } as const;
export const COVER_NAMES: readonly string[] = Object.values(COVERS);

export function coverName({ mediaType }: Cover): string {
  return COVERS[mediaType];
}

/** What a released file says about itself. Texts are as in the manifest. */
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
  /** Says that it was made by a model, and which: see `AI_MARK`. */
  readonly aiMark: string;
  /** ReplayGain, or R128 of Opus: fields that no format has natively. Names in capitals. */
  readonly gains: readonly (readonly [name: string, value: string])[];
}

/** The name of the field with `aiMark`. */
const AI_MARK = 'AI-GENERATED';

/** Fields that are stored as a format's custom fields. */
export function customFields({ gains, aiMark }: Tags): readonly (readonly [name: string, value: string])[] {
  return [[AI_MARK, aiMark], ...gains];
}

/** The bytes are not a file of this format. Nothing is written. */
export class UntaggableError extends Error {}
