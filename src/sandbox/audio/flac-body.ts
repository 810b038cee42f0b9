import { crc8, crc16 } from '../../core/flac-checksums.js';
import type { AudioBody } from '../service-response.js';
import { BLOCK } from './loops.js';
import { RATE } from './synth.js';
import type { Track } from './track.js';

/*
 * A small FLAC encoder: 16 bit, mono, fixed block size, second-order fixed prediction with one Rice parameter per
 * block, or verbatim if that is shorter. Source: RFC 9639.
 */

const STREAMINFO_BYTES = 34;
const HEAD_BYTES = 4 + 4 + STREAMINFO_BYTES;
const RICE_PARAMETER_MAX = 14;

export function flacBody(track: Track): AudioBody {
  const known = new Map<string, Uint8Array>();
  const subframe = (index: number): Uint8Array => {
    const { samples, key } = track.block(index);
    const before = key === undefined ? undefined : known.get(key);
    const encoded = before ?? encodeSubframe(samples);
    if (key !== undefined) known.set(key, encoded);
    return encoded;
  };
  let bytes = HEAD_BYTES;
  for (let index = 0; index < track.blocks; index += 1)
    bytes += frameBytes(index, lengthOf(track, index), subframe(index));
  return {
    bytes,
    *chunks() {
      yield head(track.samples);
      for (let index = 0; index < track.blocks; index += 1)
        yield frame(index, lengthOf(track, index), subframe(index));
    },
  };
}

function lengthOf(track: Track, index: number): number {
  return Math.min(BLOCK, track.samples - index * BLOCK);
}

function head(samples: number): Uint8Array {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.write('fLaC', 0, 'latin1');
  // The only metadata block, so also the last.
  bytes.writeUInt8(0x80, 4);
  bytes.writeUIntBE(STREAMINFO_BYTES, 5, 3);
  bytes.writeUInt16BE(BLOCK, 8);
  bytes.writeUInt16BE(BLOCK, 10);
  // Frame sizes are left unknown. Then 20 bits for the rate, 3 for channels - 1, 5 for bits - 1, 36 for samples.
  const packed = (BigInt(RATE) << 44n) | (15n << 36n) | BigInt(samples);
  bytes.writeBigUInt64BE(packed, 18);
  return bytes;
}

function frameBytes(index: number, samples: number, subframe: Uint8Array): number {
  return frameHeader(index, samples).length + subframe.length + 2;
}

function frame(index: number, samples: number, subframe: Uint8Array): Uint8Array {
  const header = frameHeader(index, samples);
  const bytes = Buffer.allocUnsafe(header.length + subframe.length + 2);
  bytes.set(header, 0);
  bytes.set(subframe, header.length);
  bytes.writeUInt16BE(crc16(bytes.subarray(0, bytes.length - 2)), bytes.length - 2);
  return bytes;
}

/** Sync code, 16-bit block size at the end of the header, rate and depth as in STREAMINFO, mono. */
function frameHeader(index: number, samples: number): Uint8Array {
  const start = [
    0xff,
    0xf8,
    0x70,
    0x00,
    ...utf8Number(index),
    ((samples - 1) >> 8) & 0xff,
    (samples - 1) & 0xff,
  ];
  return Uint8Array.from([...start, crc8(start)]);
}

/** A number coded like UTF-8. */
function utf8Number(value: number): number[] {
  if (value < 0x80) return [value];
  if (value < 0x800) return [0xc0 | (value >> 6), 0x80 | (value & 0x3f)];
  return [0xe0 | (value >> 12), 0x80 | ((value >> 6) & 0x3f), 0x80 | (value & 0x3f)];
}

function encodeSubframe(samples: Int16Array): Uint8Array {
  const residuals = new Int32Array(Math.max(0, samples.length - 2));
  let sum = 0;
  for (let index = 2; index < samples.length; index += 1) {
    const residual = samples[index]! - 2 * samples[index - 1]! + samples[index - 2]!;
    // Folded, so that small negative numbers are small too.
    const folded = residual >= 0 ? residual * 2 : -residual * 2 - 1;
    residuals[index - 2] = folded;
    sum += folded;
  }
  const mean = sum / Math.max(1, residuals.length);
  const parameter = Math.min(RICE_PARAMETER_MAX, Math.max(0, Math.floor(Math.log2(mean + 1))));
  let bits = 8 + 32 + 6 + 4;
  for (const folded of residuals) bits += (folded >>> parameter) + 1 + parameter;
  if (samples.length < 3 || bits >= 8 + 16 * samples.length) return verbatim(samples);
  return predicted(samples, residuals, parameter, Math.ceil(bits / 8));
}

function verbatim(samples: Int16Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(1 + samples.length * 2);
  bytes.writeUInt8(0x02, 0);
  for (let index = 0; index < samples.length; index += 1) bytes.writeInt16BE(samples[index]!, 1 + index * 2);
  return bytes;
}

function predicted(samples: Int16Array, residuals: Int32Array, parameter: number, size: number): Uint8Array {
  const bits = bitWriter(size);
  bits.write(0b0_001_010_0, 8);
  bits.write(samples[0]! & 0xffff, 16);
  bits.write(samples[1]! & 0xffff, 16);
  // Rice coding with 4-bit parameters, one partition.
  bits.write(0, 6);
  bits.write(parameter, 4);
  for (const folded of residuals) {
    bits.skip(folded >>> parameter);
    bits.write((1 << parameter) | (folded & ((1 << parameter) - 1)), parameter + 1);
  }
  return bits.bytes;
}

/** Writes bits, most significant first, into zeroed bytes. */
function bitWriter(size: number): {
  bytes: Uint8Array;
  write(value: number, count: number): void;
  skip(zeros: number): void;
} {
  const bytes = new Uint8Array(size);
  let place = 0;
  return {
    bytes,
    write(value, count) {
      for (let left = count; left > 0; ) {
        const room = 8 - (place & 7);
        const take = Math.min(room, left);
        const part = (value >>> (left - take)) & ((1 << take) - 1);
        bytes[place >> 3]! |= part << (room - take);
        place += take;
        left -= take;
      }
    },
    skip(zeros) {
      place += zeros;
    },
  };
}
