import { ascii, viewOf } from './bytes.js';

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
