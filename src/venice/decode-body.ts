import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { faultCode } from '../core/errors.js';

type Decode = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

/** `deflate` means the zlib format, but some servers send it without that header. */
const DECODERS: ReadonlyMap<string, readonly Decode[]> = new Map([
  ['gzip', [gunzipSync]],
  ['x-gzip', [gunzipSync]],
  ['deflate', [inflateSync, inflateRawSync]],
  ['br', [brotliDecompressSync]],
]);

/**
 * A body without the compression that its headers claim. Never holds more than `bytesMax` of the result: a small body
 * can expand to gigabytes. What cannot be decoded is returned as it is, because the label may be wrong.
 *
 * @param encodings the value of Content-Encoding, in lower case: in the order in which they were applied
 */
export function decodeBody(bytes: Uint8Array, encodings: string, bytesMax: number): Uint8Array | 'too-long' {
  let decoded: Uint8Array = bytes;
  const names = encodings.split(',').map((name) => name.trim());
  for (const name of names.reverse().slice(0, ENCODINGS_MAX))
    for (const decode of DECODERS.get(name) ?? []) {
      const result = tryDecoding(decode, decoded, bytesMax);
      if (result === 'too-long') return result;
      if (result === undefined) continue;
      decoded = result;
      break;
    }
  return decoded;
}

/** More than any server applies; the header may be long. */
const ENCODINGS_MAX = 4;

function tryDecoding(
  decode: Decode,
  bytes: Uint8Array,
  bytesMax: number,
): Uint8Array | 'too-long' | undefined {
  try {
    return decode(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    return faultCode(error) === 'ERR_BUFFER_TOO_LARGE' ? 'too-long' : undefined;
  }
}
