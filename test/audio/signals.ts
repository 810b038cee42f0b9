import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Pcm } from '../../src/audio/pcm.js';

export const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

export function sine(
  hertz: number,
  amplitude: number,
  seconds: number,
  rate: number,
  phase = 0,
): Float32Array {
  const samples = new Float32Array(Math.round(seconds * rate));
  for (let at = 0; at < samples.length; at += 1)
    samples[at] = amplitude * Math.sin((2 * Math.PI * hertz * at) / rate + phase);
  return samples;
}

/** Parts one after another, each a stereo sine of 1 kHz at 48 kHz: level in dBFS, seconds. */
export function sequence(...parts: readonly (readonly [level: number, seconds: number])[]): Pcm {
  const sampleRate = 48_000;
  const sines = parts.map(([level, seconds]) => sine(1_000, 10 ** (level / 20), seconds, sampleRate));
  const channel = new Float32Array(sines.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const one of sines) {
    channel.set(one, at);
    at += one.length;
  }
  return { sampleRate, channels: [channel, channel] };
}

/** A WAV file; by default of 32-bit floats. */
export function wavBytes({ sampleRate, channels }: Pcm, { bits = 32, coding = 3 } = {}): Buffer {
  const width = bits / 8;
  const count = channels[0]!.length;
  const bytes = Buffer.alloc(44 + count * width * channels.length);
  bytes.write('RIFF\0\0\0\0WAVEfmt ', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(coding, 20);
  bytes.writeUInt16LE(channels.length, 22);
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt32LE(sampleRate * width * channels.length, 28);
  bytes.writeUInt16LE(width * channels.length, 32);
  bytes.writeUInt16LE(bits, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(bytes.length - 44, 40);
  let at = 44;
  for (let sample = 0; sample < count; sample += 1)
    for (const channel of channels) {
      const value = channel[sample]!;
      if (coding === 3 && bits === 32) bytes.writeFloatLE(value, at);
      else if (coding === 3) bytes.writeDoubleLE(value, at);
      else if (bits === 8) bytes.writeUInt8(128 + Math.round(value * 127), at);
      else bytes.writeIntLE(Math.round(value * (2 ** (bits - 1) - 1)), at, width);
      at += width;
    }
  return bytes;
}

/** The signal as ffmpeg encodes it into that container. */
export async function encodeWith(pcm: Pcm, container: string, words: readonly string[]): Promise<Buffer> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-audio-'));
  try {
    const [from, to] = [path.join(folder, 'in.wav'), path.join(folder, 'out')];
    writeFileSync(from, wavBytes(pcm));
    await ffmpeg(['-i', from, ...words, '-f', container, to]);
    return readFileSync(to);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs ffmpeg; resolves to what it wrote to stderr. */
export function ffmpeg(words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('ffmpeg', ['-nostdin', '-hide_banner', ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let reported = '';
    child.stderr.on('data', (piece) => {
      reported += String(piece);
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(reported) : reject(new Error(reported))));
  });
}
