import type { ObjectStore, PutAnswer } from '../../src/shared-log/object-store.js';
import { StoreFault } from '../../src/shared-log/object-store.js';

/** The fate of one request to a store. */
export type StoreEvent =
  /** Done and answered. */
  | 'answered'
  /** Never arrived, or refused with 409, 500 or 503 without an effect: the client cannot tell. */
  | 'lost_before'
  /** Done, but the response was lost. */
  | 'lost_after'
  /** No response, and done some time later. */
  | 'late'
  | 'denied'
  | 'expired'
  /** The machine is lost at this point; the request may be done or not. */
  | 'halted_before'
  | 'halted_after';

/** In-memory objects that many stores share, each store with its own faults. */
export interface MemoryObjects {
  readonly objects: Map<string, Uint8Array>;
  /** Requests that were answered `late` take effect now. */
  arrive(): void;
  /**
   * @param event called once per request
   * @param turn awaited before each request takes effect and before each response
   */
  store(event?: (request: string) => StoreEvent, turn?: () => Promise<void>): ObjectStore;
}

/** @param isCareless ignores the condition: a later writer replaces the first one's object */
export function createMemoryObjects(isCareless = false): MemoryObjects {
  const objects = new Map<string, Uint8Array>();
  let late: (() => void)[] = [];

  function putNow(key: string, bytes: Uint8Array): PutAnswer {
    if (objects.has(key) && !isCareless) return { kind: 'exists' };
    objects.set(key, Uint8Array.from(bytes));
    return { kind: 'created' };
  }

  return {
    objects,
    arrive: () => {
      for (const effect of late) effect();
      late = [];
    },
    store: (event = () => 'answered', turn = async () => {}) => {
      const request = async <T>(name: string, effect: () => T, lost: (why: StoreFault) => T): Promise<T> => {
        const what = event(name);
        await turn();
        if (what === 'denied' || what === 'expired') throw new StoreFault(what, `HTTP 403 to ${name}`);
        if (what === 'halted_before') return new Promise<T>(() => {});
        if (what === 'late') late.push(effect);
        const answer = what === 'late' || what === 'lost_before' ? undefined : effect();
        await turn();
        if (what === 'halted_after') return new Promise<T>(() => {});
        if (what === 'answered') return answer as T;
        return lost(new StoreFault('unreachable', `no answer to ${name}`));
      };
      const thrown = (why: StoreFault): never => {
        throw why;
      };
      return {
        address: 'memory://objects',
        putIfAbsent: (key, bytes) =>
          request<PutAnswer>(
            `put ${key}`,
            () => putNow(key, bytes),
            (why) => ({ kind: 'unknown', why }),
          ),
        get: (key) => request<Uint8Array | undefined>(`get ${key}`, () => objects.get(key), thrown),
        list: (prefix) =>
          request<readonly string[]>(
            `list ${prefix}`,
            () => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(),
            thrown,
          ),
        close: async () => {},
      };
    },
  };
}
