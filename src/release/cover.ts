import { textAt, viewOf } from './tags/binary.js';
import type { Cover } from './tags/tags.js';

const PNG = '\u0089PNG\r\n\u001a\n';
/** Start of frame markers of all codings. The three missing values are other markers. */
const FRAME_MARKERS = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);

/** The picture in these bytes; `undefined` if it is neither JPEG nor PNG. */
export function readCover(bytes: Uint8Array): Cover | undefined {
  if (textAt(bytes, 0, 8) === PNG && textAt(bytes, 12, 4) === 'IHDR' && bytes.byteLength >= 24) {
    const view = viewOf(bytes);
    return { mediaType: 'image/png', width: view.getUint32(16), height: view.getUint32(20), bytes };
  }
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const size = jpegSize(bytes);
  return size && { mediaType: 'image/jpeg', ...size, bytes };
}

function jpegSize(bytes: Uint8Array): { readonly width: number; readonly height: number } | undefined {
  const view = viewOf(bytes);
  for (let at = 2; at + 9 <= bytes.byteLength && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]!;
    if (FRAME_MARKERS.has(marker)) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    // Any number of 0xff bytes may precede a marker.
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return undefined;
}
