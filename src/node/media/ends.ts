/** Both ends of a file, as far as they were kept. */
export interface Ends {
  /** From the first byte. */
  readonly head: Uint8Array;
  /** To the last byte. Overlaps `head` in a short file. */
  readonly tail: Uint8Array;
  readonly sizeBytes: number;
}

export function ascii(bytes: Uint8Array, from: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(from, from + length));
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
