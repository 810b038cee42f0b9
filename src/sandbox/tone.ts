import type { AudioBody } from './exchange.js';

const SAMPLE_RATE = 16_000;
const FRAMES_PER_CHUNK = 16_384;

/** A plain tone as WAV, mono, 16 bits. */
export function renderTone(durationSeconds: number): AudioBody {
  const frames = Math.round(durationSeconds * SAMPLE_RATE);
  return {
    bytes: 44 + frames * 2,
    *chunks() {
      yield header(frames);
      for (let from = 0; from < frames; from += FRAMES_PER_CHUNK) {
        yield tone(from, Math.min(frames, from + FRAMES_PER_CHUNK));
      }
    },
  };
}

function header(frames: number): Uint8Array {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + frames * 2, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(SAMPLE_RATE, 24);
  head.writeUInt32LE(SAMPLE_RATE * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(frames * 2, 40);
  return head;
}

function tone(from: number, to: number): Uint8Array {
  const samples = Buffer.alloc((to - from) * 2);
  for (let i = from; i < to; i++) {
    samples.writeInt16LE(Math.round(6_000 * Math.sin((2 * Math.PI * 220 * i) / SAMPLE_RATE)), (i - from) * 2);
  }
  return samples;
}
