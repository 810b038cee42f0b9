import { createBackoff } from './backoff.js';
import type { StoreAccess } from './store-retries.js';

/**
 * Puts the same bytes under the same key until the key is known to be filled, by these bytes or others. Neither a lost
 * response nor a read proves anything: the write may still be on its way.
 *
 * @param doubtful called when these bytes may be in the store although no response says so
 */
export async function fill(
  access: StoreAccess,
  key: string,
  bytes: Uint8Array,
  doubtful: () => void = () => {},
): Promise<'created' | 'exists'> {
  const backoff = createBackoff(access.clock, access.random, access.patience, 'writes');
  for (;;) {
    const answer = await access.store.putIfAbsent(key, bytes);
    if (answer.kind !== 'unknown') return answer.kind;
    doubtful();
    if (!(await backoff.pause())) throw answer.why;
  }
}
