import { createHash } from 'node:crypto';

/** Tells whether two attempts were submitted under the same key, and nothing else about it: 16 hex digits. */
export function keyFingerprint(lineage: string, apiKey: string): string {
  return createHash('sha256').update(`${lineage}\0${apiKey}`).digest('hex').slice(0, 16);
}
