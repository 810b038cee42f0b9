import type { AudioBody } from '../service-response.js';
import { RATE } from './synth.js';
import type { Track } from './track.js';

const HEADER_BYTES = 44;

/** PCM, 16 bit, mono. */
export function wavBody(track: Track): AudioBody {
  return {
    bytes: HEADER_BYTES + track.samples * 2,
    *chunks() {
      yield header(track.samples * 2);
      for (let index = 0; index < track.blocks; index += 1) {
        const { samples } = track.block(index);
        const bytes = Buffer.allocUnsafe(samples.length * 2);
        for (let sample = 0; sample < samples.length; sample += 1)
          bytes.writeInt16LE(samples[sample]!, sample * 2);
        yield bytes;
      }
    },
  };
}

function header(dataBytes: number): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(HEADER_BYTES - 8 + dataBytes, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(RATE * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(dataBytes, 40);
  return bytes;
}
