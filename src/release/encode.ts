import { encodeFlac } from '../audio/encode-flac.js';
import { encodeWav } from '../audio/encode-wav.js';
import type { Pcm } from '../audio/pcm.js';
import type { SampleBits } from '../audio/sample-bits.js';

/** Encodes a WAV file with another program. Throws if it cannot. */
export type ExternalEncoder = (
  wav: Uint8Array,
  words: readonly string[],
  extension: string,
) => Promise<Uint8Array>;

interface Lossy {
  readonly kbits: number;
  /** The options for ffmpeg, without the bit rate. */
  readonly words: readonly string[];
}

/**
 * Bit rates at which there is no audible difference to the original. The `global_gain` of an MP3 could be raised without
 * encoding it again, but only in steps of 1.5 dB: the result would be up to 0.75 dB off, and peaks could not be limited.
 */
const LOSSY: Readonly<Record<string, Lossy>> = {
  'audio/mpeg': { kbits: 320, words: ['-c:a', 'libmp3lame', '-id3v2_version', '0', '-f', 'mp3'] },
  'audio/mp4': { kbits: 256, words: ['-c:a', 'aac', '-movflags', '+faststart', '-f', 'ipod'] },
  'audio/opus': { kbits: 160, words: ['-c:a', 'libopus', '-f', 'ogg'] },
};
const LOSSLESS: readonly string[] = ['audio/wav', 'audio/flac'];

/** Whether files of this type can be made, and with what. */
export function encoderOf(mediaType: string): 'own' | 'ffmpeg' | undefined {
  if (LOSSLESS.includes(mediaType)) return 'own';
  return mediaType in LOSSY ? 'ffmpeg' : undefined;
}

/**
 * Encodes the audio as a file of this type, which `encoderOf` must support.
 *
 * @param bits of the original, which a lossless file keeps
 */
export async function encodeAudio(
  pcm: Pcm,
  format: {
    readonly mediaType: string;
    readonly extension: string;
    readonly bits: SampleBits;
    readonly kbits?: number;
  },
  external: ExternalEncoder,
): Promise<Uint8Array> {
  const { mediaType, extension, bits } = format;
  if (mediaType === 'audio/wav') return encodeWav(pcm, bits);
  if (mediaType === 'audio/flac') return encodeFlac(pcm, bits === 'float' ? 24 : bits);
  const { kbits, words } = LOSSY[mediaType]!;
  const rate = ['-b:a', `${format.kbits ?? kbits}k`];
  return external(encodeWav(pcm, 'float'), [...words.slice(0, 2), ...rate, ...words.slice(2)], extension);
}
