import type { BitReader } from './bit-reader.js';

/** Coefficients of the fixed predictors, by order. */
const FIXED: readonly (readonly number[])[] = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

/**
 * Reads the samples of one channel in one frame. Throws `RangeError` if the data ends early. Source: RFC 9639, section
 * 9.2.
 */
export function readSubframe(reader: BitReader, depth: number, size: number): Float64Array {
  reader.bits(1);
  const type = reader.bits(6);
  const wasted = reader.bits(1) === 1 ? reader.unary() + 1 : 0;
  const samples = new Float64Array(size);
  readSamples(reader, type, depth - wasted, samples);
  if (wasted > 0) for (let at = 0; at < size; at += 1) samples[at]! *= 2 ** wasted;
  return samples;
}

function readSamples(reader: BitReader, type: number, bits: number, samples: Float64Array): void {
  if (type === 0) samples.fill(reader.signed(bits));
  else if (type === 1) for (let at = 0; at < samples.length; at += 1) samples[at] = reader.signed(bits);
  else if (type >= 8 && type <= 12) {
    const coefficients = FIXED[type - 8]!;
    readWarmUp(reader, coefficients.length, bits, samples);
    readResidual(reader, coefficients.length, samples);
    predict(samples, coefficients, 0);
  } else if (type >= 32) {
    const order = type - 31;
    readWarmUp(reader, order, bits, samples);
    const precision = reader.bits(4) + 1;
    const shift = reader.signed(5);
    const coefficients = Array.from({ length: order }, () => reader.signed(precision));
    readResidual(reader, order, samples);
    predict(samples, coefficients, Math.max(0, shift));
  } else throw new RangeError('a reserved kind of subframe');
}

function readWarmUp(reader: BitReader, order: number, bits: number, samples: Float64Array): void {
  if (order > samples.length) throw new RangeError('an order above the block size');
  for (let at = 0; at < order; at += 1) samples[at] = reader.signed(bits);
}

/** Reads the residual, which follows the warm-up samples. */
function readResidual(reader: BitReader, order: number, samples: Float64Array): void {
  const parameterBits = reader.bits(2) === 0 ? 4 : 5;
  const escapeCode = 2 ** parameterBits - 1;
  const partitions = 2 ** reader.bits(4);
  const each = samples.length / partitions;
  for (let partition = 0; partition < partitions; partition += 1) {
    const from = partition === 0 ? order : partition * each;
    const to = (partition + 1) * each;
    const parameter = reader.bits(parameterBits);
    if (parameter === escapeCode) {
      const width = reader.bits(5);
      for (let at = from; at < to; at += 1) samples[at] = width === 0 ? 0 : reader.signed(width);
    } else {
      for (let at = from; at < to; at += 1) {
        const folded = reader.unary() * 2 ** parameter + (parameter === 0 ? 0 : reader.bits(parameter));
        samples[at] = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
      }
    }
  }
}

/** Sums stay below 2^53, so they are exact. */
function predict(samples: Float64Array, coefficients: readonly number[], shift: number): void {
  const order = coefficients.length;
  const divisor = 2 ** shift;
  for (let at = order; at < samples.length; at += 1) {
    let sum = 0;
    for (let back = 0; back < order; back += 1) sum += coefficients[back]! * samples[at - 1 - back]!;
    samples[at]! += Math.floor(sum / divisor);
  }
}
