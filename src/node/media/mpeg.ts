import { ascii, type Ends, viewOf } from './ends.js';

/** Longest frame of layer III: what may be missing at the end without a doubt about the rest. */
const FRAME_BYTES_MAX = 1_441;

export function isMpeg(head: Uint8Array): boolean {
  return ascii(head, 0, 3) === 'ID3' || isFrameHeader(head, 0);
}

/** Sync, and no reserved version, layer, bit rate or sample rate. */
function isFrameHeader(bytes: Uint8Array, at: number): boolean {
  const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3);
  const sync = a === 0xff && (b & 0xe0) === 0xe0;
  return sync && (b & 0x18) !== 0x08 && (b & 0x06) !== 0 && (c & 0xf0) !== 0xf0 && (c & 0x0c) !== 0x0c;
}

/** Whether the file is shorter than the encoder's own note of its length (`Xing` or `Info`), where there is one. */
export function isMpegCut({ head, sizeBytes }: Ends): boolean {
  const start = tagBytes(head);
  if (start + 160 > head.byteLength || !isFrameHeader(head, start)) return false;
  const mpeg1 = (head[start + 1]! & 0x18) === 0x18;
  const mono = (head[start + 3]! & 0xc0) === 0xc0;
  const noted = start + 4 + (mpeg1 ? (mono ? 17 : 32) : mono ? 9 : 17);
  const name = ascii(head, noted, 4);
  if (name !== 'Xing' && name !== 'Info') return false;
  const view = viewOf(head);
  const flags = view.getUint32(noted + 4);
  if ((flags & 2) === 0) return false;
  const bytes = view.getUint32(noted + 8 + (flags & 1 ? 4 : 0));
  return bytes > sizeBytes - start + FRAME_BYTES_MAX;
}

/** Length of an ID3v2 tag in front, its header (and footer) included. */
function tagBytes(head: Uint8Array): number {
  if (ascii(head, 0, 3) !== 'ID3' || head.byteLength < 10) return 0;
  const [a = 0, b = 0, c = 0, d = 0] = head.subarray(6, 10);
  const footer = (head[5]! & 0x10) === 0 ? 0 : 10;
  return 10 + footer + (((a & 0x7f) << 21) | ((b & 0x7f) << 14) | ((c & 0x7f) << 7) | (d & 0x7f));
}
