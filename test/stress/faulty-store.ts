import type { ObjectStore, PutAnswer } from '../../src/shared-log/object-store.js';
import { StoreFault } from '../../src/shared-log/object-store.js';
import type { Rng } from '../sim/random.js';

/** Share of requests that get a fault. */
export const FAULT_SHARE = 0.15;
const LATE_MS_MAX = 300;

/**
 * A store whose requests and responses get lost: refused with 409, 500 or 503, done without a response, done although
 * the response was an error, or done some time after it.
 */
export function withFaults(store: ObjectStore, rng: Rng, share = FAULT_SHARE): ObjectStore {
  const draw = () => (rng.chance(share) ? rng.pick(['refused', 'lost', 'error', 'late'] as const) : 'fine');
  const why = () =>
    new StoreFault('unreachable', rng.pick(['HTTP 409', 'HTTP 500', 'HTTP 503', 'ECONNRESET']));
  async function read<T>(work: () => Promise<T>): Promise<T> {
    if (draw() !== 'fine') throw why();
    return work();
  }
  return {
    ...store,
    putIfAbsent: async (key, bytes): Promise<PutAnswer> => {
      const fate = draw();
      const unknown: PutAnswer = { kind: 'unknown', why: why() };
      if (fate === 'fine') return store.putIfAbsent(key, bytes);
      if (fate === 'lost' || fate === 'error') await store.putIfAbsent(key, bytes);
      if (fate === 'late')
        setTimeout(() => void store.putIfAbsent(key, bytes).catch(() => {}), rng.below(LATE_MS_MAX));
      return unknown;
    },
    get: (key) => read(() => store.get(key)),
    list: (prefix) => read(() => store.list(prefix)),
  };
}
