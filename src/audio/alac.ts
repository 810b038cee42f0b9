import { viewOf } from '../storage/containers/bytes.js';
import { createBitReader } from './bit-reader.js';
import type { Pcm } from './pcm.js';

/*
 * Apple Lossless (ALAC), uncompressed frames only. Compressed frames are left to another decoder. Sources:
 * ALACMagicCookieDescription.txt and ALACDecoder.cpp of Apple's reference decoder.
 */

interface Configuration {
  readonly frameLength: number;
  readonly bits: number;
  readonly channels: number;
  readonly sampleRate: number;
}

const ELEMENT_MONO = 0;
const ELEMENT_STEREO = 1;
const ELEMENT_END = 7;

/** Returns `undefined` for what is not supported: more than two channels, or a compressed frame. */
export function decodeAlac(cookie: Uint8Array | undefined, frames: readonly Uint8Array[]): Pcm | undefined {
  const configuration = cookie && configurationOf(cookie);
  if (configuration === undefined || configuration.channels > 2) return undefined;
  const pieces: (readonly Float32Array[])[] = [];
  for (const bytes of frames) {
    const piece = decodeFrame(bytes, configuration);
    if (piece === undefined) return undefined;
    pieces.push(piece);
  }
  const total = pieces.reduce((sum, piece) => sum + piece[0]!.length, 0);
  const channels = Array.from({ length: configuration.channels }, () => new Float32Array(total));
  let at = 0;
  for (const piece of pieces) {
    for (const [index, channel] of channels.entries()) channel.set(piece[index]!, at);
    at += piece[0]!.length;
  }
  return { sampleRate: configuration.sampleRate, channels };
}

/** Starts after the version and flags of the box. */
function configurationOf(cookie: Uint8Array): Configuration | undefined {
  if (cookie.byteLength < 28) return undefined;
  const view = viewOf(cookie);
  return {
    frameLength: view.getUint32(4),
    bits: view.getUint8(9),
    channels: view.getUint8(13),
    sampleRate: view.getUint32(24),
  };
}

function decodeFrame(bytes: Uint8Array, configuration: Configuration): readonly Float32Array[] | undefined {
  const reader = createBitReader(bytes);
  const kind = reader.bits(3);
  const count = kind === ELEMENT_STEREO ? 2 : 1;
  if ((kind !== ELEMENT_MONO && kind !== ELEMENT_STEREO) || count !== configuration.channels)
    return undefined;
  reader.bits(16);
  const hasLength = reader.bits(1) === 1;
  const shift = reader.bits(2);
  const asTheyAre = reader.bits(1) === 1;
  if (!asTheyAre || shift !== 0) return undefined;
  const length = hasLength ? reader.bits(16) * 0x1_0000 + reader.bits(16) : configuration.frameLength;
  const channels = Array.from({ length: count }, () => new Float32Array(length));
  const scale = 2 ** (configuration.bits - 1);
  for (let sample = 0; sample < length; sample += 1)
    for (const channel of channels) channel[sample] = reader.signed(configuration.bits) / scale;
  return reader.bits(3) === ELEMENT_END ? channels : undefined;
}
