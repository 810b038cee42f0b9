import type { MediaFinding } from '../../core/ports.js';
import { ascii, viewOf } from './bytes.js';
import { type Cursor, chunkEnd, type Scan } from './scan.js';
import { isPaddingToEnd, TAG_HEAD_BYTES, tagBytes } from './skip-tags.js';

/** Writers that cannot seek back write 0, or a number near 2^31 or 2^32, as an unknown length. */
const UNKNOWN_FROM = 0x7fff_0000;
/** Coding, channels, samples and bytes a second, bytes and bits per sample. */
const FORMAT_BYTES_MIN = 16;
/** 64-bit sizes of the file and of its audio. */
const SIZES_BYTES = 16;
const CHUNKS_MAX = 100_000;

const mediaType = 'audio/wav';
const INCOMPLETE: MediaFinding = { kind: 'incomplete', mediaType };

/** RIFF, or with 64-bit sizes RF64 (EBU Tech 3306) and BW64. */
export function isWav(head: Uint8Array): boolean {
  return ['RIFF', 'RF64', 'BW64'].includes(ascii(head, 0, 4)) && ascii(head, 8, 4) === 'WAVE';
}

/** Codings in which each sample has the same number of bytes: PCM, float, A-law, µ-law, and the one that names these at length. */
const PLAIN_CODINGS: readonly number[] = [1, 3, 6, 7, 0xfffe];

interface Format {
  readonly isPlain: boolean;
  readonly samplesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly blockBytes: number;
}

interface Known {
  format?: Format | undefined;
  /** Of each channel. Stated for compressed audio, whose bytes do not tell. */
  samples?: number;
  /** From RF64: sizes that do not fit in 32 bits. */
  riffBytes?: number;
  dataBytes?: number;
}

/**
 * The file is complete if every chunk is, and chunks fill it to its last byte (padding may follow). Starts at the
 * beginning of the file.
 */
export function* scanWav(cursor: Cursor): Scan<MediaFinding> {
  const head = yield 12;
  const stated = viewOf(head).getUint32(4, true);
  cursor.at += 12;
  const known: Known = isKnown(stated) ? { riffBytes: stated } : {};
  let durationSeconds: number | undefined;
  for (let chunks = 0; chunks < CHUNKS_MAX; chunks++) {
    const bytes = yield TAG_HEAD_BYTES;
    if (bytes.byteLength < 8 || (durationSeconds !== undefined && !isChunk(bytes, cursor, known))) break;
    const name = ascii(bytes, 0, 4);
    const declared = viewOf(bytes).getUint32(4, true);
    cursor.at += 8;
    if (name === 'data' && durationSeconds === undefined) {
      const length = dataBytes(declared, known, cursor);
      durationSeconds = length === undefined ? undefined : secondsOf(length, known);
      if (length === undefined || durationSeconds === undefined) return INCOMPLETE;
      cursor.at = chunkEnd(cursor, length);
      continue;
    }
    if (cursor.at + declared > cursor.sizeBytes) return INCOMPLETE;
    if (name === 'fact') known.samples = readSamples(yield 4);
    if (name === 'ds64') yield* readSizes(known);
    if (name === 'fmt ') known.format = readFormat(yield Math.min(declared, FORMAT_BYTES_MIN));
    cursor.at = chunkEnd(cursor, declared);
  }
  return durationSeconds === undefined || isShort(known, cursor) || !(yield* isPaddingToEnd(cursor))
    ? INCOMPLETE
    : { kind: 'whole', mediaType, durationSeconds };
}

function isKnown(length: number): boolean {
  return length > 0 && length < UNKNOWN_FROM;
}

/** Some writers append chunks without counting them in the header: those have to look like some. */
function isChunk(bytes: Uint8Array, { at, sizeBytes }: Cursor, { riffBytes }: Known): boolean {
  const name = ascii(bytes, 0, 4);
  if (riffBytes !== undefined && at < 8 + riffBytes) return name !== '\0\0\0\0';
  const end = at + 8 + viewOf(bytes).getUint32(4, true);
  // Another file is no chunk of this one.
  return end <= sizeBytes && tagBytes(bytes) === 0 && /^(?!RIFF|RF64|BW64)[A-Za-z][\w ]{3}$/.test(name);
}

/** Some writers leave out the last pad byte, or count the header's own 8 bytes. Neither costs a sample. */
function isShort({ riffBytes }: Known, { sizeBytes }: Cursor): boolean {
  if (riffBytes === undefined) return false;
  return riffBytes + 8 > sizeBytes + 1 && riffBytes !== sizeBytes;
}

function* readSizes(known: Known): Scan<void> {
  const view = viewOf(yield SIZES_BYTES);
  if (view.byteLength < SIZES_BYTES) return;
  const [riff, data] = [view.getBigUint64(0, true), view.getBigUint64(8, true)];
  // All bits set means that the length is unknown.
  if (riff > 0n && riff < 1n << 53n) known.riffBytes = Number(riff);
  if (data > 0n && data < 1n << 53n) known.dataBytes = Number(data);
}

/** Returns `undefined` if the format cannot be played. */
function readFormat(bytes: Uint8Array): Format | undefined {
  if (bytes.byteLength < FORMAT_BYTES_MIN) return undefined;
  const view = viewOf(bytes);
  const isPlain = PLAIN_CODINGS.includes(view.getUint16(0, true));
  const channels = view.getUint16(2, true);
  const samplesPerSecond = view.getUint32(4, true);
  const blockBytes = view.getUint16(12, true);
  // Players of plain samples do not look at the stated rate of bytes, so it may be wrong unnoticed.
  const plainRate = samplesPerSecond * blockBytes;
  const bytesPerSecond = (isPlain && plainRate) || view.getUint32(8, true) || plainRate;
  return channels > 0 && samplesPerSecond > 0 && bytesPerSecond > 0
    ? { isPlain, samplesPerSecond, bytesPerSecond, blockBytes }
    : undefined;
}

/** Bytes of audio in the file, or `undefined` if there are fewer than declared or a sample is cut. */
function dataBytes(declared: number, known: Known, { at, sizeBytes }: Cursor): number | undefined {
  const rest = sizeBytes - at;
  const stated = declared < UNKNOWN_FROM && declared > 0 ? declared : known.dataBytes;
  if (stated !== undefined) return stated <= rest ? stated : undefined;
  // Streamed: the audio extends to the end of the file, so only that shows its length.
  const over = rest % Math.max(1, known.format?.blockBytes ?? 1);
  return over === 0 || (over === 1 && rest % 2 === 0) ? rest - over : undefined;
}

function readSamples(bytes: Uint8Array): number {
  const samples = bytes.byteLength < 4 ? 0 : viewOf(bytes).getUint32(0, true);
  return isKnown(samples) ? samples : 0;
}

function secondsOf(bytes: number, { format, samples = 0 }: Known): number | undefined {
  if (format === undefined || bytes === 0) return undefined;
  if (!format.isPlain && samples > 0) return samples / format.samplesPerSecond;
  return bytes / format.bytesPerSecond;
}
