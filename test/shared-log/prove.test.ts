import { describe, expect, it } from 'vitest';
import { type ObjectStore, StoreFault } from '../../src/shared-log/object-store.js';
import { proveStore } from '../../src/shared-log/prove.js';
import { createMemoryObjects } from '../fakes/memory-objects.js';
import { command, random } from '../lockfile/build.js';
import { createTestClock } from './machine.js';

/** A store that lets writers at once all win. Of each key, the first `lost` requests are lost. */
function racing(lost: (round: number) => number): { store: ObjectStore; rounds: () => number } {
  const memory = createMemoryObjects();
  const requests = new Map<string, number>();
  const inner = memory.store();
  const putIfAbsent: ObjectStore['putIfAbsent'] = async (key, bytes) => {
    const count = (requests.get(key) ?? 0) + 1;
    requests.set(key, count);
    // The two writers that take turns are served well.
    if (!key.includes('-8-')) return inner.putIfAbsent(key, bytes);
    if (count <= lost(requests.size - 1))
      return { kind: 'unknown', why: new StoreFault('unreachable', 'no response') };
    if (lost(requests.size - 1) > 0) return inner.putIfAbsent(key, bytes);
    memory.objects.set(key, bytes);
    return { kind: 'created' };
  };
  return { store: { ...inner, putIfAbsent }, rounds: () => requests.size - 1 };
}

const prove = (store: ObjectStore) =>
  proveStore({ store, clock: createTestClock(), random }, { address: store.address, command });

describe('the test of a store with several writers at once', () => {
  it('is repeated while lost responses keep them from writing at once', async () => {
    const { store, rounds } = racing((round) => (round === 1 ? 8 : 0));
    await expect(prove(store)).rejects.toMatchObject({ code: 'state-unsafe' });
    expect(rounds()).toBe(2);
  });

  it('counts as no response if it never comes about', async () => {
    const { store, rounds } = racing(() => 8);
    await expect(prove(store)).rejects.toMatchObject({ kind: 'unreachable' });
    expect(rounds()).toBe(5);
  });
});
