import { createHash } from 'node:crypto';
import { crc8, crc16 } from '../core/flac-checksums.js';
import { bitWriter } from './bit-writer.js';
import { encodeSubframe } from './encode-flac-subframe.js';
import { flacMask, MASK_FIELD, maskOf } from './layout.js';
import type { Pcm } from './pcm.js';
import { wholeSamples } from './sample-bits.js';

/*
 * A FLAC encoder: fixed block size, fixed prediction, Rice coding, and for stereo the better of left/right and
 * mid/side. Files are a few percent larger than the reference encoder's, but no other program is needed. Source: RFC
 * 9639.
 */

const BLOCK = 4_096;
const STREAMINFO_BYTES = 34;
const CHANNELS_MAX = 8;
/** In the frame header. */
const MIDDLE_AND_SIDE = 0b1010;
const BLOCK_SIZE_AT_END = 0b0111;

/** Throws a `RangeError` for audio that FLAC cannot hold. */
export function encodeFlac(pcm: Pcm, bits: 16 | 24): Uint8Array {
  const { channels, sampleRate } = pcm;
  if (channels.length > CHANNELS_MAX || sampleRate >= 2 ** 20)
    throw new RangeError('more than a FLAC file can hold');
  const whole = channels.map((samples) => wholeSamples(samples, bits));
  const count = whole[0]?.length ?? 0;
  const frames: Uint8Array[] = [];
  for (let from = 0; from < count; from += BLOCK)
    frames.push(
      encodeFrame(
        frames.length,
        whole.map((samples) => samples.subarray(from, from + BLOCK)),
        bits,
      ),
    );
  const mask = maskOf(pcm);
  const comment = mask === undefined || mask === flacMask(channels.length) ? undefined : maskComment(mask);
  return Buffer.concat([
    head(whole, sampleRate, bits, comment === undefined),
    ...(comment ? [comment] : []),
    ...frames,
  ]);
}

/** A block with the channel mask, which is the last one. */
function maskComment(mask: number): Uint8Array {
  const field = Buffer.from(`${MASK_FIELD}=0x${mask.toString(16).toUpperCase()}`);
  const bytes = Buffer.alloc(16 + field.length);
  bytes.writeUInt8(0x84, 0);
  bytes.writeUIntBE(bytes.length - 4, 1, 3);
  // No vendor, one field.
  bytes.writeUInt32LE(1, 8);
  bytes.writeUInt32LE(field.length, 12);
  field.copy(bytes, 16);
  return bytes;
}

function head(
  channels: readonly Int32Array[],
  sampleRate: number,
  bits: number,
  isLast: boolean,
): Uint8Array {
  const bytes = Buffer.alloc(8 + STREAMINFO_BYTES);
  bytes.write('fLaC', 0, 'latin1');
  bytes.writeUInt8(isLast ? 0x80 : 0, 4);
  bytes.writeUIntBE(STREAMINFO_BYTES, 5, 3);
  bytes.writeUInt16BE(BLOCK, 8);
  bytes.writeUInt16BE(BLOCK, 10);
  // Frame sizes are left unknown. Then 20 bits for the rate, 3 for channels - 1, 5 for bits - 1, 36 for samples.
  const packed =
    (BigInt(sampleRate) << 44n) |
    (BigInt(channels.length - 1) << 41n) |
    (BigInt(bits - 1) << 36n) |
    BigInt(channels[0]?.length ?? 0);
  bytes.writeBigUInt64BE(packed, 18);
  digest(channels, bits / 8).copy(bytes, 26);
  return bytes;
}

/** MD5 of the interleaved samples, as a WAV file stores them. Decoders check it. */
function digest(channels: readonly Int32Array[], bytesEach: number): Buffer {
  const hash = createHash('md5');
  const count = channels[0]?.length ?? 0;
  for (let from = 0; from < count; from += BLOCK) {
    const to = Math.min(count, from + BLOCK);
    const bytes = Buffer.alloc((to - from) * channels.length * bytesEach);
    let at = 0;
    for (let sample = from; sample < to; sample += 1)
      for (const samples of channels) at = bytes.writeIntLE(samples[sample]!, at, bytesEach);
    hash.update(bytes);
  }
  return hash.digest();
}

function encodeFrame(index: number, channels: readonly Int32Array[], bits: 16 | 24): Uint8Array {
  const plain = channels.map((samples) => encodeSubframe(samples, bits));
  const [left, right] = channels;
  const joint =
    channels.length === 2 && left !== undefined && right !== undefined
      ? [
          encodeSubframe(
            left.map((sample, at) => (sample + right[at]!) >> 1),
            bits,
          ),
          encodeSubframe(
            left.map((sample, at) => sample - right[at]!),
            bits + 1,
          ),
        ]
      : undefined;
  const sizeOf = (parts: readonly { readonly bits: number }[]) =>
    parts.reduce((sum, part) => sum + part.bits, 0);
  const isJoint = joint !== undefined && sizeOf(joint) < sizeOf(plain);
  const subframes = isJoint ? joint : plain;
  const writer = bitWriter(64 + Math.ceil(sizeOf(subframes) / 8));
  const assignment = isJoint ? MIDDLE_AND_SIDE : channels.length - 1;
  const header = frameHeader(index, channels[0]?.length ?? 0, assignment, bits);
  for (const byte of header) writer.write(byte, 8);
  for (const subframe of subframes) subframe.writeTo(writer);
  writer.align();
  const body = writer.done();
  const crc = crc16(body);
  return Buffer.concat([body, Uint8Array.of(crc >> 8, crc & 0xff)]);
}

/** The rate is the one in STREAMINFO. The block size follows at the end of the header. */
function frameHeader(index: number, samples: number, assignment: number, bits: 16 | 24): readonly number[] {
  const start = [
    0xff,
    0xf8,
    BLOCK_SIZE_AT_END << 4,
    (assignment << 4) | ((bits === 16 ? 0b100 : 0b110) << 1),
    ...codedNumber(index),
    (samples - 1) >> 8,
    (samples - 1) & 0xff,
  ];
  return [...start, crc8(start)];
}

/** Coded like UTF-8. */
function codedNumber(value: number): readonly number[] {
  if (value < 0x80) return [value];
  if (value < 0x800) return [0xc0 | (value >> 6), 0x80 | (value & 0x3f)];
  if (value < 0x1_0000) return [0xe0 | (value >> 12), 0x80 | ((value >> 6) & 0x3f), 0x80 | (value & 0x3f)];
  return [
    0xf0 | (value >> 18),
    0x80 | ((value >> 12) & 0x3f),
    0x80 | ((value >> 6) & 0x3f),
    0x80 | (value & 0x3f),
  ];
}
