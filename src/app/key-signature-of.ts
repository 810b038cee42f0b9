import { createKeySignature, type KeySignature } from '../lockfile/key-signature.js';
import type { LockHeader } from '../lockfile/lock-header.js';
import type { Account } from '../venice/client.js';

/** Signs the lines of a lockfile that belong to this account. Only its holder has the secret. */
export function keySignatureOf({ lineage, was }: LockHeader, { id, sealSecret }: Account): KeySignature {
  return createKeySignature(lineage, sealSecret ?? id, was);
}
