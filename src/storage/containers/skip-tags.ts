import { ascii, viewOf } from './bytes.js';
import type { Cursor, Scan } from './scan.js';

export const TAG_HEAD_BYTES = 32;
const ID3V1_BYTES = 128;

/** Length in bytes of the tag (ID3v1, ID3v2, APE) that begins here; 0: none. It may extend beyond the file. */
export function tagBytes(bytes: Uint8Array): number {
  if (bytes.byteLength >= 10 && ascii(bytes, 0, 3) === 'ID3' && bytes[3] !== 0xff && bytes[4] !== 0xff) {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(6, 10);
    const footerBytes = (bytes[5]! & 0x10) === 0 ? 0 : 10;
    return 10 + footerBytes + (((a & 0x7f) << 21) | ((b & 0x7f) << 14) | ((c & 0x7f) << 7) | (d & 0x7f));
  }
  if (ascii(bytes, 0, 3) === 'TAG') return ID3V1_BYTES;
  if (bytes.byteLength >= TAG_HEAD_BYTES && ascii(bytes, 0, 8) === 'APETAGEX') {
    const view = viewOf(bytes);
    const isHeader = (view.getUint32(20, true) & 0x2000_0000) !== 0;
    // Counts the items and the footer. If this is the footer itself, the items came before it.
    return isHeader ? TAG_HEAD_BYTES + view.getUint32(12, true) : TAG_HEAD_BYTES;
  }
  return 0;
}

/**
 * Zeros that fill up the last block of 512 bytes, the unit of disks and of POSIX `tar`, are padding. More of them may
 * stand where something else was.
 */
const ZEROS_MAX = 511;
/** Longer than Lyrics3 and APE tags of text. */
const PIECE_BYTES = 65_536;

/**
 * The rule for all containers: behind the end of the sound, only tags and a few zeros may follow. Skips them, and stops
 * at anything else.
 *
 * @param zeros `false`: no zeros, because the container does not show that the sound ends here
 */
export function* skipPadding(cursor: Cursor, { zeros = true } = {}): Scan<void> {
  for (;;) {
    const piece = yield PIECE_BYTES;
    const isRest = cursor.at + piece.byteLength === cursor.sizeBytes;
    const length =
      isRest && withoutTagsBehind(piece).byteLength === 0
        ? piece.byteLength
        : longTagBytes(piece) || (zeros ? paddingZeros(piece) : 0);
    if (length === 0) return;
    cursor.at += length;
  }
}

/** Whether nothing follows but what `skipPadding` skips. */
export function* isPaddingToEnd(cursor: Cursor): Scan<boolean> {
  yield* skipPadding(cursor);
  return cursor.at === cursor.sizeBytes;
}

/** Also tags that are recognised only by their ends: Lyrics3, and the extension in front of ID3v1. */
function longTagBytes(bytes: Uint8Array): number {
  if (ascii(bytes, 0, 4) === 'TAG+' && ascii(bytes, ID3V1_EXTENSION_BYTES, 3) === 'TAG')
    return ID3V1_EXTENSION_BYTES;
  if (ascii(bytes, 0, LYRICS_START.length) !== LYRICS_START) return tagBytes(bytes);
  const end = LYRICS_ENDS.exec(Buffer.from(bytes).toString('latin1'));
  return end === null ? 0 : end.index + end[0].length;
}

const ID3V1_EXTENSION_BYTES = 227;
const LYRICS_START = 'LYRICSBEGIN';
/** Version 1, or the size and version 2. */
const LYRICS_ENDS = /LYRICSEND|\d{6}LYRICS200/;

function paddingZeros(bytes: Uint8Array): number {
  const zeros = bytes.findIndex((byte) => byte !== 0);
  const count = zeros < 0 ? bytes.byteLength : zeros;
  return count > ZEROS_MAX ? 0 : count;
}

/** The bytes without the ID3v1 and APE tags at their end. */
function withoutTagsBehind(bytes: Uint8Array): Uint8Array {
  const length = tagBytesBehind(bytes);
  // Part of a tag is none: its start may have replaced sound.
  return length === 0 || length > bytes.byteLength ? bytes : withoutTagsBehind(bytes.subarray(0, -length));
}

function tagBytesBehind(bytes: Uint8Array): number {
  if (ascii(bytes.subarray(-ID3V1_BYTES), 0, 3) === 'TAG') return ID3V1_BYTES;
  const footer = bytes.subarray(-TAG_HEAD_BYTES);
  if (footer.byteLength < TAG_HEAD_BYTES || ascii(footer, 0, 8) !== 'APETAGEX') return 0;
  const view = viewOf(footer);
  const hasHeader = (view.getUint32(20, true) & 0x8000_0000) !== 0;
  return view.getUint32(12, true) + (hasHeader ? TAG_HEAD_BYTES : 0);
}
