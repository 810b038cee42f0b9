/** At most this many items are found on either side of a moment. */
const NEAR_MAX = 50;

/** Items sorted by time, searchable by a moment. */
export interface Timeline<T> {
  /** The items nearest to each of the moments, up to `NEAR_MAX` on either side, sorted by time. */
  near(momentsMs: readonly number[]): T[];
  remove(item: T): void;
}

/** Visits no more items than it finds, however many were removed. An item without a time is never found. */
export function createTimeline<T>(items: readonly T[], timeOf: (item: T) => number): Timeline<T> {
  const sorted = items
    .map((item) => ({ item, ms: timeOf(item) }))
    .filter(({ ms }) => !Number.isNaN(ms))
    .sort((a, b) => a.ms - b.ms);
  const places = new Map(sorted.map(({ item }, place) => [item, place]));
  // Shifted by one: -1 and the end mean that nothing was found.
  const before = createSkips(sorted.length + 2);
  const after = createSkips(sorted.length + 2);
  return {
    near(momentsMs) {
      const found = new Set<number>();
      for (const ms of momentsMs) {
        const start = firstFrom(sorted, ms);
        let place = after.find(start + 1);
        for (let count = 0; count < NEAR_MAX && place <= sorted.length; count += 1) {
          found.add(place - 1);
          place = after.find(place + 1);
        }
        place = before.find(start);
        for (let count = 0; count < NEAR_MAX && place > 0; count += 1) {
          found.add(place - 1);
          place = before.find(place - 1);
        }
      }
      return [...found].sort((a, b) => a - b).map((place) => sorted[place]!.item);
    },
    remove(item) {
      const place = places.get(item);
      if (place === undefined) return;
      after.skip(place + 1, place + 2);
      before.skip(place + 1, place);
    },
  };
}

/** The first position whose time is not before the moment. */
function firstFrom(sorted: readonly { readonly ms: number }[], ms: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]!.ms < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * For each position the next one that is not skipped. Paths are halved as they are followed, so that many skips cost
 * little.
 */
function createSkips(count: number) {
  const next = Uint32Array.from({ length: count }, (_, place) => place);
  return {
    find(from: number): number {
      let place = from;
      while (next[place] !== place) {
        next[place] = next[next[place]!]!;
        place = next[place]!;
      }
      return place;
    },
    skip(place: number, to: number): void {
      next[place] = to;
    },
  };
}
