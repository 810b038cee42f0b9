/** Batches the items of many callers: those added during a write share the next one. */
export interface GroupCommit<T> {
  /** Resolves when the item is written; rejects with the error of its write. */
  add(item: T): Promise<void>;
  /** Resolves when no items are waiting. Never rejects. */
  settled(): Promise<void>;
}

/**
 * @param write gets the items in order of arrival; never called while it is running
 * @param itemsMax the most items in one write
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
