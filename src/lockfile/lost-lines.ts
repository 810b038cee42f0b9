import type { Attempt } from './attempt.js';
import type { Ends } from './end-marks.js';
import { belongsTo, type JournalText } from './journal.js';
import type { LockHeader } from './lock-header.js';
import { endMarkOf } from './lock-text.js';
import { isUnread } from './salvage.js';
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
  /** Whether the text ends with an end mark, which counts all lines before it. */
  readonly marked: boolean;
  /** What the end mark says is missing. Without a number there is no end mark. Absent: nothing. */
  readonly fault: { readonly linesMarked?: number } | undefined;
}

/**
 * Whether lines may be gone without a trace: nothing may be bought then before the user has looked for their jobs.
 * Without an end mark, a journal that has all the rest is taken to have what is missing, too.
 */
export function areLinesLost({ sound, known, setAside, fault, ...remains }: Remains): boolean {
  // It is in doubt already, and asks the same of the user.
  if (setAside.some(({ salvaged }) => salvaged.some(isUnread))) return false;
  if (remains.marked || !setAside.some(({ text }) => HIDING.test(text))) {
    if (fault === undefined) return false;
    if (fault.linesMarked !== undefined) return known.size < fault.linesMarked;
  }
  return !remains.journals.some((journal) => {
    const has = new Set(journal.records.map(({ attempt }) => attempt));
    const isWhole = journal.whole && belongsTo(remains.header, journal);
    return isWhole && sound.every(({ attempt }) => has.has(attempt));
  });
}

/** Zeros, blanks or noise that may reach from one line into the next, and hide how that one began. */
const HIDING = /[^!-~]{64}/;
