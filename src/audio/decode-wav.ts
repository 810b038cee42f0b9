import { validMask } from './layout.js';
import type { Pcm } from './pcm.js';

/*
 * RIFF, RF64 and BW64 with linear samples: integers of 8 to 32 bits, floats of 32 and 64 bits. Chunks are read in
 * order. A data chunk with an unknown length (0xFFFFFFFF) or one that is too long ends with the file.
 */

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
const CHUNK_HEAD_BYTES = 8;

interface Format {
  readonly coding: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bits: number;
  readonly channelMask: number | undefined;
}

/** `undefined`: the samples have another coding. */
export function decodeWav(bytes: Uint8Array): Pcm | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: Format | undefined;
  for (let at = 12; at + CHUNK_HEAD_BYTES <= bytes.byteLength; ) {
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    const length = view.getUint32(at + 4, true);
    const from = at + CHUNK_HEAD_BYTES;
    if (name === 'fmt ' && from + 16 <= bytes.byteLength) format = formatAt(view, from, length);
    if (name === 'data')
      return format && samplesOf(view, from, Math.min(length, bytes.byteLength - from), format);
    at = from + length + (length % 2);
  }
  return undefined;
}

function formatAt(view: DataView, at: number, length: number): Format {
  const tag = view.getUint16(at, true);
  // In an extensible format, the actual coding is at the start of the sub-format.
  const isExtensible = tag === EXTENSIBLE && length >= 26 && at + 26 <= view.byteLength;
  const channels = view.getUint16(at + 2, true);
  return {
    coding: isExtensible ? view.getUint16(at + 24, true) : tag,
    channels,
    channelMask: isExtensible ? validMask(view.getUint32(at + 20, true), channels) : undefined,
    sampleRate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
}

function samplesOf(view: DataView, from: number, length: number, format: Format): Pcm | undefined {
  const { sampleRate, bits, channelMask } = format;
  const read = readerOf(format);
  if (read === undefined || format.channels === 0 || sampleRate === 0) return undefined;
  const width = bits / 8;
  const count = Math.floor(length / (width * format.channels));
  const channels = Array.from({ length: format.channels }, () => new Float32Array(count));
  let at = from;
  for (let sample = 0; sample < count; sample += 1)
    for (const channel of channels) {
      channel[sample] = read(view, at);
      at += width;
    }
  return {
    sampleRate,
    channels,
    ...(channelMask === undefined ? {} : { channelMask }),
    ...(bits < 16 ? { bits } : {}),
  };
}

type Read = (view: DataView, at: number) => number;

function readerOf({ coding, bits }: Format): Read | undefined {
  if (coding === FLOAT && bits === 32) return (view, at) => view.getFloat32(at, true);
  if (coding === FLOAT && bits === 64) return (view, at) => view.getFloat64(at, true);
  if (coding !== PCM) return undefined;
  switch (bits) {
    case 8:
      return (view, at) => (view.getUint8(at) - 128) / 2 ** 7;
    case 16:
      return (view, at) => view.getInt16(at, true) / 2 ** 15;
    case 24:
      return (view, at) => (view.getUint16(at, true) | (view.getInt8(at + 2) << 16)) / 2 ** 23;
    case 32:
      return (view, at) => view.getInt32(at, true) / 2 ** 31;
    default:
      return undefined;
  }
}
