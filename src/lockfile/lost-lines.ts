import type { Attempt } from './attempt.js';
import type { Ends } from './end-marks.js';
import { belongsTo, type JournalText } from './journal.js';
import type { LockHeader } from './lock-header.js';
import { endMarkOf } from './lock-text.js';
import { attemptsIn, isOtherLine, isUnread } from './salvage.js';
import { isSameMark, sealOf } from './seal.js';
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
  readonly counted: Counted;
  readonly setAside: readonly SetAside[];
  readonly journals: readonly Journal[];
  /** What the end mark says is missing. Without a number there is no end mark. Absent: nothing. */
  readonly fault: Fault | undefined;
}

/**
 * Whether lines may be gone without a trace: nothing may be bought then before the user has looked for their jobs.
 * Damaged lines that no end mark counts may have swallowed others, but a journal that has all the rest is taken to have
 * what is missing, too.
 */
export function areLinesLost({ header, sound, counted, setAside, journals, fault }: Remains): boolean {
  // It is in doubt already, and asks the same of the user.
  if (setAside.some(({ salvaged }) => salvaged.some(isUnread))) return false;
  if (fault?.linesMarked !== undefined) {
    const damaged = counted.aside.flatMap(({ text, salvaged }) =>
      salvaged.length > 0 ? attemptsIn(text) : [],
    );
    if (new Set([...counted.attempts, ...damaged]).size < fault.linesMarked) return true;
  }
  const uncounted = setAside.slice(counted.aside.length).filter(({ text }) => sealOf(text)?.right !== true);
  const isCertain = fault === undefined || fault.linesMarked !== undefined;
  if (isCertain && uncounted.length === 0) return false;
  return !journals.some((journal) => {
    const has = new Set(journal.records.map(({ attempt }) => attempt));
    const isWhole = journal.whole && belongsTo(header, journal);
    return isWhole && sound.every(({ attempt }) => has.has(attempt));
  });
}

/** The only end mark of a text. It counts the lines before it. */
export interface Mark {
  /** Of readable lines before it. */
  readonly attempts: ReadonlySet<string>;
  /** How many damaged lines precede it. */
  readonly aside: number;
}

/** What is left of the lines that end marks count. */
export interface Counted {
  /** Of readable lines, and those that the next run restores. */
  readonly attempts: ReadonlySet<string>;
  /** Damaged lines. */
  readonly aside: readonly SetAside[];
}

/**
 * @param mark after a merge, which mark counts which lines is unknown, so all lines count
 * @param sound records of readable lines
 * @param all ids of the attempts of readable lines and of journals
 */
export function countedOf(
  mark: Mark | 'several' | undefined,
  sound: readonly Attempt[],
  aside: readonly SetAside[],
  all: Iterable<string>,
): Counted {
  const had = new Set(sound.map(({ attempt }) => attempt));
  if (mark === undefined || mark === 'several') return { attempts: new Set([...had, ...all]), aside };
  const before = aside.slice(0, mark.aside);
  // A readable line after the mark may have a newer record of the same attempt.
  const renewed = before.flatMap(({ text }) => attemptsIn(text)).filter((attempt) => had.has(attempt));
  const restored = [...all].filter((attempt) => !had.has(attempt));
  return { attempts: new Set([...mark.attempts, ...renewed, ...restored]), aside: before };
}

/** What was read besides the records. */
interface Reading {
  readonly ends: Ends;
  readonly keptAsRead: readonly unknown[];
  readonly corrected: readonly unknown[];
  readonly restored: boolean;
  readonly cut: boolean;
  readonly old: boolean;
  readonly lockfiles: number;
  readonly counted?: Mark | 'several';
}

/** How many lines are missing, apart from damaged ones. */
export function faultOf(
  { restored, cut, old, ends, keptAsRead, corrected, ...reading }: Reading,
  { attempts, aside }: Counted,
): Fault | undefined {
  if (restored && cut) return {};
  // One of two lockfiles was cut off.
  if (!restored && !old && reading.lockfiles > 1 && reading.counted !== 'several') return {};
  const fault = old || (restored && !ends.begun()) ? undefined : ends.fault();
  if (fault === undefined) return undefined;
  const { lines, linesMarked } = fault;
  if (lines === undefined || linesMarked === undefined) return {};
  // A mark that does not match only because of damaged lines that are all present says nothing new.
  const records = aside.filter(({ text }) => !isOtherLine(text));
  const isExplained =
    attempts.size + countLines(records, attempts) >= linesMarked &&
    keptAsRead.length + records.length + corrected.length > 0;
  return isExplained ? undefined : { lines, linesMarked };
}

/**
 * How many lines these may have been that nothing else repeats: a line that was broken up has one beginning, and one
 * end.
 */
function countLines(records: readonly SetAside[], known: ReadonlySet<string>): number {
  const starts = records.filter(({ text }) => text.startsWith('{"'));
  const ends = records.filter(({ text }) => text.endsWith('"}'));
  const repeated = records.filter(({ text, salvaged }) => {
    const named = attemptsIn(text);
    return salvaged.length === 0 || (named.length > 0 && named.every((attempt) => known.has(attempt)));
  });
  return Math.max(0, Math.max(starts.length, ends.length) - repeated.length);
}

type Fault = { readonly lines?: number; readonly linesMarked?: number };
