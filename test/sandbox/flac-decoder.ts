/** Decodes mono FLAC, written from RFC 9639 alone. Throws if the stream breaks a rule. */
export interface Decoded {
  readonly rate: number;
  readonly bitsPerSample: number;
  /** From STREAMINFO. */
  readonly totalSamples: number;
  readonly samples: Int16Array;
}

export function decodeFlac(bytes: Uint8Array): Decoded {
  const bits = reader(bytes);
  if (bits.read(32) !== 0x664c6143) throw new Error('no fLaC mark');
  const info = streamInfo(bits);
  const samples = new Int16Array(info.totalSamples);
  let filled = 0;
  for (let frame = 0; bits.byte() < bytes.length; frame += 1) {
    const block = readFrame(bits, bytes, frame);
    if (block.length > info.blockMax) throw new Error(`frame ${frame} is longer than STREAMINFO allows`);
    samples.set(block, filled);
    filled += block.length;
  }
  if (filled !== info.totalSamples) throw new Error(`${filled} samples instead of ${info.totalSamples}`);
  return { ...info, samples };
}

type Bits = ReturnType<typeof reader>;

function reader(bytes: Uint8Array) {
  let place = 0;
  const read = (count: number): number => {
    let value = 0;
    for (let left = count; left > 0; left -= 1, place += 1) {
      const byte = bytes[place >> 3];
      if (byte === undefined) throw new Error('the stream ends too early');
      value = value * 2 + ((byte >> (7 - (place & 7))) & 1);
    }
    return value;
  };
  return {
    read,
    signed: (count: number) => {
      const value = read(count);
      return value >= 2 ** (count - 1) ? value - 2 ** count : value;
    },
    unary: () => {
      let zeros = 0;
      while (read(1) === 0) zeros += 1;
      return zeros;
    },
    byte: () => place >> 3,
    align: () => {
      while ((place & 7) !== 0) if (read(1) !== 0) throw new Error('padding is not zero');
    },
  };
}

function streamInfo(bits: Bits) {
  if (bits.read(8) !== 0x80) throw new Error('STREAMINFO is not the first and last metadata block');
  if (bits.read(24) !== 34) throw new Error('STREAMINFO has the wrong length');
  const [blockMin, blockMax] = [bits.read(16), bits.read(16)];
  if (blockMin < 16 || blockMin > blockMax) throw new Error('impossible block sizes');
  bits.read(48);
  const rate = bits.read(20);
  if (bits.read(3) !== 0) throw new Error('not mono');
  const bitsPerSample = bits.read(5) + 1;
  const totalSamples = bits.read(36);
  for (let byte = 0; byte < 16; byte += 1) bits.read(8);
  return { blockMax, rate, bitsPerSample, totalSamples };
}

function readFrame(bits: Bits, bytes: Uint8Array, expected: number): number[] {
  const start = bits.byte();
  if (bits.read(15) !== 0b111111111111100) throw new Error(`no sync code at frame ${expected}`);
  if (bits.read(1) !== 0) throw new Error('blocks of more than one size');
  const [sizeCode, rateCode, channels, depthCode] = [bits.read(4), bits.read(4), bits.read(4), bits.read(3)];
  if (rateCode !== 0 || channels !== 0 || ![0, 4].includes(depthCode) || bits.read(1) !== 0) {
    throw new Error('the frame header has an unsupported feature');
  }
  if (frameNumber(bits) !== expected) throw new Error('frames out of order');
  const size = blockSize(bits, sizeCode);
  checkCrc(bytes.subarray(start, bits.byte()), bits.read(8), 8, 0x07);
  const block = readSubframe(bits, size);
  bits.align();
  checkCrc(bytes.subarray(start, bits.byte()), bits.read(16), 16, 0x8005);
  return block;
}

function frameNumber(bits: Bits): number {
  const first = bits.read(8);
  if (first < 0x80) return first;
  const more = Math.clz32(~(first << 24)) - 1;
  let value = first & (0x3f >> more);
  for (let index = 0; index < more; index += 1) {
    if (bits.read(2) !== 0b10) throw new Error('the frame number is not UTF-8');
    value = value * 64 + bits.read(6);
  }
  return value;
}

function blockSize(bits: Bits, code: number): number {
  if (code === 1) return 192;
  if (code >= 2 && code <= 5) return 144 << code;
  if (code === 6) return bits.read(8) + 1;
  if (code === 7) return bits.read(16) + 1;
  if (code >= 8) return 1 << code;
  throw new Error('a reserved block size');
}

function readSubframe(bits: Bits, size: number): number[] {
  if (bits.read(1) !== 0) throw new Error('a subframe does not start with a zero bit');
  const type = bits.read(6);
  if (bits.read(1) !== 0) throw new Error('wasted bits are not supported');
  if (type === 0) return new Array<number>(size).fill(bits.signed(16));
  if (type === 1) return Array.from({ length: size }, () => bits.signed(16));
  if (type < 8 || type > 12) throw new Error('unsupported subframe type');
  return fixed(bits, size, type - 8);
}

/** Coefficients of the fixed predictors, newest sample first. */
const PREDICTORS = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

function fixed(bits: Bits, size: number, order: number): number[] {
  const samples = Array.from({ length: order }, () => bits.signed(16));
  const method = bits.read(2);
  if (method > 1) throw new Error('a reserved residual coding');
  const partitions = 1 << bits.read(4);
  if (size % partitions !== 0) throw new Error('partitions of unequal size');
  for (let partition = 0; partition < partitions; partition += 1) {
    const parameter = bits.read(method === 0 ? 4 : 5);
    if (parameter === (method === 0 ? 15 : 31)) throw new Error('escaped partitions are not supported');
    const until = (size / partitions) * (partition + 1);
    while (samples.length < until) {
      const folded = bits.unary() * 2 ** parameter + bits.read(parameter);
      const residual = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
      const predicted = PREDICTORS[order]!.reduce(
        (sum, factor, back) => sum + factor * samples.at(-1 - back)!,
        0,
      );
      const sample = predicted + residual;
      if (sample < -32_768 || sample > 32_767) throw new Error('a sample has more than 16 bits');
      samples.push(sample);
    }
  }
  return samples;
}

function checkCrc(bytes: Uint8Array, reported: number, width: number, polynomial: number): void {
  let crc = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      const out = ((crc >> (width - 1)) ^ (byte >> bit)) & 1;
      crc = (crc << 1) & (2 ** width - 1);
      if (out === 1) crc ^= polynomial;
    }
  }
  if (crc !== reported) throw new Error(`wrong CRC-${width}`);
}
