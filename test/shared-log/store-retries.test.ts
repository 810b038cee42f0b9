import { describe, expect, it } from 'vitest';
import { fill } from '../../src/shared-log/fill-slot.js';
import { StoreFault } from '../../src/shared-log/object-store.js';
import { withRetries } from '../../src/shared-log/store-retries.js';

const WHY = new StoreFault('unreachable', 'no answer');

/** A store that does not answer this many times; each try takes `tryMs`. */
function slowStore(tryMs: number, unanswered: number) {
  let [nowMs, tries] = [0, 0];
  const ask = () => {
    nowMs += tryMs;
    tries += 1;
    return tries > unanswered;
  };
  const clock = {
    nowMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
  const store = {
    address: 'slow',
    putIfAbsent: async () =>
      ask() ? ({ kind: 'created' } as const) : ({ kind: 'unknown', why: WHY } as const),
    get: async () => {
      if (!ask()) throw WHY;
      return undefined;
    },
    list: async () => [],
    close: async () => {},
  };
  const random = { bytes: (count: number) => new Uint8Array(count) };
  return { access: { store, clock, random }, tries: () => tries, nowMs: () => nowMs };
}

describe('a store that does not answer', () => {
  it.each([
    ['quick', 10],
    ['slow: each try takes most of a minute', 50_000],
  ])('is tried at least nine times before a write is given up on (%s)', async (_, tryMs) => {
    const { access, tries, nowMs } = slowStore(tryMs, Number.POSITIVE_INFINITY);
    await expect(fill(access, 'log/1', new Uint8Array(1))).rejects.toBe(WHY);
    expect(tries()).toBeGreaterThanOrEqual(9);
    expect(nowMs()).toBeGreaterThanOrEqual(60_000);
  });

  it('is not retried for hours if each try takes a quarter of an hour', async () => {
    const { access, tries } = slowStore(15 * 60_000, Number.POSITIVE_INFINITY);
    await expect(withRetries(access, () => access.store.get())).rejects.toBe(WHY);
    expect(tries()).toBe(1);
  });

  it('is read with as much patience', async () => {
    const { access, tries } = slowStore(50_000, 8);
    await withRetries(access, () => access.store.get());
    expect(tries()).toBe(9);
  });
});
