import { ascii, type Ends, viewOf } from './ends.js';

/** Writers that cannot seek back leave a number near 2^31 or 2^32 where they do not know the length. */
const UNKNOWN_FROM = 0x7fff_0000;

/** Coding, channels, samples and bytes a second, bytes and bits of a sample. */
const FORMAT_BYTES_MIN = 16;

export function isWav(head: Uint8Array): boolean {
  return ascii(head, 0, 4) === 'RIFF' && ascii(head, 8, 4) === 'WAVE';
}

/** @returns seconds of audio that are really there, or `undefined` if the file is shorter than it says, or empty */
export function wavSeconds({ head, sizeBytes }: Ends): number | undefined {
  const view = viewOf(head);
  // A missing last pad byte is a common slip that costs no sample.
  if (isKnown(view.getUint32(4, true)) && view.getUint32(4, true) + 8 > sizeBytes + 1) return undefined;
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= head.byteLength; ) {
    const name = ascii(head, at, 4);
    const length = view.getUint32(at + 4, true);
    if (name === 'fmt ') bytesPerSecond = formatBytesPerSecond(view, at + 8, length);
    if (name === 'data') return dataSeconds(length, sizeBytes - at - 8, bytesPerSecond);
    at += 8 + length + (length % 2);
  }
  return undefined;
}

/** 0 where the format is none that can be played. */
function formatBytesPerSecond(view: DataView, at: number, length: number): number {
  if (length < FORMAT_BYTES_MIN || at + FORMAT_BYTES_MIN > view.byteLength) return 0;
  const channels = view.getUint16(at + 2, true);
  const samplesPerSecond = view.getUint32(at + 4, true);
  return channels > 0 && samplesPerSecond > 0 ? view.getUint32(at + 8, true) : 0;
}

function dataSeconds(declaredBytes: number, restBytes: number, bytesPerSecond: number): number | undefined {
  const bytes = isKnown(declaredBytes) ? declaredBytes : restBytes;
  return bytes > 0 && bytes <= restBytes && bytesPerSecond > 0 ? bytes / bytesPerSecond : undefined;
}

function isKnown(length: number): boolean {
  return length < UNKNOWN_FROM;
}
