import type { Attempt } from './attempt.js';
import type { Ends } from './end-marks.js';
import { belongsTo, type JournalText } from './journal.js';
import type { LockHeader } from './lock-header.js';
import { endMarkOf } from './lock-text.js';
import { isEndMark, isUnread } from './salvage.js';
import { isSameMark } from './seal.js';
import type { SetAside } from './set-aside.js';

export type Journal = Pick<JournalText, 'header' | 'records' | 'whole'>;

/** Whether an end mark proves that these are all the attempts that the lockfile had. */
export function isComplete(ends: Ends, attempts: Iterable<Attempt>): boolean {
  const mark = ends.last();
  return mark !== undefined && isSameMark(mark, endMarkOf(attempts));
}

/** What is left of a lockfile that has lost lines. */
export interface Remains {
  readonly header: LockHeader;
  /** Of readable lines. */
  readonly sound: readonly Attempt[];
  /** Ids of all attempts that are known: of readable and of damaged lines, and those that the next run restores. */
  readonly known: ReadonlySet<string>;
  readonly setAside: readonly SetAside[];
  readonly journals: readonly Journal[];
  /** How many lines the end mark counts. Absent: there is none. */
  readonly linesMarked?: number;
}

/**
 * Whether lines may be gone without a trace: nothing may be bought then before the user has looked for their jobs.
 * Without an end mark, a journal that has all the rest is taken to have what is missing, too.
 */
export function areLinesLost({ header, sound, known, setAside, journals, linesMarked }: Remains): boolean {
  // It is in doubt already, and asks the same of the user.
  if (setAside.some(({ salvaged }) => salvaged.some(isUnread))) return false;
  if (linesMarked !== undefined) return known.size < linesMarked;
  if (setAside.some(({ text }) => isEndMark(text))) return false;
  return !journals.some((journal) => {
    const has = new Set(journal.records.map(({ attempt }) => attempt));
    return journal.whole && belongsTo(header, journal) && sound.every(({ attempt }) => has.has(attempt));
  });
}
