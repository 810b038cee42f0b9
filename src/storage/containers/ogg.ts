import type { MediaFinding } from '../../core/ports.js';
import { ascii, viewOf } from './bytes.js';
import type { Cursor, Scan } from './scan.js';
import { isPaddingToEnd } from './skip-tags.js';

const PAGE_HEAD_BYTES = 27;
/** 255 segments of 255 bytes. */
const PAGE_BYTES_MAX = PAGE_HEAD_BYTES + 255 + 255 * 255;
const STREAMS_MAX = 1_000;
const [FIRST_PAGE, LAST_PAGE] = [2, 4];
/** Granule position of a page on which no packet ends. */
const NO_GRANULE = 2n ** 64n - 1n;
/** Opus always counts samples at this rate. */
const OPUS_RATE = 48_000;

export function isOgg(head: Uint8Array): boolean {
  return ascii(head, 0, 4) === 'OggS';
}

interface Codec {
  readonly mediaType: 'audio/ogg' | 'audio/opus';
  readonly samplesPerSecond: number;
  /** Samples at the start that are not played. */
  readonly skippedSamples: number;
}

interface Stream {
  /** Absent if the stream is not audio, but a cover picture for example. */
  readonly codec: Codec | undefined;
  sequence: number;
  granule: bigint;
  ended: boolean;
}

/**
 * The file is complete if pages follow one another to its end, each with a valid checksum and the next number, and each
 * stream has its last page (padding may follow). Chained streams are added up. Source: RFC 3533.
 */
export function* scanOgg(cursor: Cursor): Scan<MediaFinding> {
  const streams = new Map<number, Stream>();
  let [seconds, mediaType] = [0, 'audio/ogg'];
  let whole = true;
  while (whole && cursor.at < cursor.sizeBytes) {
    const page = pageOf(yield PAGE_BYTES_MAX);
    if (page === undefined) {
      whole = yield* isPaddingToEnd(cursor);
      break;
    }
    cursor.at += page.bytes;
    const before = streams.get(page.serial);
    const begins = page.isFirst && before?.ended !== false && streams.size < STREAMS_MAX;
    const stream = begins ? newStream(page) : before;
    if (begins && stream !== undefined) streams.set(page.serial, stream);
    whole = stream !== undefined && takePage(stream, page);
    if (stream?.codec === undefined) continue;
    mediaType = stream.codec.mediaType;
    if (stream.ended) seconds += secondsOf(stream.codec, stream.granule);
  }
  whole &&= seconds > 0 && [...streams.values()].every(({ ended }) => ended);
  return whole ? { kind: 'whole', mediaType, durationSeconds: seconds } : { kind: 'incomplete', mediaType };
}

interface Page {
  readonly bytes: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly granule: bigint;
  readonly serial: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

function pageOf(bytes: Uint8Array): Page | undefined {
  if (bytes.byteLength < PAGE_HEAD_BYTES || !isOgg(bytes) || bytes[4] !== 0) return undefined;
  const segments = bytes.subarray(PAGE_HEAD_BYTES, PAGE_HEAD_BYTES + bytes[26]!);
  const headBytes = PAGE_HEAD_BYTES + segments.byteLength;
  const length = segments.reduce((sum, segment) => sum + segment, headBytes);
  const view = viewOf(bytes);
  if (segments.byteLength < bytes[26]! || length > bytes.byteLength) return undefined;
  if (checksum(bytes.subarray(0, length)) !== view.getUint32(22, true)) return undefined;
  return {
    bytes: length,
    isFirst: (bytes[5]! & FIRST_PAGE) !== 0,
    isLast: (bytes[5]! & LAST_PAGE) !== 0,
    granule: view.getBigUint64(6, true),
    serial: view.getUint32(14, true),
    sequence: view.getUint32(18, true),
    body: bytes.subarray(headBytes, length),
  };
}

function newStream({ sequence, body }: Page): Stream {
  return { codec: codecOf(body), sequence: sequence - 1, granule: 0n, ended: false };
}

/** @returns whether this is the stream's next page */
function takePage(stream: Stream, page: Page): boolean {
  if (stream.ended || page.sequence !== (stream.sequence + 1) % 2 ** 32) return false;
  stream.sequence = page.sequence;
  if (page.granule !== NO_GRANULE) stream.granule = page.granule;
  stream.ended = page.isLast;
  return true;
}

/** Identified by the first packet, which is alone on the first page. */
function codecOf(packet: Uint8Array): Codec | undefined {
  const view = viewOf(packet);
  const sized = packet.byteLength >= 30;
  if (ascii(packet, 0, 8) === 'OpusHead' && packet.byteLength >= 12)
    return {
      mediaType: 'audio/opus',
      samplesPerSecond: OPUS_RATE,
      skippedSamples: view.getUint16(10, true),
    };
  if (sized && ascii(packet, 0, 7) === '\x01vorbis') return plain(view.getUint32(12, true));
  if (sized && ascii(packet, 0, 5) === '\x7fFLAC') return plain(view.getUint32(27) >>> 12);
  if (packet.byteLength >= 40 && ascii(packet, 0, 8) === 'Speex   ') return plain(view.getUint32(36, true));
  return undefined;
}

function plain(samplesPerSecond: number): Codec | undefined {
  return samplesPerSecond === 0 ? undefined : { mediaType: 'audio/ogg', samplesPerSecond, skippedSamples: 0 };
}

function secondsOf({ samplesPerSecond, skippedSamples }: Codec, granule: bigint): number {
  return Math.max(0, Number(granule) - skippedSamples) / samplesPerSecond;
}

/** Polynomial 0x04c11db7, not reflected. */
const CRC32_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c1_1db7 : 0);
  return crc >>> 0;
});

/** Checksum of a page, with its own checksum field (offset 22) counted as 0. */
function checksum(page: Uint8Array): number {
  let crc = 0;
  for (let at = 0; at < page.byteLength; at++) {
    const byte = at >= 22 && at < 26 ? 0 : page[at]!;
    crc = (crc << 8) ^ CRC32_TABLE[((crc >>> 24) ^ byte) & 0xff]!;
  }
  return crc >>> 0;
}
