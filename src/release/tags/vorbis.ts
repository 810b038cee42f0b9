import { bigEndian, concat, latin1, littleEndian, utf8 } from './binary.js';
import { type Cover, customFields, type Tags } from './tags.js';

const FRONT_COVER = 3;
const COLOUR_BITS = 24;
/** Without a date or version, so that two releases of the same audio are identical. */
const VENDOR = 'venice-batch';

/**
 * The tags as a Vorbis comment, for FLAC and (without `cover`) for Ogg. Source: xiph.org, Vorbis I, 5.
 *
 * @param kept fields that are not tags
 */
export function vorbisComment(
  tags: Tags,
  kept: readonly (readonly [name: string, value: string])[] = [],
): Uint8Array {
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['TITLE', tags.title],
    ['ARTIST', tags.artist],
    ['ALBUMARTIST', tags.albumArtist],
    ['ALBUM', tags.album],
    ['TRACKNUMBER', String(tags.track)],
    ['TRACKTOTAL', String(tags.tracks)],
    ['DATE', tags.date],
    ['GENRE', tags.genre],
    ['COPYRIGHT', tags.copyright],
    ['COMMENT', tags.comment],
    ['LYRICS', tags.lyrics],
    ...customFields(tags),
    ...kept,
  ];
  return comment(fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])));
}

/** Like `vorbisComment`, with the cover as a field: Ogg has no block for it. */
export function oggComment(tags: Tags): Uint8Array {
  const plain = vorbisComment(tags);
  if (tags.cover === undefined) return plain;
  const field = `METADATA_BLOCK_PICTURE=${Buffer.from(pictureBlock(tags.cover)).toString('base64')}`;
  const at = 4 + utf8(VENDOR).byteLength;
  const count = new DataView(plain.buffer).getUint32(at, true);
  return concat([plain.subarray(0, at), littleEndian(count + 1, 4), plain.subarray(at + 4), text(field)]);
}

function comment(fields: readonly string[]): Uint8Array {
  return concat([text(VENDOR), littleEndian(fields.length, 4), ...fields.map(text)]);
}

function text(value: string): Uint8Array {
  const bytes = utf8(value);
  return concat([littleEndian(bytes.byteLength, 4), bytes]);
}

/** The content of a picture block. Source: RFC 9639, 8.8. */
export function pictureBlock({ mediaType, width, height, bytes }: Cover): Uint8Array {
  const type = latin1(mediaType);
  return concat([
    bigEndian(FRONT_COVER, 4),
    bigEndian(type.byteLength, 4),
    type,
    bigEndian(0, 4),
    bigEndian(width, 4),
    bigEndian(height, 4),
    bigEndian(COLOUR_BITS, 4),
    bigEndian(0, 4),
    bigEndian(bytes.byteLength, 4),
    bytes,
  ]);
}
