import type { Attempt } from './attempt.js';
import type { LockProblem } from './lock-error.js';
import { createTally, type EndMark, isSameMark } from './seal.js';

/**
 * Whether all is there that was. A clean end leaves its mark last, and every new file begins with one, so that a file
 * without any was cut off. A single mark stands for the lines before it; what a run appended comes after it. Several
 * are left by a merge, which takes lines of either side out of their order: of such a file only the number of attempts
 * can be held against them.
 */
export interface Ends {
  /** One more line. `attempt`: absent where it cannot be read. */
  count(attempt: Attempt | undefined, sum?: string): void;
  add(mark: EndMark): void;
  /** True if there was an end mark. */
  begun(): boolean;
  fault(): (LockProblem & { kind: 'incomplete' }) | undefined;
}

export function createEnds(): Ends {
  const tally = createTally();
  const attempts = new Set<string>();
  let marks = 0;
  let linesMax = 0;
  let matches = true;
  let linesFound = 0;
  return {
    count: (attempt, sum = '') => {
      tally.add(sum);
      if (attempt !== undefined) attempts.add(attempt.attempt);
    },
    add: (mark) => {
      marks += 1;
      const found = tally.mark();
      matches = isSameMark(mark, found);
      linesFound = found.lines;
      linesMax = Math.max(linesMax, mark.lines);
    },
    begun: () => marks > 0,
    fault: () => {
      if (marks === 0) return { kind: 'incomplete' };
      if (marks === 1)
        return matches ? undefined : { kind: 'incomplete', lines: linesFound, linesMarked: linesMax };
      if (attempts.size >= linesMax) return undefined;
      return { kind: 'incomplete', lines: attempts.size, linesMarked: linesMax };
    },
  };
}
