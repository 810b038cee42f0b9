import type { Attempt } from './attempt.js';
import type { LockProblem } from './lock-error.js';
import { createTally, type EndMark, isSameMark } from './seal.js';

/**
 * Tells whether lines are missing. A clean end writes an end mark as the last line, and every new file begins with one,
 * so a file without any mark was cut off. A single mark covers the lines before it; what a run appended follows it. A
 * merge leaves several marks and reorders lines, so for such a file only the number of attempts can be checked.
 */
export interface Ends {
  /** Counts one more line. `attempt` is absent if the line cannot be read. */
  count(attempt: Attempt | undefined, sum?: string): void;
  add(mark: EndMark): void;
  /** Whether there was an end mark. */
  begun(): boolean;
  /** The end mark that ends the text. Absent if lines follow it. */
  last(): EndMark | undefined;
  fault(): (LockProblem & { kind: 'incomplete' }) | undefined;
}

export function createEnds(): Ends {
  const tally = createTally();
  const attempts = new Set<string>();
  let marks = 0;
  let last: EndMark | undefined;
  let linesMax = 0;
  let matches = true;
  let linesFound = 0;
  return {
    count: (attempt, sum = '') => {
      last = undefined;
      tally.add(sum);
      if (attempt !== undefined) attempts.add(attempt.attempt);
    },
    add: (mark) => {
      marks += 1;
      last = mark;
      const found = tally.mark();
      matches = isSameMark(mark, found);
      linesFound = found.lines;
      linesMax = Math.max(linesMax, mark.lines);
    },
    begun: () => marks > 0,
    last: () => last,
    fault: () => {
      if (marks === 0) return { kind: 'incomplete' };
      if (marks === 1)
        return matches ? undefined : { kind: 'incomplete', lines: linesFound, linesMarked: linesMax };
      if (attempts.size >= linesMax) return undefined;
      return { kind: 'incomplete', lines: attempts.size, linesMarked: linesMax };
    },
  };
}
