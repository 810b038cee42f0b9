/** A binary min-heap whose items can be moved and removed. Each call costs at most O(log n). */
export interface PriorityQueue<T> {
  readonly size: number;
  /** The item with the least key. */
  peek(): T | undefined;
  /** The least key; `Infinity` if the queue is empty. */
  peekKey(): number;
  /** Adds the item, or moves it to its new key. */
  set(item: T, key: number): void;
  /** Returns `false` if the item was not in the queue. */
  remove(item: T): boolean;
  pop(): T | undefined;
  /** All items, in no order. */
  items(): readonly T[];
}

export function createPriorityQueue<T>(): PriorityQueue<T> {
  const items: T[] = [];
  const keys: number[] = [];
  const places = new Map<T, number>();

  const put = (place: number, item: T, key: number): void => {
    items[place] = item;
    keys[place] = key;
    places.set(item, place);
  };
  const up = (from: number, item: T, key: number): void => {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (keys[parent]! <= key) break;
      put(place, items[parent]!, keys[parent]!);
      place = parent;
    }
    put(place, item, key);
  };
  const down = (from: number, item: T, key: number): void => {
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && keys[child + 1]! < keys[child]!) child += 1;
      if (keys[child]! >= key) break;
      put(place, items[child]!, keys[child]!);
      place = child;
    }
    put(place, item, key);
  };
  const acknowledge = (place: number, item: T, key: number): void => {
    if (place > 0 && keys[(place - 1) >> 1]! > key) up(place, item, key);
    else down(place, item, key);
  };
  const remove = (item: T): boolean => {
    const place = places.get(item);
    if (place === undefined) return false;
    places.delete(item);
    const lastItem = items.pop()!;
    const lastKey = keys.pop()!;
    if (place < items.length) acknowledge(place, lastItem, lastKey);
    return true;
  };

  return {
    get size() {
      return items.length;
    },
    peek: () => items[0],
    peekKey: () => keys[0] ?? Number.POSITIVE_INFINITY,
    set: (item, key) => {
      const place = places.get(item);
      if (place !== undefined) return acknowledge(place, item, key);
      items.push(item);
      keys.push(key);
      up(items.length - 1, item, key);
    },
    remove,
    pop: () => {
      const item = items[0];
      if (item !== undefined) remove(item);
      return item;
    },
    items: () => items,
  };
}
