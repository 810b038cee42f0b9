/*
 * Loudspeaker layouts, as the channel mask of WAVE_FORMAT_EXTENSIBLE: one bit for each loudspeaker. Channels are stored
 * in the order of the bits.
 */

const LOW_FREQUENCY = 0x8;
/** Left, right and center at the back, at the sides, and at the back of the ceiling. */
const SURROUND = 0x3_8730;

/** By number of channels. The same as ffmpeg assumes for a WAV file without a mask. */
const ASSUMED: readonly number[] = [0, 0x4, 0x3, 0xb, 0x107, 0x37, 0x3f, 0x70f, 0x63f];
/** By number of channels, for FLAC files without a mask. Source: RFC 9639, 9.1.3. */
const FLAC: readonly number[] = [0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x70f, 0x63f];

/** The field of a FLAC file's Vorbis comment that holds a mask. Source: RFC 9639, 8.6.2. */
export const MASK_FIELD = 'WAVEFORMATEXTENSIBLE_CHANNEL_MASK';

/** The mask if it names as many loudspeakers as there are channels; otherwise it says nothing. */
export function validMask(mask: number | undefined, channelCount: number): number | undefined {
  return mask !== undefined && bitsOf(mask).length === channelCount ? mask : undefined;
}

/** The layout of a FLAC file without a mask. */
export function flacMask(channelCount: number): number | undefined {
  return FLAC[channelCount];
}

/** Layout of decoded audio: the one in the file, or else the usual one. `undefined` if there is none. */
export function maskOf({
  channels,
  channelMask,
}: {
  readonly channels: readonly unknown[];
  readonly channelMask?: number;
}): number | undefined {
  return channelMask ?? ASSUMED[channels.length];
}

export type ChannelKind = 'front' | 'surround' | 'low-frequency';

/** The kind of each channel. */
export function channelKinds(pcm: Parameters<typeof maskOf>[0]): readonly ChannelKind[] {
  const bits = bitsOf(maskOf(pcm) ?? 0);
  return pcm.channels.map((_, index) => {
    const bit = bits[index] ?? 0;
    return bit === LOW_FREQUENCY ? 'low-frequency' : (bit & SURROUND) !== 0 ? 'surround' : 'front';
  });
}

function bitsOf(mask: number): readonly number[] {
  return Array.from({ length: 31 }, (_, at) => 2 ** at).filter((bit) => (mask & bit) !== 0);
}
