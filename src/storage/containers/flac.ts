import type { MediaFinding } from '../../core/ports.js';
import { ascii, viewOf } from './bytes.js';
import type { Cursor, Scan } from './scan.js';
import { withoutTagsBehind } from './skip-tags.js';

/**
 * How many possible frame headers are tried, from the end. In a cut file none fits; otherwise only the last one does.
 */
const CANDIDATES_MAX = 16;
/** Longer than any frame of up to 24 bits and two channels. */
const TAIL_BYTES = 512 * 1024;
/** The magic word and the first metadata block, which describes the stream. */
const HEAD_BYTES = 42;

const mediaType = 'audio/flac';

export function isFlac(head: Uint8Array): boolean {
  return ascii(head, 0, 4) === 'fLaC';
}

interface StreamInfo {
  /** Samples in each frame if the block size is fixed. */
  readonly blockSize: number;
  readonly samplesPerSecond: number;
  /** 0: unknown. */
  readonly totalSamples: number;
}

/**
 * Starts at the magic word. The file is complete if it ends with its last frame: one whose checksum covers the rest of
 * the file and whose number completes the declared count of samples. Source: RFC 9639.
 */
export function* scanFlac(cursor: Cursor): Scan<MediaFinding> {
  const info = streamInfo(yield HEAD_BYTES);
  if (info === undefined) return { kind: 'incomplete', mediaType };
  cursor.at = Math.max(cursor.at + HEAD_BYTES, cursor.sizeBytes - TAIL_BYTES);
  const endSample = lastSample(yield TAIL_BYTES, info);
  if (endSample === undefined || endSample < info.totalSamples) return { kind: 'incomplete', mediaType };
  return { kind: 'whole', mediaType, durationSeconds: endSample / info.samplesPerSecond };
}

/** The number of samples up to the end of the last frame, if a frame ends where the file ends. */
function lastSample(tail: Uint8Array, info: StreamInfo): number | undefined {
  const bytes = withoutTagsBehind(tail);
  let candidates = 0;
  for (let at = bytes.byteLength - 8; at >= 0 && candidates < CANDIDATES_MAX; at--) {
    const frame = frameHeader(bytes, at, info);
    if (frame === undefined) continue;
    candidates++;
    // A frame ends with its checksum, so the checksum of the whole frame is zero.
    if (crc16(bytes, at, bytes.byteLength) === 0) return frame.endSample;
  }
  return undefined;
}

function streamInfo(head: Uint8Array): StreamInfo | undefined {
  if (head.byteLength < HEAD_BYTES || (head[4]! & 0x7f) !== 0) return undefined;
  const view = viewOf(head);
  const samplesPerSecond = view.getUint32(18) >>> 12;
  if (samplesPerSecond === 0) return undefined;
  return {
    blockSize: view.getUint16(8),
    samplesPerSecond,
    totalSamples: (head[21]! & 0x0f) * 2 ** 32 + view.getUint32(22),
  };
}

/** Reads the frame header at `at`, recognised by its sync code and its own checksum. */
function frameHeader(bytes: Uint8Array, at: number, info: StreamInfo): { endSample: number } | undefined {
  if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xfe) !== 0xf8) return undefined;
  const number = codedNumber(bytes, at + 4);
  if (number === undefined) return undefined;
  const sizeCode = bytes[at + 2]! >> 4;
  const rateCode = bytes[at + 2]! & 0x0f;
  const sizeAt = number.end;
  const sizeBytes = sizeCode === 6 ? 1 : sizeCode === 7 ? 2 : 0;
  const rateBytes = rateCode === 12 ? 1 : rateCode === 13 || rateCode === 14 ? 2 : 0;
  const crcAt = sizeAt + sizeBytes + rateBytes;
  if (sizeCode === 0 || rateCode === 15 || crcAt >= bytes.byteLength) return undefined;
  if (crc8(bytes, at, crcAt) !== bytes[crcAt]) return undefined;
  const samples = blockSamples(sizeCode, bytes, sizeAt);
  const variable = (bytes[at + 1]! & 1) === 1;
  return { endSample: (variable ? number.value : number.value * info.blockSize) + samples };
}

function blockSamples(code: number, bytes: Uint8Array, at: number): number {
  if (code === 1) return 192;
  if (code <= 5) return 576 * 2 ** (code - 2);
  if (code === 6) return bytes[at]! + 1;
  if (code === 7) return bytes[at]! * 256 + bytes[at + 1]! + 1;
  return 256 * 2 ** (code - 8);
}

/** Reads a number of up to 36 bits, coded like UTF-8. */
function codedNumber(bytes: Uint8Array, at: number): { value: number; end: number } | undefined {
  const first = bytes[at] ?? 0xff;
  const more = Math.clz32(~(first << 24));
  if (more === 0) return { value: first, end: at + 1 };
  if (more === 1 || more > 7) return undefined;
  let value = first & (0x7f >> more);
  for (let i = 1; i < more; i++) {
    const next = bytes[at + i];
    if (next === undefined || (next & 0xc0) !== 0x80) return undefined;
    value = value * 64 + (next & 0x3f);
  }
  return { value, end: at + more };
}

/** CRC-8 with polynomial x^8 + x^2 + x + 1. */
function crc8(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let at = from; at < to; at++) {
    crc ^= bytes[at]!;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80 ? 0x07 : 0)) & 0xff;
  }
  return crc;
}

/** CRC-16 with polynomial x^16 + x^15 + x^2 + 1. */
const CRC16_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x8005 : 0)) & 0xffff;
  return crc;
});

function crc16(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let at = from; at < to; at++) crc = ((crc << 8) & 0xffff) ^ CRC16_TABLE[(crc >> 8) ^ bytes[at]!]!;
  return crc;
}
