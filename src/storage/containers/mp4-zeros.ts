import type { Extent } from './mp4-movie.js';
import type { Cursor, Scan } from './scan.js';

export interface Place {
  readonly from: number;
  readonly to: number;
}

/** Codings that have no all-zero samples. Such a sample means that a part of the file is missing. */
export const NEVER_ZERO = ['mp4a', 'alac', 'fLaC', 'Opus', 'ac-3', 'ec-3'];

const PIECE_BYTES = 65_536;
/** Shorter runs of zeros occur within samples. */
const RUN_BYTES_MIN = 64;
const RUNS_MAX = 100_000;
/** Tables can claim millions of extents in the same place. */
const STEPS_MAX = 10_000_000;

/** Reads up to `end`, and adds the long runs of zeros to `zeros`, and any at the end, in file order. */
export function* findZeros(cursor: Cursor, end: number, zeros: Place[]): Scan<void> {
  let from = cursor.at;
  const finish = (to: number, bytesMin: number) => {
    if (to - from >= bytesMin && zeros.length < RUNS_MAX) zeros.push({ from, to });
    from = to + 1;
  };
  while (cursor.at < end) {
    const piece = yield Math.min(PIECE_BYTES, end - cursor.at);
    if (piece.byteLength === 0) break;
    for (let at = 0; at < piece.byteLength; at++) if (piece[at] !== 0) finish(cursor.at + at, RUN_BYTES_MIN);
    cursor.at += piece.byteLength;
  }
  finish(cursor.at, 1);
}

/**
 * Whether zeros cover the last sample of an extent, or are twice as long as its largest one, so that they cover another.
 * `zeros` is sorted.
 */
export function hasBlankSample(zeros: readonly Place[], extents: Iterable<Extent>): boolean {
  let steps = 0;
  for (const { from, bytes, lastBytes, largestBytes } of extents) {
    if (bytes === 0 || lastBytes === 0) continue;
    const end = from + bytes;
    for (let at = firstBehind(zeros, from); at < zeros.length && steps < STEPS_MAX; at++, steps++) {
      const run = zeros[at]!;
      if (run.from >= end) break;
      if (run.from <= end - lastBytes && run.to >= end) return true;
      if (Math.min(run.to, end) - Math.max(run.from, from) >= 2 * largestBytes) return true;
    }
  }
  return false;
}

/** Index of the first run that ends behind `from`. */
function firstBehind(zeros: readonly Place[], from: number): number {
  let [low, high] = [0, zeros.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (zeros[middle]!.to <= from) low = middle + 1;
    else high = middle;
  }
  return low;
}
