/**
 * Virtual time. Promises are real: between two events everything runs that can, down to the last microtask; then the
 * clock jumps to the next event. A simulated minute takes as long as the work in it.
 */
export interface Timeline {
  nowMs(): number;
  /** Runs `action` after `delayMs`. Simultaneous events run in the order in which they were scheduled. */
  after(delayMs: number, action: () => void): Cancel;
  /** Runs events until `done` holds. `starved`: nothing is left that could happen. `endless`: more events than any sound run needs. */
  runUntil(done: () => boolean): Promise<'done' | 'starved' | 'endless'>;
  /** Events run so far. */
  events(): number;
}

export type Cancel = () => void;

interface Entry {
  readonly atMs: number;
  readonly order: number;
  action: (() => void) | undefined;
}

export function createTimeline(startMs: number, eventsMax: number): Timeline {
  const heap: Entry[] = [];
  let nowMs = startMs;
  let order = 0;
  let events = 0;
  return {
    nowMs: () => nowMs,
    events: () => events,
    after: (delayMs, action) => {
      const entry: Entry = { atMs: nowMs + Math.max(0, delayMs), order: order++, action };
      push(heap, entry);
      return () => {
        entry.action = undefined;
      };
    },
    runUntil: async (done) => {
      for (;;) {
        await quiescence();
        if (done()) return 'done';
        if (events >= eventsMax) return 'endless';
        let entry = pop(heap);
        while (entry !== undefined && entry.action === undefined) entry = pop(heap);
        if (entry === undefined) return 'starved';
        nowMs = entry.atMs;
        events += 1;
        entry.action?.();
      }
    },
  };
}

/**
 * Resolves when no promise can proceed by itself. A tick requested in a microtask runs once the microtask queue is
 * empty, as Node drains one queue before it takes from the other. The code under test may use no timers and no real IO,
 * so nothing else is left then.
 */
function quiescence(): Promise<void> {
  return new Promise((resolve) => {
    queueMicrotask(() => process.nextTick(resolve));
  });
}

function before(left: Entry, right: Entry): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.length;
  heap.push(entry);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(entry, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): Entry | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
    if (!before(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return top;
}
