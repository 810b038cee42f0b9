/** Small, valid audio files, built byte by byte. */

const SAMPLE_RATE = 44_100;

/** Mono, 16 bits. `dataLength` and `riffLength` override what the header says. */
export function wav(seconds: number, lies: { riffLength?: number; dataLength?: number } = {}): Buffer {
  const data = Buffer.alloc(Math.round(seconds * SAMPLE_RATE) * 2);
  for (let i = 0; i < data.length; i += 2) data.writeInt16LE(Math.round(Math.sin(i / 40) * 9_000), i);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(lies.riffLength ?? 36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(SAMPLE_RATE, 24);
  head.writeUInt32LE(SAMPLE_RATE * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(lies.dataLength ?? data.length, 40);
  return Buffer.concat([head, data]);
}

/** 128 kbit/s, 44.1 kHz, silence: frames of 417 bytes and 1152 samples. */
export function mp3(frames: number, options: { info?: boolean; id3?: boolean } = {}): Buffer {
  const frame = Buffer.alloc(417);
  frame.writeUInt32BE(0xff_fb_90_00, 0);
  const all = Buffer.alloc(417 * frames);
  for (let i = 0; i < frames; i++) frame.copy(all, i * 417);
  if (options.info === true) {
    all.write('Info', 36);
    all.writeUInt32BE(3, 40);
    all.writeUInt32BE(frames - 1, 44);
    all.writeUInt32BE(all.length, 48);
  }
  const tag = Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0, 20, ...Array(20).fill(0)]);
  return options.id3 === true ? Buffer.concat([tag, all]) : all;
}

/** Mono, 16 bits, uncompressed ("verbatim") frames of 4096 samples. `totalSamples` overrides the declared count. */
export function flac(samples: number, lies: { totalSamples?: number } = {}): Buffer {
  const info = Buffer.alloc(42);
  info.write('fLaC', 0);
  info.writeUInt32BE(0x80_00_00_22, 4);
  info.writeUInt16BE(4_096, 8);
  info.writeUInt16BE(4_096, 10);
  // 20 bits sample rate, 3 bits channels - 1, 5 bits width - 1, 36 bits samples.
  const total = lies.totalSamples ?? samples;
  info.writeBigUInt64BE((BigInt(SAMPLE_RATE) << 44n) | (15n << 36n) | BigInt(total), 18);
  const frames: Buffer[] = [];
  for (let at = 0; at < samples; at += 4_096) {
    frames.push(flacFrame(at / 4_096, Math.min(4_096, samples - at)));
  }
  return Buffer.concat([info, ...frames]);
}

function flacFrame(number: number, samples: number): Buffer {
  const coded = Buffer.from(String.fromCodePoint(number), 'utf8');
  const head = Buffer.from([0xff, 0xf8, 0x79, 0x08, ...coded, (samples - 1) >> 8, (samples - 1) & 0xff]);
  const body = Buffer.alloc(1 + samples * 2);
  body[0] = 0x02;
  for (let i = 0; i < samples; i++) body.writeInt16BE(Math.round(Math.sin(i / 20) * 9_000), 1 + i * 2);
  const withHead = Buffer.concat([head, Buffer.from([crc(head, 8, 0x07)]), body]);
  const check = crc(withHead, 16, 0x8005);
  return Buffer.concat([withHead, Buffer.from([check >> 8, check & 0xff])]);
}

function crc(bytes: Uint8Array, width: number, polynomial: number): number {
  const top = 2 ** (width - 1);
  let value = 0;
  for (const byte of bytes) {
    value ^= byte << (width - 8);
    for (let bit = 0; bit < 8; bit++) {
      value = ((value << 1) ^ (value & top ? polynomial : 0)) & (2 ** width - 1);
    }
  }
  return value;
}
