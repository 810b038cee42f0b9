/** Decoded audio. Full scale is 1; lossy decoders may exceed it. */
export interface Pcm {
  /** Samples per second. */
  readonly sampleRate: number;
  /** One array per channel, at least one, all of the same length. */
  readonly channels: readonly Float32Array[];
  /** Which loudspeaker each channel is for, if the file says so: see `layout.ts`. */
  readonly channelMask?: number;
  /** Bit depth of samples that are integers of less than 16 bits. */
  readonly bits?: number;
}

/** Result of decoding a file. A file that cannot be decoded is not analysed, which is not an error. */
export type Decoded =
  | { readonly kind: 'pcm'; readonly pcm: Pcm }
  /** There is no decoder for it here. `format` is for display: `AAC in MP4`. */
  | { readonly kind: 'unsupported'; readonly format: string }
  /** Its decoder found no audio in it. */
  | { readonly kind: 'damaged'; readonly format: string };

/** Seconds. */
export function durationOf({ channels, sampleRate }: Pcm): number {
  return (channels[0]?.length ?? 0) / sampleRate;
}
