import { concat, latin1, littleEndian, textAt, viewOf } from './binary.js';
import { type Tags, UntaggableError } from './tags.js';
import { oggComment } from './vorbis.js';

const HEAD_BYTES = 27;
const SEQUENCE_AT = 18;
const CHECKSUM_AT = 22;
const CONTINUED = 1;
const SEGMENTS_MAX = 255;

interface Page {
  readonly bytes: Uint8Array;
  readonly segments: Uint8Array;
  readonly content: Uint8Array;
}

/** What precedes the comment, how many header packets there are, and what ends the comment. */
const KINDS = {
  opus: { before: latin1('OpusTags'), packets: 2, after: new Uint8Array(0) },
  vorbis: { before: concat([Uint8Array.of(3), latin1('vorbis')]), packets: 3, after: Uint8Array.of(1) },
} as const;

/**
 * Replaces the tags of an Ogg file with Opus or Vorbis. Audio packets are unchanged, but their pages are renumbered,
 * because the number of header pages may change. Source: RFC 3533, RFC 7845, Vorbis I.
 */
export function tagOgg(bytes: Uint8Array, tags: Tags): Uint8Array {
  const pages = readPages(bytes);
  const first = pages[0]!;
  const kind = textAt(first.content, 0, 8) === 'OpusHead' ? KINDS.opus : vorbisOrNot(first);
  const { packets, pageCount } = headPackets(pages, kind.packets);
  const written = concat([kind.before, oggComment(tags), kind.after]);
  const head = pagesOf([written, ...packets.slice(2)], viewOf(first.bytes).getUint32(14, true));
  const rest = pages.slice(pageCount).map(({ bytes: page }, at) => numbered(page, 1 + head.length + at));
  return concat([first.bytes, ...head, ...rest]);
}

function vorbisOrNot({ content }: Page): (typeof KINDS)['vorbis'] {
  if (textAt(content, 1, 6) === 'vorbis') return KINDS.vorbis;
  throw new UntaggableError('an Ogg file that is neither Opus nor Vorbis');
}

function readPages(bytes: Uint8Array): readonly Page[] {
  const pages: Page[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    if (textAt(bytes, at, 4) !== 'OggS') throw new UntaggableError('a damaged Ogg file');
    const body = at + HEAD_BYTES + bytes[at + 26]!;
    const segments = bytes.subarray(at + HEAD_BYTES, body);
    const end = body + segments.reduce((sum, length) => sum + length, 0);
    const page = { bytes: bytes.subarray(at, end), segments, content: bytes.subarray(body, end) };
    if (end > bytes.byteLength) throw new UntaggableError('a damaged Ogg file');
    if (pages[0] !== undefined && serialOf(page) !== serialOf(pages[0]))
      throw new UntaggableError('an Ogg file of several streams');
    pages.push(page);
    at = end;
  }
  if (pages.length === 0) throw new UntaggableError('an empty Ogg file');
  return pages;
}

function serialOf({ bytes }: Page): number {
  return viewOf(bytes).getUint32(14, true);
}

/** The header packets, and how many pages they fill: audio begins on a new page. */
function headPackets(
  pages: readonly Page[],
  count: number,
): { readonly packets: readonly Uint8Array[]; readonly pageCount: number } {
  const packets: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  for (const [index, { segments, content }] of pages.entries()) {
    let at = 0;
    for (const length of segments) {
      parts.push(content.subarray(at, at + length));
      at += length;
      if (length === SEGMENTS_MAX) continue;
      packets.push(concat(parts));
      parts = [];
    }
    if (packets.length === count && parts.length === 0) return { packets, pageCount: index + 1 };
    if (packets.length >= count) break;
  }
  throw new UntaggableError('an Ogg file without a header');
}

function pagesOf(packets: readonly Uint8Array[], serial: number): readonly Uint8Array[] {
  const segments = packets.flatMap(segmentsOf);
  const content = concat(packets);
  const pages: Uint8Array[] = [];
  let at = 0;
  for (let from = 0; from < segments.length; from += SEGMENTS_MAX) {
    const own = Uint8Array.from(segments.slice(from, from + SEGMENTS_MAX));
    const size = own.reduce((sum, length) => sum + length, 0);
    const head = [
      latin1('OggS'),
      Uint8Array.of(0, from > 0 && segments[from - 1] === SEGMENTS_MAX ? CONTINUED : 0),
      // No packet with samples ends on it.
      littleEndian(0, 8),
      littleEndian(serial, 4),
      littleEndian(0, 8),
      Uint8Array.of(own.length),
      own,
    ];
    pages.push(numbered(concat([...head, content.subarray(at, at + size)]), 1 + pages.length));
    at += size;
  }
  return pages;
}

function segmentsOf(packet: Uint8Array): number[] {
  const full = Math.floor(packet.byteLength / SEGMENTS_MAX);
  return [...Array.from({ length: full }, () => SEGMENTS_MAX), packet.byteLength % SEGMENTS_MAX];
}

function numbered(page: Uint8Array, sequence: number): Uint8Array {
  const copy = page.slice();
  const view = viewOf(copy);
  view.setUint32(SEQUENCE_AT, sequence, true);
  view.setUint32(CHECKSUM_AT, 0, true);
  view.setUint32(CHECKSUM_AT, checksum(copy), true);
  return copy;
}

/** CRC-32 with polynomial 0x04c11db7, not reflected, starting at 0. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc & 0x8000_0000 ? 0x04c1_1db7 : 0);
  return crc >>> 0;
});

function checksum(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = (crc << 8) ^ TABLE[((crc >>> 24) ^ byte) & 0xff]!;
  return crc >>> 0;
}
