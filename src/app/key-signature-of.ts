import type { LockHeader } from '../lockfile/header.js';
import { createKeySignature, type KeySignature } from '../lockfile/key-signature.js';
import type { Account } from '../venice/client.js';

/** Marks the lines of a lockfile that are this account's: only its holder has what they are made with. */
export function keySignatureOf({ lineage, was }: LockHeader, { id, sealSecret }: Account): KeySignature {
  return createKeySignature(lineage, sealSecret ?? id, was);
}
