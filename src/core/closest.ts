const WORD_LENGTH_MAX = 64;
/** Maximum character comparisons per call; the candidate list may be untrusted. */
const STEPS_MAX = 400_000;

/**
 * The candidate that was probably meant by `word`: the one with the least edit distance (insert, delete, replace, swap
 * neighbours; letter case and `-` versus `_` are ignored), or else the only one that begins with it. `undefined` if
 * nothing is close enough: more than a third of the letters differ. For a very long list, only a part is compared, to
 * limit the time to some milliseconds.
 */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length === 0 || word.length > WORD_LENGTH_MAX) return undefined;
  const wanted = fold(word);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  const longer: string[] = [];
  let steps = 0;
  for (const candidate of candidates) {
    steps += wanted.length * Math.min(candidate.length, WORD_LENGTH_MAX);
    if (steps > STEPS_MAX) break;
    if (candidate.length > 4 * WORD_LENGTH_MAX) continue;
    const folded = fold(candidate);
    if (wanted.length >= 3 && folded.startsWith(wanted)) longer.push(candidate);
    const distance = editDistance(wanted, folded, bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? (longer.length === 1 ? longer[0] : undefined);
}

/** Whether two words differ by at most this many edits, measured as in `closest`. */
export function isNear(word: string, other: string, editsMax: number): boolean {
  if (word.length > WORD_LENGTH_MAX) return false;
  return editDistance(fold(word), fold(other), editsMax + 1) <= editsMax;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}

/** Restricted Damerau-Levenshtein distance; `limit` if the distance is not below it. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let twoAgo: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let distance = Math.min(
        previous[column]! + 1,
        current[column - 1]! + 1,
        previous[column - 1]! + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) distance = Math.min(distance, twoAgo[column - 2]! + 1);
      current.push(distance);
    }
    if (Math.min(...current) >= limit) return limit;
    twoAgo = previous;
    previous = current;
  }
  return Math.min(limit, previous[b.length]!);
}
