import type { LockHeader } from '../lockfile/header.js';
import { createKeySeal, type KeySeal } from '../lockfile/key-seal.js';
import type { Account } from '../venice/client.js';

/** Marks the lines of a lockfile that are this account's: only its holder has what they are made with. */
export function keySealOf({ lineage, was }: LockHeader, { id, sealSecret }: Account): KeySeal {
  return createKeySeal(lineage, sealSecret ?? id, was);
}
