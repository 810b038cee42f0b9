export const AUDIO_HEAD_BYTES = 12;

/**
 * Whether bytes begin like a supported audio file. Only a first check to tell audio from JSON or a page. The whole file
 * is verified when it has arrived.
 */
export function isAudioHead(head: Uint8Array): boolean {
  const [name, kind] = [text(head, 0), text(head, 8)];
  if (['RIFF', 'RF64', 'BW64'].includes(name)) return kind === 'WAVE';
  if (name === 'FORM') return kind === 'AIFF' || kind === 'AIFC';
  return (
    ['fLaC', 'OggS', '\x1a\x45\xdf\xa3'].includes(name) ||
    name.startsWith('ID3') ||
    text(head, 4) === 'ftyp' ||
    isFrameHeader(head)
  );
}

/**
 * Whether bytes begin neither JSON nor a page nor other text in any encoding, nor a compressed form of one: a file of a
 * kind that the program does not know.
 */
export function isBinary(head: Uint8Array): boolean {
  if (COMPRESSED.some((start) => start.every((byte, at) => byte === head[at])) || isUtf16(head)) return false;
  const characters = Buffer.from(head).toString('latin1');
  return !/^(?:\xef\xbb\xbf)?\s*[{["<]/.test(characters) && CONTROLS.test(characters);
}

/** gzip, zstd and zlib. */
const COMPRESSED = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  ...[0x01, 0x5e, 0x9c, 0xda].map((level) => [0x78, level]),
];

/** Two bytes may have a zero by chance. */
const UTF16_BYTES_MIN = 8;

/** By its mark or, in western languages, by the zero in each character. `ff fe` also begins MPEG audio. */
function isUtf16(head: Uint8Array): boolean {
  const [a, b, , d] = head;
  if ((a === 0xfe && b === 0xff) || (a === 0xff && b === 0xfe && d === 0)) return true;
  const start = [...head.subarray(0, AUDIO_HEAD_BYTES)];
  return [0, 1].some(
    (side) =>
      start.length >= UTF16_BYTES_MIN && start.every((byte, at) => (at % 2 === side) === (byte === 0)),
  );
}

/** Control characters that no text has. Not those between tab and carriage return, and not escape. */
const CONTROLS = /[\0-\x08\x0e-\x1a\x1c-\x1f]/;

function text(bytes: Uint8Array, from: number): string {
  return String.fromCharCode(...bytes.subarray(from, from + 4));
}

/** MPEG audio, or AAC in ADTS: sync word, and no reserved version, layer, bit rate or sample rate. */
function isFrameHeader([a = 0, b = 0, c = 0]: Uint8Array): boolean {
  if (a !== 0xff || (b & 0xe0) !== 0xe0) return false;
  if ((b & 0x06) === 0) return (b & 0xf0) === 0xf0 && (c & 0x3c) <= 0x30;
  return (b & 0x18) !== 0x08 && (c & 0xf0) !== 0xf0 && (c & 0x0c) !== 0x0c;
}
