import type { Pcm } from './pcm.js';
import { type SampleBits, wholeSamples } from './sample-bits.js';

const HEAD_BYTES = 44;
/** What WAVE_FORMAT_EXTENSIBLE adds: its length, the channel mask and the coding. */
const EXTENSION_BYTES = 24;
const EXTENSIBLE = 0xfffe;
/** A coding, after its number. */
const CODING_GUID = '000000001000800000aa00389b71';
const CODING = { whole: 1, float: 3 } as const;

/** Encodes a WAV file: a plain one unless there is a channel mask. Throws a `RangeError` if it would exceed 4 GiB. */
export function encodeWav({ channels, sampleRate, channelMask }: Pcm, bits: SampleBits): Uint8Array {
  const bytesEach = bits === 'float' ? 4 : bits / 8;
  const blockBytes = bytesEach * channels.length;
  const dataBytes = (channels[0]?.length ?? 0) * blockBytes;
  const extensionBytes = channelMask === undefined ? 0 : EXTENSION_BYTES;
  const headBytes = HEAD_BYTES + extensionBytes;
  const coding = bits === 'float' ? CODING.float : CODING.whole;
  if (dataBytes > 0xffff_ffff - headBytes) throw new RangeError('more than a WAV file can hold');
  const bytes = Buffer.alloc(headBytes + dataBytes + (dataBytes % 2));
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16 + extensionBytes, 16);
  bytes.writeUInt16LE(channelMask === undefined ? coding : EXTENSIBLE, 20);
  bytes.writeUInt16LE(channels.length, 22);
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt32LE(sampleRate * blockBytes, 28);
  bytes.writeUInt16LE(blockBytes, 32);
  bytes.writeUInt16LE(bytesEach * 8, 34);
  if (channelMask !== undefined) {
    bytes.writeUInt16LE(EXTENSION_BYTES - 2, 36);
    bytes.writeUInt16LE(bytesEach * 8, 38);
    bytes.writeUInt32LE(channelMask, 40);
    bytes.writeUInt16LE(coding, 44);
    bytes.write(CODING_GUID, 46, 'hex');
  }
  bytes.write('data', headBytes - 8, 'latin1');
  bytes.writeUInt32LE(dataBytes, headBytes - 4);
  for (const [index, samples] of channels.entries()) {
    const written = bits === 'float' ? samples : wholeSamples(samples, bits);
    for (let at = headBytes + index * bytesEach, sample = 0; sample < written.length; sample += 1) {
      if (bits === 'float') bytes.writeFloatLE(written[sample]!, at);
      else bytes.writeIntLE(written[sample]!, at, bytesEach);
      at += blockBytes;
    }
  }
  return bytes;
}
