import { createHash } from 'node:crypto';
import type { InspectMedia, MediaFinding } from '../../src/core/ports.js';

/**
 * The simulation's audio: magic bytes and a type, the length of the rest, a checksum, noise. A few dozen bytes, so that
 * thousands of worlds a minute can have some.
 */
const MAGIC = 'SIMA';
const TYPES = ['audio/mpeg', 'audio/wav', 'audio/flac', 'audio/mp4'] as const;
const HEADER_BYTES = 10;

export type SimMediaType = (typeof TYPES)[number];

export function makeMedia(mediaType: SimMediaType, noise: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES + noise.length);
  bytes.write(MAGIC);
  bytes[4] = TYPES.indexOf(mediaType);
  bytes[5] = noise.length;
  bytes.writeUInt32LE(checksum(noise), 6);
  bytes.set(noise, HEADER_BYTES);
  // Not a Buffer: its `slice` shares memory.
  return new Uint8Array(bytes);
}

/**
 * `thorough` notices any damage. Otherwise only the beginning is checked, as with most audio containers: a cut at the
 * end is not noticed.
 */
export function simInspector(thorough: boolean): InspectMedia {
  return async (read, sizeBytes) => {
    const parts: Uint8Array[] = [];
    for await (const piece of read()) parts.push(piece);
    return look(Buffer.concat(parts), sizeBytes, thorough);
  };
}

function look(bytes: Buffer, sizeBytes: number, thorough: boolean): MediaFinding {
  const mediaType = TYPES[bytes[4] ?? TYPES.length];
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC || mediaType === undefined)
    return { kind: 'unknown' };
  if (bytes.length !== sizeBytes || bytes.length < HEADER_BYTES) return { kind: 'incomplete', mediaType };
  const noise = bytes.subarray(HEADER_BYTES);
  if (thorough && (bytes[5] !== noise.length || bytes.readUInt32LE(6) !== checksum(noise)))
    return { kind: 'incomplete', mediaType };
  return { kind: 'whole', mediaType, durationSeconds: 30 };
}

/** FNV-1a. */
function checksum(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
