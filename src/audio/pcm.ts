/** Decoded audio. Full scale is 1; a lossy decoder may give more. */
export interface Pcm {
  /** Samples a second. */
  readonly sampleRate: number;
  /** One array a channel, at least one, all of one length. */
  readonly channels: readonly Float32Array[];
}

/** What became of an attempt to decode a file. A file that cannot be decoded is not analysed; that is no error. */
export type Decoded =
  | { readonly kind: 'pcm'; readonly pcm: Pcm }
  /** No decoder for it here; `format` names it to a person: `AAC in MP4`. */
  | { readonly kind: 'unsupported'; readonly format: string }
  /** Its decoder found nothing to play in it. */
  | { readonly kind: 'damaged'; readonly format: string };

/** Seconds. */
export function durationOf({ channels, sampleRate }: Pcm): number {
  return (channels[0]?.length ?? 0) / sampleRate;
}
