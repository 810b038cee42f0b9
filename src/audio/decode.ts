import { FRAME_HEAD_BYTES, readFrame } from '../storage/containers/mpeg-frame.js';
import { tagBytes } from '../storage/containers/skip-tags.js';
import { decodeAlac } from './alac.js';
import { decodeFlac } from './decode-flac.js';
import { decodeWav } from './decode-wav.js';
import type { Decoded, Pcm } from './pcm.js';
import { readMp4Audio } from './read-mp4.js';

/**
 * Another program's decoder (`ffmpeg`), for formats without a decoder here. Resolves to a WAV file, or to `undefined`
 * if it is not installed or fails.
 */
export type ExternalDecoder = () => Promise<Uint8Array | undefined>;

/**
 * Decodes a whole audio file: WAV, FLAC, MP3 and Apple Lossless built in, AAC, Ogg and others with `external`. The
 * format is detected from the bytes, not the name. Never throws because of the file's content.
 */
export async function decodeAudio(bytes: Uint8Array, external?: ExternalDecoder): Promise<Decoded> {
  const { format, decode } = decoderOf(bytes);
  const own = await decode?.(bytes).catch(() => undefined);
  if (isSound(own)) return { kind: 'pcm', pcm: own };
  const other = await external?.();
  const others = other && decodeWav(other);
  if (isSound(others)) return { kind: 'pcm', pcm: others };
  return decode === undefined ? { kind: 'unsupported', format } : { kind: 'damaged', format };
}

/** Lower rates occur only in damaged headers, and the measurements divide by them. */
const SAMPLE_RATE_MIN = 1_000;

function isSound(pcm: Pcm | undefined): pcm is Pcm {
  if (pcm === undefined || pcm.sampleRate < SAMPLE_RATE_MIN) return false;
  return (pcm.channels[0]?.length ?? 0) > 0 && pcm.channels.every(isFinitePcm);
}

/** A float file may contain what is no number, which would make every measurement, and the limiter's gain, no number. */
function isFinitePcm(samples: Float32Array): boolean {
  let sum = 0;
  for (const sample of samples) sum += sample;
  return Number.isFinite(sum);
}

interface Decoder {
  /** Name of the format as users know it. */
  readonly format: string;
  /** Absent: not available. */
  decode?(bytes: Uint8Array): Promise<Pcm | undefined>;
}

function decoderOf(bytes: Uint8Array): Decoder {
  const head = String.fromCharCode(...bytes.subarray(0, 64));
  if (/^(RIFF|RF64|BW64)/.test(head) && head.slice(8, 12) === 'WAVE')
    return { format: 'WAV', decode: async (wav) => decodeWav(wav) };
  if (head.startsWith('OggS')) return { format: 'Ogg' };
  if (head.slice(4, 8) === 'ftyp') return mp4Decoder(bytes);
  const untagged = bytes.subarray(tagBytes(bytes));
  if (String.fromCharCode(...untagged.subarray(0, 4)) === 'fLaC')
    return { format: 'FLAC', decode: async (flac) => decodeFlac(flac) };
  const frame = readFrame(untagged.subarray(0, FRAME_HEAD_BYTES));
  if (frame?.mediaType === 'audio/aac') return { format: 'AAC' };
  if (frame !== undefined || head.startsWith('ID3')) return { format: 'MP3', decode: decodeMp3 };
  return { format: 'this format' };
}

const MP4_CODECS: Readonly<Record<string, string>> = { mp4a: 'AAC in MP4', 'ac-3': 'AC-3 in MP4' };

function mp4Decoder(bytes: Uint8Array): Decoder {
  const audio = readMp4Audio(bytes);
  if (audio?.codec === 'alac')
    return { format: 'Apple Lossless', decode: async () => decodeAlac(audio.configuration, audio.frames) };
  return { format: MP4_CODECS[audio?.codec ?? ''] ?? 'this kind of MP4' };
}

/** The library returns two equal channels for mono files. */
async function decodeMp3(bytes: Uint8Array): Promise<Pcm> {
  const { MPEGDecoder } = await import('mpg123-decoder');
  const decoder = new MPEGDecoder();
  await decoder.ready;
  try {
    const { channelData, sampleRate } = quietly(() => decoder.decode(bytes));
    return { sampleRate, channels: isMono(bytes) ? channelData.slice(0, 1) : channelData };
  } finally {
    decoder.free();
  }
}

/**
 * The library prints its errors on the console, where a user could not tell what they are about. What it cannot decode is
 * told by the checks of the file, and by its length. `work` is synchronous, so nothing else is silenced.
 */
function quietly<T>(work: () => T): T {
  const { error } = console;
  console.error = () => {};
  try {
    return work();
  } finally {
    console.error = error;
  }
}

const CHANNEL_MODE_MONO = 0b11;

function isMono(bytes: Uint8Array): boolean {
  const from = tagBytes(bytes);
  for (let at = from; at + FRAME_HEAD_BYTES <= bytes.byteLength; at += 1)
    if (readFrame(bytes.subarray(at, at + FRAME_HEAD_BYTES)) !== undefined)
      return bytes[at + 3]! >> 6 === CHANNEL_MODE_MONO;
  return false;
}
