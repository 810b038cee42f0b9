/** What `isAudioHead` needs to see, bytes. */
export const AUDIO_HEAD_BYTES = 12;

/**
 * Whether bytes begin like a file that can be taken into custody (WAV, FLAC, MP3). Only a first look, where nothing
 * else tells audio from a report or a page: the whole of it is checked when it is there.
 */
export function isAudioHead(head: Uint8Array): boolean {
  const name = String.fromCharCode(...head.subarray(0, 4));
  if (name === 'RIFF') return String.fromCharCode(...head.subarray(8, 12)) === 'WAVE';
  return name === 'fLaC' || name.startsWith('ID3') || isFrameHeader(head);
}

/** Of MPEG audio: sync, and no reserved version, layer, bit rate or sample rate. */
function isFrameHeader([a = 0, b = 0, c = 0]: Uint8Array): boolean {
  const sync = a === 0xff && (b & 0xe0) === 0xe0;
  return sync && (b & 0x18) !== 0x08 && (b & 0x06) !== 0 && (c & 0xf0) !== 0xf0 && (c & 0x0c) !== 0x0c;
}
