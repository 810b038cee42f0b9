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

const PIECE_BYTES = 65_536;

/** Whether nothing follows but tags and zeros: some writers fill a file up to a whole number of blocks. */
export function* isPaddingToEnd(cursor: Cursor): Scan<boolean> {
  while (cursor.at < cursor.sizeBytes) {
    const piece = yield Math.min(PIECE_BYTES, cursor.sizeBytes - cursor.at);
    // The file is shorter than declared.
    if (piece.byteLength === 0) return false;
    const length = tagBytes(piece);
    const zeros = piece.findIndex((byte) => byte !== 0);
    if (length === 0 && zeros === 0) return false;
    cursor.at += length > 0 ? length : zeros < 0 ? piece.byteLength : zeros;
  }
  return cursor.at === cursor.sizeBytes;
}

/** The bytes without the ID3v1 and APE tags at their end. */
export function withoutTagsBehind(bytes: Uint8Array): Uint8Array {
  const bare = bytes.subarray(0, Math.max(0, bytes.byteLength - tagBytesBehind(bytes)));
  return bare.byteLength === bytes.byteLength ? bare : withoutTagsBehind(bare);
}

function tagBytesBehind(bytes: Uint8Array): number {
  if (ascii(bytes, bytes.byteLength - ID3V1_BYTES, 3) === 'TAG') return ID3V1_BYTES;
  const footer = bytes.subarray(-TAG_HEAD_BYTES);
  if (footer.byteLength < TAG_HEAD_BYTES || ascii(footer, 0, 8) !== 'APETAGEX') return 0;
  const view = viewOf(footer);
  const hasHeader = (view.getUint32(20, true) & 0x8000_0000) !== 0;
  return view.getUint32(12, true) + (hasHeader ? TAG_HEAD_BYTES : 0);
}
