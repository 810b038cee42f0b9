import { unreachable } from '../core/errors.js';
import type { Attempt } from './attempt.js';
import { type BoughtTwice, boughtTwice } from './bought-twice.js';
import { REV_SOUND_MAX } from './check.js';
import { correctLine, joinLines, linesInside } from './correct-line.js';
import { createEnds, type Ends } from './end-marks.js';
import { createFold, type Fold } from './fold-attempts.js';
import { belongsTo, type JournalText } from './journal.js';
import { type Line, readLine } from './line.js';
import type { LockProblem } from './lock-error.js';
import { isRelated, joinHeaders, LINEAGES_MAX, type LockHeader, lineagesOf, logsOf } from './lock-header.js';
import { linesOf, revFault, serialiseLock } from './lock-text.js';
import { type Aside, type SetAside, salvageAll } from './set-aside.js';

export interface RepairReport {
  /** Conflict markers removed. */
  readonly markers: number;
  /** Headers beyond the first of each lockfile. */
  readonly headers: number;
  /** Number of lockfiles that were merged into one. 1: there was only one. */
  readonly lockfiles: number;
  /** Attempts found in readable lines, folded. */
  readonly attempts: number;
  /** All of them are kept. */
  readonly boughtTwice: readonly BoughtTwice[];
  /** Lines with a fault that does not matter, and are kept as they are. Lines count from 1. */
  readonly keptAsRead: readonly { readonly line: number; readonly why: string }[];
  /** Wrong characters that a checksum identifies, one in a line. Lines and columns count from 1. */
  readonly corrected: readonly { readonly line: number; readonly column: number }[];
  /** Damaged lines that are not in the repaired text: keep them in a separate file. */
  readonly setAside: readonly SetAside[];
  /** Lines that are missing, with unknown content. Without numbers, it is unknown how many. */
  readonly missing?: { readonly lines?: number; readonly linesMarked?: number };
}

export type Repaired =
  | { readonly ok: true; readonly text: string; readonly report: RepairReport }
  /** Cannot be repaired: no header, a newer version, or lockfiles of two endpoints in one file. */
  | { readonly ok: false; readonly problem: LockProblem };

interface Work {
  readonly fold: Fold;
  readonly ends: Ends;
  readonly aside: Aside[];
  readonly keptAsRead: { line: number; why: string }[];
  readonly corrected: { line: number; column: number }[];
  /** Attempts at correcting a line that are left. */
  correctable: number;
  header?: LockHeader;
  /** The records are from journals, which have their own ends. */
  restored: boolean;
  /** One of these journals is damaged or cut. */
  cut: boolean;
  /** The header does not match its checksum, and is replaced when a valid one is found. */
  headerDamaged: boolean;
  lockfiles: number;
  /** Missing checksums are not damage: one side of a merge predates them. */
  old: boolean;
  markers: number;
  headers: number;
}

/**
 * Makes one valid lockfile from a damaged or merged one. Both sides of a conflict count, and so does its base: records
 * are folded, so the order and repetition of lines do not matter, and no `queue_id` of a readable line is ever dropped.
 *
 * @param journals they have what was recorded: used if the text has no header, because the file is missing or was
 *   overwritten. Otherwise the next run restores what the lockfile lacks
 */
export function repairLock(
  text: string,
  journals: readonly Pick<JournalText, 'header' | 'records' | 'whole'>[] = [],
): Repaired {
  const work = newWork();
  const unsealed: Unsealed[] = [];
  let number = 0;
  for (const { content } of linesOf(text)) {
    number += 1;
    for (const { line, text } of readDamaged(work, content, number)) {
      if (line.kind === 'attempt' && line.sum === undefined)
        unsealed.push({ line: number, attempt: line.attempt, text });
      const problem = takeLine(work, line, number, text);
      if (problem !== undefined) return { ok: false, problem };
    }
  }
  for (const { line, attempt, text } of unsealed) {
    if (work.old) keep(work, attempt, line, text);
    else work.aside.push({ line, why: 'has no checksum', text });
  }
  work.restored = work.header === undefined;
  const endpoint = journals.find(({ header }) => header !== undefined)?.header?.endpoint;
  for (const { header, records, whole } of work.restored ? journals : []) {
    // Another endpoint means another lockfile that had the same name.
    if (header !== undefined && header.endpoint !== endpoint) continue;
    const problem = header === undefined ? undefined : takeHeader(work, header, 1);
    if (problem !== undefined) return { ok: false, problem };
    if (!whole) work.cut = true;
    for (const record of records) work.fold.add(record);
  }
  if (work.restored) work.headers = 0;
  if (work.header === undefined) return { ok: false, problem: { kind: 'not_a_lockfile', line: 1 } };
  const { header } = work;
  const restorable = journals.flatMap((one) => (belongsTo(header, one) ? one.records : []));
  const setAside = salvageAll(work.fold, work.aside, restorable, work.restored);
  return {
    ok: true,
    text: serialiseLock(header, work.fold.attempts.values()),
    report: reportOf(work, setAside),
  };
}

function newWork(): Work {
  return {
    fold: createFold(),
    ends: createEnds(),
    aside: [],
    keptAsRead: [],
    corrected: [],
    correctable: CORRECTED_MAX,
    headerDamaged: false,
    restored: false,
    cut: false,
    lockfiles: 1,
    old: false,
    markers: 0,
    headers: 0,
  };
}

interface Unsealed {
  readonly line: number;
  readonly attempt: Attempt;
  readonly text: string;
}

/** Correcting a line takes up to a second. */
const CORRECTED_MAX = 32;

