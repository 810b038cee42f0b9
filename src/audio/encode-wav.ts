import type { Pcm } from './pcm.js';
import { type SampleBits, wholeSamples } from './sample-bits.js';

const HEAD_BYTES = 44;
const CODING = { whole: 1, float: 3 } as const;

/** Encodes a plain WAV file. Throws a `RangeError` if it would exceed 4 GiB. */
export function encodeWav({ channels, sampleRate }: Pcm, bits: SampleBits): Uint8Array {
  const bytesEach = bits === 'float' ? 4 : bits / 8;
  const blockBytes = bytesEach * channels.length;
  const dataBytes = (channels[0]?.length ?? 0) * blockBytes;
  if (dataBytes > 0xffff_ffff - HEAD_BYTES) throw new RangeError('more than a WAV file can hold');
  const bytes = Buffer.alloc(HEAD_BYTES + dataBytes + (dataBytes % 2));
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(bits === 'float' ? CODING.float : CODING.whole, 20);
  bytes.writeUInt16LE(channels.length, 22);
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt32LE(sampleRate * blockBytes, 28);
  bytes.writeUInt16LE(blockBytes, 32);
  bytes.writeUInt16LE(bytesEach * 8, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(dataBytes, 40);
  for (const [index, samples] of channels.entries()) {
    const written = bits === 'float' ? samples : wholeSamples(samples, bits);
    for (let at = HEAD_BYTES + index * bytesEach, sample = 0; sample < written.length; sample += 1) {
      if (bits === 'float') bytes.writeFloatLE(written[sample]!, at);
      else bytes.writeIntLE(written[sample]!, at, bytesEach);
      at += blockBytes;
    }
  }
  return bytes;
}
