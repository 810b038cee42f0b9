/** A position in a file that is read once, from start to end. */
export interface Cursor {
  readonly sizeBytes: number;
  /** Offset of the next bytes. It only increases: bytes that are skipped are never kept. */
  at: number;
}

/** The end of a chunk of RIFF or IFF whose content begins here. Some writers leave out the file's last pad byte. */
export function chunkEnd({ at, sizeBytes }: Cursor, length: number): number {
  return Math.max(at + length, Math.min(at + length + (length % 2), sizeBytes));
}

/**
 * Reads a file without holding it in memory. Each `yield` asks for a number of bytes from `cursor.at`, and gets fewer
 * only at the end of the file. As a generator, the reader of a container follows its specification although the bytes
 * arrive in pieces.
 */
export type Scan<T> = Generator<number, T, Uint8Array>;

export interface RunningScan<T> {
  /** Adds the next bytes of the file. Throws what the scan throws. */
  feed(piece: Uint8Array): void;
  /** The result, if it is already known before the end. */
  early(): T | undefined;
  /** Call after the last bytes. */
  end(): T;
}

export function runScan<T>(scan: (cursor: Cursor) => Scan<T>, sizeBytes: number): RunningScan<T> {
  const cursor: Cursor = { sizeBytes, at: 0 };
  const steps = scan(cursor);
  let step: IteratorResult<number, T> = steps.next();
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  /** Offset of the first held byte. */
  let heldFrom = 0;

  const drop = () => {
    while (held.length > 0 && heldFrom < cursor.at) {
      const first = held[0]!;
      const passed = Math.min(first.byteLength, cursor.at - heldFrom);
      if (passed === first.byteLength) held.shift();
      else held[0] = first.subarray(passed);
      heldFrom += passed;
      heldBytes -= passed;
    }
  };
  const answer = (count: number) => {
    // Join all held pieces at once. Joining for each request would take quadratic time.
    if (held.length > 1 && held[0]!.byteLength < count) held = [Buffer.concat(held)];
    step = steps.next(held[0]?.subarray(0, count) ?? new Uint8Array());
    drop();
  };
  return {
    feed(piece) {
      if (step.done) return;
      held.push(piece);
      heldBytes += piece.byteLength;
      drop();
      while (!step.done && heldFrom === cursor.at && heldBytes >= step.value) answer(step.value);
    },
    early: () => (step.done ? step.value : undefined),
    end() {
      while (!step.done) {
        // The requested bytes are beyond the end.
        if (heldFrom < cursor.at) heldFrom = cursor.at;
        answer(step.value);
      }
      return step.value;
    },
  };
}