/** The lines that a damaged line was, as far as checksums prove it, and what is left. */
function readDamaged(work: Work, text: string, number: number): readonly { line: Line; text: string }[] {
  const line = readLine(text);
  if (line.kind !== 'checksum' && line.kind !== 'bad' && line.kind !== 'duplicate_key')
    return [{ line, text }];
  const { lines, rest, column } = linesInside(text);
  if (lines.length > 0) {
    const isClean = rest.length <= lines.length;
    if (isClean) work.corrected.push({ line: number, column });
    return [...lines, ...(isClean ? [] : [{ line: readLine(rest), text: rest }])];
  }
  const before = work.aside.at(-1);
  const joined = before?.line === number - 1 ? joinLines(before.text, text) : undefined;
  if (joined !== undefined && before !== undefined) {
    work.aside.pop();
    work.corrected.push({ line: before.line, column: joined.column });
    return [{ line: joined.line, text }];
  }
  if (work.correctable === 0) return [{ line, text }];
  work.correctable -= 1;
  const corrected = correctLine(text);
  if (corrected === undefined) return [{ line, text }];
  work.corrected.push({ line: number, column: corrected.column });
  return [{ line: corrected.line, text }];
}

/** Returns the reason if nothing can be repaired. */
function takeLine(work: Work, line: Line, number: number, text: string): LockProblem | undefined {
  const setAside = (why: string): undefined => {
    work.ends.count(undefined);
    work.aside.push({ line: number, why, text });
    return undefined;
  };
  switch (line.kind) {
    case 'blank':
      return undefined;
    case 'conflict_marker':
      work.markers += 1;
      return undefined;
    case 'end':
      work.ends.add(line.mark);
      return undefined;
    case 'attempt':
      work.ends.count(line.attempt, line.sum);
      if (line.sum !== undefined) keep(work, line.attempt, number, text);
      return undefined;
    case 'header':
      work.old ||= line.version === 1;
      return takeHeader(work, line.header, number);
    case 'checksum':
      return takeDamaged(work, line.header, number) ? undefined : setAside(DAMAGED);
    case 'newer_version':
      return line;
    case 'duplicate_key':
      return setAside(`has ${JSON.stringify(line.key)} twice`);
    case 'bad':
      return setAside(line.why);
    default:
      return unreachable(line);
  }
}

const DAMAGED = 'does not match its checksum';

/** Uses a header with a wrong checksum until there is a valid one. Returns whether the line is one. */
function takeDamaged(work: Work, header: LockHeader | undefined, line: number): boolean {
  if (header === undefined || work.header !== undefined) return false;
  work.header = header;
  work.headerDamaged = true;
  work.keptAsRead.push({ line, why: DAMAGED });
  return true;
}

/** If the lockfiles were created separately, such as two first runs merged by git, every attempt counts. */
function takeHeader(work: Work, header: LockHeader, line: number): LockProblem | undefined {
  const known = work.headerDamaged ? undefined : work.header;
  work.headerDamaged = false;
  if (known === undefined) {
    if (work.header !== undefined) work.headers += 1;
    work.header = header;
    return undefined;
  }
  if (header.endpoint !== known.endpoint)
    return { kind: 'other_endpoint', endpoint: known.endpoint, wanted: header.endpoint };
  const [log, other] = logsOf(known, header);
  if (log !== undefined && other !== undefined) return { kind: 'two_logs', line, logs: [log, other] };
  const joined = joinHeaders(known, header);
  if (lineagesOf(joined).length > LINEAGES_MAX) return { kind: 'second_header', line, related: false };
  if (isRelated(known, header)) work.headers += 1;
  else work.lockfiles += 1;
  work.header = joined;
  return undefined;
}

/** Replaces an implausible `rev` with one that leaves room to count on and is still higher than any real one. */
function keep({ fold, aside, keptAsRead }: Work, attempt: Attempt, line: number, text: string): void {
  if (!fold.hasRoom(attempt)) {
    aside.push({ line, why: `adds another job under attempt ${attempt.attempt}`, text });
    return;
  }
  if (attempt.rev > REV_SOUND_MAX) keptAsRead.push({ line, why: revFault(attempt) });
  fold.add(attempt.rev > REV_SOUND_MAX ? { ...attempt, rev: REV_SOUND_MAX / 2 } : attempt);
}

function reportOf(work: Work, setAside: readonly SetAside[]): RepairReport {
  const { fold, ends, aside, keptAsRead, corrected, markers, headers, lockfiles, old } = work;
  const all = [...fold.attempts.values()];
  const fault = work.restored ? (work.cut ? LINES_MISSING : undefined) : old ? undefined : ends.fault();
  const { lines = 0, linesMarked = Number.POSITIVE_INFINITY } = fault ?? {};
  // A mark that does not match only because of damaged lines that are all present says nothing new.
  const explained = lines >= linesMarked && keptAsRead.length + aside.length + corrected.length > 0;
  return {
    markers,
    headers,
    lockfiles,
    attempts: all.length,
    boughtTwice: boughtTwice(all),
    keptAsRead,
    corrected,
    setAside,
    ...(fault && !explained && { missing: missingOf(fault) }),
  };
}

const LINES_MISSING: LockProblem & { kind: 'incomplete' } = { kind: 'incomplete' };

function missingOf({
  lines,
  linesMarked,
}: LockProblem & { kind: 'incomplete' }): NonNullable<RepairReport['missing']> {
  return lines === undefined || linesMarked === undefined ? {} : { lines, linesMarked };
}
