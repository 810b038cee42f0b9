import type { Account } from '../venice/client.js';

/** What marks the lines of an account: only its holder has it. */
export function sealSecretOf({ id, sealSecret }: Account): string {
  return sealSecret ?? id;
}
