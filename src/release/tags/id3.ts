import { bigEndian, concat, latin1, textAt, utf8 } from './binary.js';
import { customFields, type Tags } from './tags.js';

const HEAD_BYTES = 10;
const ID3V1_BYTES = 128;
const APE_FOOTER_BYTES = 32;
const UTF8 = Uint8Array.of(3);
const ZERO = Uint8Array.of(0);
/** ISO 639-2 code for an undetermined language. */
const LANGUAGE = latin1('und');
const FRONT_COVER = 3;

/** The tags as ID3v2.4, with texts in UTF-8 and no padding. Source: id3.org, ID3v2.4.0 structure and native frames. */
export function id3Tag(tags: Tags): Uint8Array {
  const texts: readonly (readonly [string, string | undefined])[] = [
    ['TIT2', tags.title],
    ['TPE1', tags.artist],
    ['TPE2', tags.albumArtist],
    ['TALB', tags.album],
    ['TRCK', `${tags.track}/${tags.tracks}`],
    ['TDRC', tags.date],
    ['TCON', tags.genre],
    ['TCOP', tags.copyright],
  ];
  const body = concat([
    ...texts.flatMap(([id, text]) => (text === undefined ? [] : [frame(id, [UTF8, utf8(text)])])),
    ...customFields(tags).map(([name, value]) => frame('TXXX', [UTF8, utf8(name), ZERO, utf8(value)])),
    frame('COMM', [UTF8, LANGUAGE, ZERO, utf8(tags.comment)]),
    ...(tags.lyrics === undefined ? [] : [frame('USLT', [UTF8, LANGUAGE, ZERO, utf8(tags.lyrics)])]),
    ...(tags.cover === undefined ? [] : [picture(tags.cover)]),
  ]);
  return concat([latin1('ID3'), Uint8Array.of(4, 0, 0), syncSafe(body.byteLength), body]);
}

function picture({ mediaType, bytes }: NonNullable<Tags['cover']>): Uint8Array {
  return frame('APIC', [UTF8, latin1(mediaType), ZERO, Uint8Array.of(FRONT_COVER), ZERO, bytes]);
}

function frame(id: string, parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(parts);
  return concat([latin1(id), syncSafe(body.byteLength), bigEndian(0, 2), body]);
}

/** 28 bits in 4 bytes, none of which looks like the start of an audio frame. */
function syncSafe(value: number): Uint8Array {
  return Uint8Array.of((value >> 21) & 0x7f, (value >> 14) & 0x7f, (value >> 7) & 0x7f, value & 0x7f);
}

/** The bytes of an MP3 or ADTS file without the tags at its start and end. */
export function withoutId3(bytes: Uint8Array): Uint8Array {
  let from = 0;
  while (textAt(bytes, from, 3) === 'ID3' && from + HEAD_BYTES <= bytes.byteLength)
    from += tagBytes(bytes, from);
  let to = bytes.byteLength;
  if (textAt(bytes, to - ID3V1_BYTES, 3) === 'TAG') to -= ID3V1_BYTES;
  return bytes.subarray(Math.min(from, to), Math.max(from, to - apeBytes(bytes, to)));
}

function tagBytes(bytes: Uint8Array, at: number): number {
  const size = [6, 7, 8, 9].reduce((sum, offset) => sum * 128 + (bytes[at + offset]! & 0x7f), 0);
  const footer = (bytes[at + 5]! & 0x10) === 0 ? 0 : HEAD_BYTES;
  return HEAD_BYTES + size + footer;
}

/** Length of an APE tag that ends at `to`, including its header. */
function apeBytes(bytes: Uint8Array, to: number): number {
  const at = to - APE_FOOTER_BYTES;
  if (at < 0 || textAt(bytes, at, 8) !== 'APETAGEX') return 0;
  const size = [15, 14, 13, 12].reduce((sum, offset) => sum * 256 + bytes[at + offset]!, 0);
  const header = (bytes[at + 23]! & 0x80) === 0 ? 0 : APE_FOOTER_BYTES;
  return size + header <= to ? size + header : 0;
}

/** Replaces the tags of an MP3 or ADTS file. The audio's bytes are unchanged. */
export function tagMpeg(bytes: Uint8Array, tags: Tags): Uint8Array {
  return concat([id3Tag(tags), withoutId3(bytes)]);
}
