import type { MediaFinding } from '../../core/ports.js';
import { ascii, viewOf } from './bytes.js';
import { type Cursor, chunkEnd, type Scan } from './scan.js';
import { isPaddingToEnd } from './skip-tags.js';

const COMMON_BYTES_MIN = 18;
/** Offset and block size, which precede the samples. */
const SOUND_HEAD_BYTES = 8;
const CHUNKS_MAX = 100_000;
/** AIFF-C codings whose samples have exactly the declared number of bits. */
const PLAIN = ['NONE', 'twos', 'sowt', 'in24', 'in32', 'fl32', 'FL32', 'fl64', 'FL64', 'raw '];

const mediaType = 'audio/aiff';
const INCOMPLETE: MediaFinding = { kind: 'incomplete', mediaType };

export function isAiff(head: Uint8Array): boolean {
  return ascii(head, 0, 4) === 'FORM' && ['AIFF', 'AIFC'].includes(ascii(head, 8, 4));
}

interface Common {
  readonly frames: number;
  readonly samplesPerSecond: number;
  /** Bytes of one sample of all channels; absent if the coding is compressed. */
  readonly blockBytes?: number;
}

/** The file is complete if every chunk is (padding may follow). Source: Apple, "Audio Interchange File Format" 1.3 and AIFF-C. */
export function* scanAiff(cursor: Cursor): Scan<MediaFinding> {
  const head = yield 12;
  const end = cursor.at + 8 + viewOf(head).getUint32(4);
  const compressed = ascii(head, 8, 4) === 'AIFC';
  // Some writers leave out the last pad byte, which costs no sample.
  if (end > cursor.sizeBytes + 1) return INCOMPLETE;
  cursor.at += 12;
  let common: Common | undefined;
  let soundBytes: number | undefined;
  for (let chunks = 0; chunks < CHUNKS_MAX && cursor.at + 8 <= end; chunks++) {
    const bytes = yield 8;
    const [name, length] = [ascii(bytes, 0, 4), viewOf(bytes).getUint32(4)];
    if (name === '\0\0\0\0') break;
    cursor.at += 8;
    if (cursor.at + length > Math.min(end, cursor.sizeBytes)) return INCOMPLETE;
    if (name === 'COMM') common = readCommon(yield Math.min(length, COMMON_BYTES_MIN + 4), compressed);
    if (name === 'SSND') soundBytes = length - SOUND_HEAD_BYTES;
    cursor.at = chunkEnd(cursor, length);
  }
  if (common === undefined || soundBytes === undefined || soundBytes <= 0) return INCOMPLETE;
  if (common.blockBytes !== undefined && common.frames * common.blockBytes > soundBytes) return INCOMPLETE;
  if (!(yield* isPaddingToEnd(cursor))) return INCOMPLETE;
  // A frame of a compressed coding is a packet, which holds many samples.
  const known = common.blockBytes !== undefined;
  return {
    kind: 'whole',
    mediaType,
    ...(known && { durationSeconds: common.frames / common.samplesPerSecond }),
  };
}

function readCommon(bytes: Uint8Array, compressed: boolean): Common | undefined {
  if (bytes.byteLength < COMMON_BYTES_MIN) return undefined;
  const view = viewOf(bytes);
  const [channels, frames, bits] = [view.getUint16(0), view.getUint32(2), view.getUint16(6)];
  const samplesPerSecond = extended(view, 8);
  if (channels === 0 || frames === 0 || !(samplesPerSecond > 0 && samplesPerSecond < 1e7)) return undefined;
  const plain = !compressed || PLAIN.includes(ascii(bytes, COMMON_BYTES_MIN, 4));
  return { frames, samplesPerSecond, ...(plain && { blockBytes: channels * Math.ceil(bits / 8) }) };
}

/** Reads an 80-bit IEEE 754 number. */
function extended(view: DataView, at: number): number {
  const exponent = (view.getUint16(at) & 0x7fff) - 16_383;
  return (view.getUint32(at + 2) + view.getUint32(at + 6) / 2 ** 32) * 2 ** (exponent - 31);
}
