/** A place in a file that is read once, from front to end. */
export interface Tape {
  readonly sizeBytes: number;
  /** Where the next bytes are shown from. Only ever moved on: what is passed over is never held. */
  at: number;
}

/**
 * Reads a file without holding it: each `yield` asks for so many bytes from `tape.at`, and gets fewer only where the
 * file ends. A generator, so that a container can be read as it is written down, though its bytes come in pieces.
 */
export type Scan<T> = Generator<number, T, Uint8Array>;

export interface RunningScan<T> {
  /** The next bytes of the file. Throws what the scan throws. */
  feed(piece: Uint8Array): void;
  /** What was found, where that needed no look at the rest. */
  early(): T | undefined;
  /** After the last bytes. */
  end(): T;
}

export function runScan<T>(scan: (tape: Tape) => Scan<T>, sizeBytes: number): RunningScan<T> {
  const tape: Tape = { sizeBytes, at: 0 };
  const steps = scan(tape);
  let step: IteratorResult<number, T> = steps.next();
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  /** Where the first held byte stands. */
  let heldFrom = 0;

  const drop = () => {
    while (held.length > 0 && heldFrom < tape.at) {
      const first = held[0]!;
      const passed = Math.min(first.byteLength, tape.at - heldFrom);
      if (passed === first.byteLength) held.shift();
      else held[0] = first.subarray(passed);
      heldFrom += passed;
      heldBytes -= passed;
    }
  };
  const answer = (count: number) => {
    // Joined once for all that is held: joining again for each question would take quadratic time.
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
      while (!step.done && heldFrom === tape.at && heldBytes >= step.value) answer(step.value);
    },
    early: () => (step.done ? step.value : undefined),
    end() {
      while (!step.done) {
        // What was asked for beyond the end is not there.
        if (heldFrom < tape.at) heldFrom = tape.at;
        answer(step.value);
      }
      return step.value;
    },
  };
}
