/** How a lossless file stores samples: integers of the given bit depth, or floats. */
export type SampleBits = 16 | 24 | 'float';

const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/**
 * The narrowest format that holds every sample of a WAV or FLAC file exactly. For lossy audio, which has no integer
 * samples, 24 bits are more than enough.
 */
export function sampleBitsOf(bytes: Uint8Array): SampleBits {
  const head = String.fromCharCode(...bytes.subarray(0, 12));
  if (head.startsWith('fLaC')) return ((bytes[20]! & 1) << 4) + (bytes[21]! >> 4) + 1 <= 16 ? 16 : 24;
  if (!/^(?:RIFF|RF64|BW64)/.test(head)) return 24;
  const at = formatChunk(bytes);
  if (at === undefined) return 24;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = view.getUint16(at, true);
  const coding = tag === EXTENSIBLE && at + 26 <= bytes.byteLength ? view.getUint16(at + 24, true) : tag;
  if (coding === FLOAT || view.getUint16(at + 14, true) > 24) return 'float';
  return view.getUint16(at + 14, true) <= 16 ? 16 : 24;
}

/** Offset of the content of `fmt `. */
function formatChunk(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 12; at + 24 <= bytes.byteLength; ) {
    if (view.getUint32(at, false) === 0x666d_7420) return at + 8;
    const length = view.getUint32(at + 4, true);
    at += 8 + length + (length % 2);
  }
  return undefined;
}

/** Samples rounded to integers of this many bits. Values beyond full scale are clipped. */
export function wholeSamples(samples: Float32Array, bits: 16 | 24): Int32Array {
  const scale = 2 ** (bits - 1);
  return Int32Array.from(samples, (sample) =>
    Math.max(-scale, Math.min(scale - 1, Math.round(sample * scale))),
  );
}
