import type { Clock, Random } from '../core/ports.js';
import { createBackoff } from './backoff.js';
import { type ObjectStore, StoreFault } from './object-store.js';
import type { Patience } from './patience.js';

/** A store, and what is needed to retry requests to it. */
export interface StoreAccess {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Absent: the full time for each request. */
  readonly patience?: Patience;
}

/**
 * Retries until there is a response. Throws the `StoreFault` of the last try when the time is up, and any other fault at
 * once.
 */
export async function withRetries<T>(
  { clock, random, patience }: Omit<StoreAccess, 'store'>,
  ask: () => Promise<T>,
  direction: 'reads' | 'writes' = 'reads',
): Promise<T> {
  const backoff = createBackoff(clock, random, patience, direction);
  for (;;) {
    try {
      return await ask();
    } catch (fault) {
      const passes = fault instanceof StoreFault && fault.kind === 'unreachable';
      if (!passes || !(await backoff.pause())) throw fault;
    }
  }
}
