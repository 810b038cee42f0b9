import { crc8, crc16 } from '../../core/flac-checksums.js';
import type { MediaFinding } from '../../core/ports.js';
import { ascii, viewOf } from './bytes.js';
import { type Cursor, runScan, type Scan } from './scan.js';
import { isPaddingToEnd } from './skip-tags.js';

/** Longer than any two frames of up to 24 bits and two channels. */
const WINDOW_BYTES = 1024 * 1024;
/** The magic word and the first metadata block, which describes the stream. */
const HEAD_BYTES = 42;
const FRAME_BYTES_MIN = 8;

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
 * Starts at the magic word. The file is complete if frames follow one another to its end, each with a valid checksum and
 * the next number (padding may follow), and add up to the declared count of samples. Source: RFC 9639.
 */
export function* scanFlac(cursor: Cursor): Scan<MediaFinding> {
  const info = streamInfo(yield HEAD_BYTES);
  if (info === undefined) return { kind: 'incomplete', mediaType };
  yield* skipMetadata(cursor);
  const samples = yield* countSamples(cursor, info);
  if (samples === undefined || samples < info.totalSamples) return { kind: 'incomplete', mediaType };
  return { kind: 'whole', mediaType, durationSeconds: samples / info.samplesPerSecond };
}

function* skipMetadata(cursor: Cursor): Scan<void> {
  cursor.at += 4;
  for (let isLast = false; !isLast && cursor.at < cursor.sizeBytes; ) {
    const [kind = 0x80, a = 0, b = 0, c = 0] = yield 4;
    isLast = kind >= 0x80;
    cursor.at += 4 + a * 65_536 + b * 256 + c;
  }
}

/** The number of samples in all frames, or `undefined` if a frame is damaged or missing. */
function* countSamples(cursor: Cursor, info: StreamInfo): Scan<number | undefined> {
  let first: Frame | undefined;
  let expected: number | undefined;
  for (;;) {
    const window = yield WINDOW_BYTES;
    const frame = frameHeader(window, 0, info);
    if (frame === undefined || (expected !== undefined && frame.startSample !== expected)) return undefined;
    first ??= frame;
    const { at, last } = lastFrame(window, frame, info);
    if (cursor.at + window.byteLength >= cursor.sizeBytes)
      return isLastWhole(window.subarray(at)) ? last.endSample - first.startSample : undefined;
    if (at === 0) return undefined;
    cursor.at += at;
    expected = last.startSample;
  }
}

/** Follows the frames from the one at 0 to the last that begins in `bytes`. */
function lastFrame(bytes: Uint8Array, frame: Frame, info: StreamInfo): { at: number; last: Frame } {
  let [at, last] = [0, frame];
  let [checked, crc] = [0, 0];
  const nextSync = (from: number) => bytes.indexOf(0xff, from);
  for (let to = nextSync(FRAME_BYTES_MIN); to >= 0; to = nextSync(to + 1)) {
    if ((bytes[to + 1]! & 0xfe) !== 0xf8) continue;
    // A frame ends with its checksum, so the checksum of the whole frame is zero.
    crc = crc16(bytes, checked, to, crc);
    checked = to;
    const next = crc === 0 ? frameHeader(bytes, to, info) : undefined;
    if (next?.startSample === last.endSample) [at, last] = [to, next];
  }
  return { at, last };
}

/** Whether `bytes` are a frame, which ends where its checksum is zero, and padding. */
function isLastWhole(bytes: Uint8Array): boolean {
  let crc = 0;
  for (let at = 0; at < bytes.byteLength; at++) {
    const before = crc;
    crc = crc16(bytes, at, at + 1, crc);
    // Zeros behind the checksum do not change it.
    if (crc === 0 && before !== 0 && isPadding(bytes.subarray(at + 1))) return true;
  }
  return false;
}

function isPadding(bytes: Uint8Array): boolean {
  const scan = runScan(isPaddingToEnd, bytes.byteLength);
  scan.feed(bytes);
  return scan.end();
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

interface Frame {
  readonly startSample: number;
  readonly endSample: number;
}

/** Reads the frame header at `at`, recognised by its sync code and its own checksum. */
function frameHeader(bytes: Uint8Array, at: number, info: StreamInfo): Frame | undefined {
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
  const startSample = variable ? number.value : number.value * info.blockSize;
  return { startSample, endSample: startSample + samples };
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
