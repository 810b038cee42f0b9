import { ascii, viewOf } from './bytes.js';

/** What `readFrame` needs: the header, and the encoder's info frame behind it. */
export const FRAME_HEAD_BYTES = 64;

/** A frame of MPEG audio (layers I to III) or of AAC in ADTS. */
export interface Frame {
  readonly mediaType: 'audio/mpeg' | 'audio/aac';
  readonly bytes: number;
  readonly samples: number;
  readonly samplesPerSecond: number;
  /** Values that are the same in all frames of one stream. */
  readonly stream: string;
  /** The stream's length as noted by the encoder in a first frame without audio. */
  readonly note?: Note;
}

/** Unknown values are absent. */
export interface Note {
  /** Most encoders do not count the frame with the note. */
  readonly frames?: number;
  /** Most encoders count the frame with the note. */
  readonly bytes?: number;
}

/**
 * The frame whose header is at the start of `bytes`. Free bit rate frames are not supported, because they do not state
 * their length.
 */
export function readFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.byteLength < 4 || bytes[0] !== 0xff || (bytes[1]! & 0xe0) !== 0xe0) return undefined;
  return (bytes[1]! & 0x06) === 0 ? readAdts(bytes) : readMpeg(bytes);
}

const KBITS: Readonly<Record<string, readonly number[]>> = {
  '1-1': [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  '1-2': [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  '1-3': [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  '2-1': [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  '2-2': [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  '2-3': [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const RATES = [44_100, 48_000, 32_000];
/** Sample rate divisor by the two version bits: 2.5, reserved, 2, 1. */
const RATE_PARTS = [4, 0, 2, 1];

/** Source: ISO/IEC 11172-3 and 13818-3. */
function readMpeg(bytes: Uint8Array): Frame | undefined {
  const [, b = 0, c = 0, d = 0] = bytes;
  const part = RATE_PARTS[(b >> 3) & 3]!;
  const layer = 4 - ((b >> 1) & 3);
  const rate = RATES[(c >> 2) & 3];
  const kbits = KBITS[`${part === 1 ? 1 : 2}-${layer}`]?.[(c >> 4) - 1];
  if (part === 0 || rate === undefined || kbits === undefined) return undefined;
  const samplesPerSecond = rate / part;
  const samples = layer === 1 ? 384 : layer === 3 && part > 1 ? 576 : 1_152;
  const slotBytes = layer === 1 ? 4 : 1;
  const slots = Math.floor((samples / 8 / slotBytes) * ((kbits * 1_000) / samplesPerSecond));
  const note = layer === 3 ? readNote(bytes, part === 1, (d & 0xc0) === 0xc0) : undefined;
  return {
    mediaType: 'audio/mpeg',
    bytes: (slots + ((c >> 1) & 1)) * slotBytes,
    samples,
    samplesPerSecond,
    stream: `mpeg ${layer} ${samplesPerSecond}`,
    ...(note && { note }),
  };
}

/** `Xing` or `Info` follows the (empty) side information; `VBRI` is always at the same offset. */
function readNote(bytes: Uint8Array, mpeg1: boolean, mono: boolean): Note | undefined {
  if (bytes.byteLength < FRAME_HEAD_BYTES) return undefined;
  const view = viewOf(bytes);
  if (ascii(bytes, 36, 4) === 'VBRI') return { bytes: view.getUint32(46), frames: view.getUint32(50) };
  const at = 4 + (mpeg1 ? (mono ? 17 : 32) : mono ? 9 : 17);
  if (!['Xing', 'Info'].includes(ascii(bytes, at, 4))) return undefined;
  const flags = view.getUint32(at + 4);
  const frames = (flags & 1) === 0 ? undefined : view.getUint32(at + 8);
  const size = (flags & 2) === 0 ? undefined : view.getUint32(at + (frames === undefined ? 8 : 12));
  return { ...(frames && { frames }), ...(size && { bytes: size }) };
}

const ADTS_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
const ADTS_HEAD_BYTES = 7;

/** Source: ISO/IEC 14496-3, 1.A.2. */
function readAdts(bytes: Uint8Array): Frame | undefined {
  if (bytes.byteLength < ADTS_HEAD_BYTES || (bytes[1]! & 0xf0) !== 0xf0) return undefined;
  const samplesPerSecond = ADTS_RATES[(bytes[2]! >> 2) & 0x0f];
  const length = ((bytes[3]! & 3) << 11) | (bytes[4]! << 3) | (bytes[5]! >> 5);
  if (samplesPerSecond === undefined || length <= ADTS_HEAD_BYTES) return undefined;
  return {
    mediaType: 'audio/aac',
    bytes: length,
    samples: 1_024 * ((bytes[6]! & 3) + 1),
    samplesPerSecond,
    stream: `adts ${samplesPerSecond}`,
  };
}
