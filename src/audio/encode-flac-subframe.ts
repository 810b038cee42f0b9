import type { BitWriter } from './bit-writer.js';

/** The coded samples of one channel in a block. */
export interface CodedSubframe {
  readonly bits: number;
  writeTo(writer: BitWriter): void;
}

const ORDER_MAX = 4;
/** Rice parameters of 5 bits. The highest value is an escape code. */
const PARAMETER_MAX = 30;
/** A partition has at least this many samples. */
const PARTITION_SAMPLES_MIN = 64;
const PARTITION_ORDER_MAX = 6;
const HEADER_BITS = 8;
const TYPE = { constant: 0b000000, verbatim: 0b000001, fixed: 0b001000 } as const;

/** Chooses the shortest of constant, fixed prediction and verbatim. Source: RFC 9639, 9.2. */
export function encodeSubframe(samples: Int32Array, bits: number): CodedSubframe {
  if (samples.every((sample) => sample === samples[0])) return constant(samples[0] ?? 0, bits);
  const plain = verbatim(samples, bits);
  const predicted = fixed(samples, bits);
  return predicted !== undefined && predicted.bits < plain.bits ? predicted : plain;
}

function constant(sample: number, bits: number): CodedSubframe {
  return {
    bits: HEADER_BITS + bits,
    writeTo(writer) {
      writer.write(TYPE.constant << 1, HEADER_BITS);
      writer.write(sample, bits);
    },
  };
}

function verbatim(samples: Int32Array, bits: number): CodedSubframe {
  return {
    bits: HEADER_BITS + bits * samples.length,
    writeTo(writer) {
      writer.write(TYPE.verbatim << 1, HEADER_BITS);
      for (const sample of samples) writer.write(sample, bits);
    },
  };
}

/** Residuals of the fixed predictor, with the order that leaves the smallest residuals. */
function fixed(samples: Int32Array, bits: number): CodedSubframe | undefined {
  const { order, residuals } = bestPrediction(samples);
  if (samples.length <= order) return undefined;
  const rice = partitions(residuals, order, samples.length);
  return {
    bits: HEADER_BITS + order * bits + rice.bits,
    writeTo(writer) {
      writer.write((TYPE.fixed | order) << 1, HEADER_BITS);
      for (let at = 0; at < order; at += 1) writer.write(samples[at]!, bits);
      rice.writeTo(writer);
    },
  };
}

function bestPrediction(samples: Int32Array): { readonly order: number; readonly residuals: Int32Array } {
  let differences = samples;
  let best = { order: 0, residuals: samples, sum: sumOf(samples, ORDER_MAX) };
  for (let order = 1; order <= Math.min(ORDER_MAX, samples.length - 1); order += 1) {
    const before = differences;
    differences = before.subarray(1).map((value, at) => value - before[at]!);
    // Compare over the same samples for every order.
    const sum = sumOf(differences, ORDER_MAX - order);
    if (sum < best.sum) best = { order, residuals: differences, sum };
  }
  return best;
}

function sumOf(values: Int32Array, from: number): number {
  let sum = 0;
  for (let at = from; at < values.length; at += 1) sum += Math.abs(values[at]!);
  return sum;
}

/** Each partition has its own Rice parameter. Chooses the number of partitions with the shortest result. */
function partitions(residuals: Int32Array, order: number, samples: number): CodedSubframe {
  const folded = Float64Array.from(residuals, (value) => (value >= 0 ? value * 2 : -value * 2 - 1));
  let best: Layout | undefined;
  for (let level = 0; level <= PARTITION_ORDER_MAX; level += 1) {
    const size = samples / 2 ** level;
    if (level > 0 && (!Number.isInteger(size) || size < PARTITION_SAMPLES_MIN)) break;
    const layout = layoutOf(folded, order, size, level);
    if (best === undefined || layout.bits < best.bits) best = layout;
  }
  return riceCoded(folded, best!);
}

interface Layout {
  readonly level: number;
  readonly parts: readonly { readonly from: number; readonly to: number; readonly parameter: number }[];
  readonly bits: number;
}

function layoutOf(folded: Float64Array, order: number, size: number, level: number): Layout {
  let bits = 2 + 4;
  const parts = Array.from({ length: 2 ** level }, (_, at) => {
    const [from, to] = [Math.max(0, at * size - order), (at + 1) * size - order];
    let sum = 0;
    for (let index = from; index < to; index += 1) sum += folded[index]!;
    const mean = sum / Math.max(1, to - from);
    const parameter = Math.min(PARAMETER_MAX, Math.max(0, Math.floor(Math.log2(mean + 1))));
    bits += 5;
    for (let index = from; index < to; index += 1)
      bits += Math.floor(folded[index]! / 2 ** parameter) + 1 + parameter;
    return { from, to, parameter };
  });
  return { level, parts, bits };
}

function riceCoded(folded: Float64Array, { level, parts, bits }: Layout): CodedSubframe {
  return {
    bits,
    writeTo(writer) {
      // 5-bit parameters.
      writer.write(0b01, 2);
      writer.write(level, 4);
      for (const { from, to, parameter } of parts) {
        writer.write(parameter, 5);
        for (let at = from; at < to; at += 1) {
          const value = folded[at]!;
          const above = Math.floor(value / 2 ** parameter);
          writer.zeros(above);
          writer.write(1, 1);
          writer.write(value - above * 2 ** parameter, parameter);
        }
      }
    },
  };
}
