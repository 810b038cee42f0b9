import { crc32 } from 'node:zlib';
import { textAt, viewOf } from './tags/binary.js';
import type { Cover } from './tags/tags.js';

const PNG = '\u0089PNG\r\n\u001a\n';
/** Start of frame markers of all codings. The three missing values are other markers. */
const FRAME_MARKERS = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);
const SCAN = 0xda;
const END_OF_IMAGE = [0xff, 0xd9];

type Size = Pick<Cover, 'width' | 'height'>;

/** The picture in these bytes; `other` if they are neither JPEG nor PNG, `damaged` if one of them is not complete. */
export function readCover(bytes: Uint8Array): Cover | 'other' | 'damaged' {
  const isPng = textAt(bytes, 0, 8) === PNG;
  if (!isPng && (bytes[0] !== 0xff || bytes[1] !== 0xd8)) return 'other';
  const size = isPng ? pngSize(bytes) : jpegSize(bytes);
  if (size === undefined || size.width === 0 || size.height === 0) return 'damaged';
  return { mediaType: isPng ? 'image/png' : 'image/jpeg', ...size, bytes };
}

/** Checks every chunk. */
function pngSize(bytes: Uint8Array): Size | undefined {
  const view = viewOf(bytes);
  let size: Size | undefined;
  for (let at = PNG.length; at + 12 <= bytes.byteLength; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.byteLength || crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end))
      return undefined;
    const type = textAt(bytes, at + 4, 4);
    if (type === 'IEND') return size;
    if (type === 'IHDR' && end - at >= 16)
      size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    at = end + 4;
  }
  return undefined;
}

function jpegSize(bytes: Uint8Array): Size | undefined {
  const view = viewOf(bytes);
  let size: Size | undefined;
  for (let at = 2; at + 9 <= bytes.byteLength && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]!;
    if (FRAME_MARKERS.has(marker)) size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    // Coded picture data never contains the end marker. Other data may follow it.
    if (marker === SCAN)
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(
        Buffer.from(END_OF_IMAGE),
        at,
      )
        ? size
        : undefined;
    // Any number of 0xff bytes may precede a marker.
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return undefined;
}
