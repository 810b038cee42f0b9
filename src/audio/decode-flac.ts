import { tagBytes } from '../storage/containers/skip-tags.js';
import { type BitReader, createBitReader } from './bit-reader.js';
import { readSubframe } from './flac-subframe.js';
import { flacMask, MASK_FIELD, validMask } from './layout.js';
import type { Pcm } from './pcm.js';

/* A FLAC decoder. Does not check checksums: the file was verified when it was stored. Source: RFC 9639. */

interface StreamInfo {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bits: number;
  /** 0: unknown. */
  readonly samples: number;
}

interface Head {
  readonly info?: StreamInfo;
  /** From the comment. */
  readonly mask?: number;
  readonly audioAt: number;
}

/** Decodes as much as possible. `undefined` if the file header is invalid. */
export function decodeFlac(file: Uint8Array): Pcm | undefined {
  const bytes = file.subarray(tagBytes(file));
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== 'fLaC') return undefined;
  const { info, mask, audioAt } = readHead(bytes);
  if (info === undefined || info.sampleRate === 0) return undefined;
  const pieces: (readonly Float32Array[])[] = [];
  let decoded = 0;
  for (let at = audioAt; at < bytes.byteLength && (info.samples === 0 || decoded < info.samples); ) {
    const frame = readFrame(createBitReader(bytes, at), info);
    if (frame === undefined) break;
    pieces.push(frame.channels);
    decoded += frame.channels[0]!.length;
    at = frame.end;
  }
  const channels = Array.from({ length: info.channels }, (_, index) => joined(pieces, index, decoded));
  const channelMask =
    validMask(mask, info.channels) ?? (info.channels > 2 ? flacMask(info.channels) : undefined);
  return {
    sampleRate: info.sampleRate,
    channels,
    ...(channelMask === undefined ? {} : { channelMask }),
    ...(info.bits < 16 ? { bits: info.bits } : {}),
  };
}

function joined(pieces: readonly (readonly Float32Array[])[], channel: number, total: number): Float32Array {
  const whole = new Float32Array(total);
  let at = 0;
  for (const piece of pieces) {
    const samples = piece[channel] ?? piece[0]!;
    whole.set(samples, at);
    at += samples.length;
  }
  return whole;
}

function readHead(bytes: Uint8Array): Head {
  let info: StreamInfo | undefined;
  let mask: number | undefined;
  for (let at = 4; at + 4 <= bytes.byteLength; ) {
    const reader = createBitReader(bytes, at);
    const last = reader.bits(1) === 1;
    const type = reader.bits(7);
    const length = reader.bits(24);
    if (type === 0) info = readStreamInfo(reader);
    if (type === COMMENT) mask = flacMaskIn(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
    if (last) return { ...(info && { info }), ...(mask !== undefined && { mask }), audioAt: at };
  }
  return { audioAt: bytes.byteLength };
}

const COMMENT = 4;
const MASK = new RegExp(`${MASK_FIELD}=0x([0-9a-f]{1,8})`, 'i');

/** The channel mask in a Vorbis comment. */
export function flacMaskIn(comment: Uint8Array): number | undefined {
  const [, digits] = MASK.exec(Buffer.from(comment).toString('latin1')) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

function readStreamInfo(reader: BitReader): StreamInfo {
  for (const count of [16, 16, 24, 24]) reader.bits(count);
  const sampleRate = reader.bits(20);
  const channels = reader.bits(3) + 1;
  const bits = reader.bits(5) + 1;
  return { sampleRate, channels, bits, samples: reader.bits(4) * 2 ** 32 + reader.bits(32) };
}

interface Frame {
  readonly channels: readonly Float32Array[];
  /** Offset of the byte after the frame. */
  readonly end: number;
}

/** Left and side, side and right, mid and side. */
const LEFT_SIDE = 8;
const SIDE_RIGHT = 9;
const MID_SIDE = 10;
const DEPTHS = [0, 8, 12, 0, 16, 20, 24, 32];

/** `undefined` if no frame begins here, or it is cut off. */
function readFrame(reader: BitReader, info: StreamInfo): Frame | undefined {
  try {
    if (reader.bits(15) !== 0b111_1111_1111_1100) return undefined;
    reader.bits(1);
    const [sizeCode, rateCode] = [reader.bits(4), reader.bits(4)];
    const [layout, depthCode] = [reader.bits(4), reader.bits(3)];
    reader.bits(1);
    for (let more = codePointBytes(reader.bits(8)); more > 0; more -= 1) reader.bits(8);
    const size = blockSize(sizeCode, reader);
    if (rateCode >= 12) reader.bits(rateCode === 12 ? 8 : 16);
    reader.bits(8);
    const bits = DEPTHS[depthCode] || info.bits;
    const channels = readChannels(reader, layout, bits, size);
    reader.align();
    reader.bits(16);
    const scale = 2 ** (bits - 1);
    return {
      channels: channels.map((samples) => Float32Array.from(samples, (one) => one / scale)),
      end: reader.byte(),
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Number of bytes after the first one, for a number coded like UTF-8. */
function codePointBytes(first: number): number {
  return first < 0x80 ? 0 : Math.clz32(~(first << 24)) - 1;
}

function blockSize(code: number, reader: BitReader): number {
  if (code === 6) return reader.bits(8) + 1;
  if (code === 7) return reader.bits(16) + 1;
  if (code === 1) return 192;
  if (code === 0) throw new RangeError('a reserved block size');
  return code < 6 ? 576 * 2 ** (code - 2) : 256 * 2 ** (code - 8);
}

function readChannels(
  reader: BitReader,
  layout: number,
  bits: number,
  size: number,
): readonly Float64Array[] {
  if (layout > MID_SIDE) throw new RangeError('a reserved layout');
  const count = layout < LEFT_SIDE ? layout + 1 : 2;
  // The difference of two channels takes one bit more.
  const sideAt = layout < LEFT_SIDE ? -1 : layout === SIDE_RIGHT ? 0 : 1;
  const channels = Array.from({ length: count }, (_, index) =>
    readSubframe(reader, bits + (index === sideAt ? 1 : 0), size),
  );
  const [first, second] = channels as [Float64Array, Float64Array];
  for (let at = 0; layout >= LEFT_SIDE && at < size; at += 1) {
    const [a, b] = [first[at]!, second[at]!];
    if (layout === LEFT_SIDE) second[at] = a - b;
    else if (layout === SIDE_RIGHT) first[at] = a + b;
    else {
      const middle = a * 2 + (Math.abs(b) % 2);
      first[at] = (middle + b) / 2;
      second[at] = (middle - b) / 2;
    }
  }
  return channels;
}
