import { unreachable } from '../core/errors.js';
import type { Attempt } from './attempt.js';
import { type BoughtTwice, boughtTwice } from './bought-twice.js';
import { REV_SOUND_MAX } from './check.js';
import { createEnds, type Ends } from './end-marks.js';
import { createFold, type Fold } from './fold-attempts.js';
import type { JournalText } from './journal.js';
import { type Line, readLine } from './line.js';
import type { LockProblem } from './lock-error.js';
import { isRelated, joinHeaders, LINEAGES_MAX, type LockHeader, lineagesOf, logsOf } from './lock-header.js';
import { linesOf, revFault, serialiseLock } from './lock-text.js';

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
  /** Lines that are damaged or edited but readable, and are kept as they are. Lines count from 1. */
  readonly keptAsRead: readonly { readonly line: number; readonly why: string }[];
  /** Lines that could not be understood. They are not in the repaired text: keep them in a separate file. */
  readonly setAside: readonly SetAside[];
  /** Lines that are missing, with unknown content. Without numbers, it is unknown how many. */
  readonly missing?: { readonly lines?: number; readonly linesMarked?: number };
}

export interface SetAside {
  /** From 1. */
  readonly line: number;
  readonly why: string;
  /** The whole line. Untrusted text: escape it before printing. */
  readonly text: string;
  /** What looks like queue ids in the line and is in no kept line: possibly paid jobs that would be lost. */
  readonly queueIds: readonly string[];
}

export type Repaired =
  | { readonly ok: true; readonly text: string; readonly report: RepairReport }
  /** Cannot be repaired: no header, a newer version, or lockfiles of two endpoints in one file. */
  | { readonly ok: false; readonly problem: LockProblem };

interface Work {
  readonly fold: Fold;
  readonly ends: Ends;
  readonly aside: Omit<SetAside, 'queueIds'>[];
  readonly keptAsRead: { line: number; why: string }[];
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
 * @param journals used if the text has no header: the file is missing or was overwritten, and they have what was
 *   recorded
 */
export function repairLock(
  text: string,
  journals: readonly Pick<JournalText, 'header' | 'records' | 'whole'>[] = [],
): Repaired {
  const work: Work = {
    fold: createFold(),
    ends: createEnds(),
    aside: [],
    keptAsRead: [],
    headerDamaged: false,
    restored: false,
    cut: false,
    lockfiles: 1,
    old: false,
    markers: 0,
    headers: 0,
  };
  const unsealed: number[] = [];
  let number = 0;
  for (const { content } of linesOf(text)) {
    number += 1;
    const line = readLine(content);
    if (line.kind === 'attempt' && line.sum === undefined) unsealed.push(number);
    const problem = takeLine(work, line, number, content);
    if (problem !== undefined) return { ok: false, problem };
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
  if (!work.old) work.keptAsRead.push(...unsealed.map((line) => ({ line, why: 'has no checksum' })));
  return { ok: true, text: serialiseLock(work.header, work.fold.attempts.values()), report: reportOf(work) };
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
      keep(work, line.attempt, number, text);
      return undefined;
    case 'header':
      work.old ||= line.version === 1;
      return takeHeader(work, line.header, number);
    case 'checksum':
      return takeDamaged(work, line, number, text) ? undefined : setAside(DAMAGED);
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

/** Keeps what a line with a wrong checksum says, and returns whether it says anything. */
function takeDamaged(
  work: Work,
  { attempt, header, sum }: Line & { kind: 'checksum' },
  line: number,
  text: string,
): boolean {
  if (attempt !== undefined) {
    work.ends.count(attempt, sum);
    keep(work, attempt, line, text);
  } else if (header === undefined || work.header !== undefined) return false;
  if (header !== undefined) {
    work.header = header;
    work.headerDamaged = true;
  }
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

function reportOf(work: Work): RepairReport {
  const { fold, ends, aside, keptAsRead, markers, headers, lockfiles, old } = work;
  const all = [...fold.attempts.values()];
  const known = new Set(all.map((attempt) => attempt.queue_id));
  const setAside = aside.map((one) => ({
    ...one,
    queueIds: queueIdsIn(one.text).filter((queueId) => !known.has(queueId)),
  }));
  const fault = work.restored ? (work.cut ? LINES_MISSING : undefined) : old ? undefined : ends.fault();
  const { lines = 0, linesMarked = Number.POSITIVE_INFINITY } = fault ?? {};
  // A mark that does not match only because of damaged lines that are all present says nothing new.
  const explained = lines >= linesMarked && keptAsRead.length + aside.length > 0;
  return {
    markers,
    headers,
    lockfiles,
    attempts: all.length,
    boughtTwice: boughtTwice(all),
    keptAsRead,
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

function queueIdsIn(text: string): readonly string[] {
  const found = [...text.matchAll(/"queue_id" ?: ?"([ !#-~]{1,200})/g)].map((match) => match[1] ?? '');
  return [...new Set(found)];
}
