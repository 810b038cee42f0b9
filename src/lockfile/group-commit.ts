/** Writes the items of many callers together: those that come while a write is under way share the next one. */
export interface GroupCommit<T> {
  /** Resolves when the item is written; rejects with what its write threw. */
  add(item: T): Promise<void>;
  /** Resolves when nothing waits any more. Never rejects. */
  settled(): Promise<void>;
}

/**
 * @param write gets the items in the order they came in; is never called while it runs
 * @param itemsMax at most so many items in one write
 */
export function createGroupCommit<T>(
  write: (items: readonly T[]) => Promise<void>,
  itemsMax: number,
): GroupCommit<T> {
  let waiting: { item: T; done: () => void; failed: (fault: unknown) => void }[] = [];
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, itemsMax);
      waiting = waiting.slice(itemsMax);
      try {
        await write(batch.map(({ item }) => item));
        for (const { done } of batch) done();
      } catch (fault) {
        for (const { failed } of batch) failed(fault);
      }
    }
    writing = undefined;
  }

  return {
    add: (item) =>
      new Promise((done, failed) => {
        waiting.push({ item, done, failed });
        writing ??= writeAll();
      }),
    settled: async () => {
      await writing;
    },
  };
}
