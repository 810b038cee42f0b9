import { unreachable } from '../core/errors.js';
import type { Attempt } from './attempt.js';
import { type BoughtTwice, boughtTwice } from './bought-twice.js';
import { withRoom } from './check.js';
import { CORRECTED_MAX, readDamaged } from './damaged-line.js';
import { createEnds, type Ends } from './end-marks.js';
import { createFold, type Fold, foldAttempts } from './fold-attempts.js';
import { belongsTo } from './journal.js';
import type { Line } from './line.js';
import type { LockProblem } from './lock-error.js';
import { isRelated, joinHeaders, LINEAGES_MAX, type LockHeader, lineagesOf, logsOf } from './lock-header.js';
import { linesOf, revFault, serialiseLock } from './lock-text.js';
import { makeHeader } from './lost-header.js';
import { areLinesLost, countedOf, faultOf, isComplete, type Journal, type Mark } from './lost-lines.js';
import { missingLines } from './salvage.js';
import { type Aside, type SetAside, salvageAll } from './set-aside.js';

export interface RepairReport {
  /** Conflict markers removed. */
  readonly markers: number;
  /** Headers beyond the first of each lockfile. */
  readonly headers: number;
  /** The endpoint of a header that was made because the old one cannot be read. */
  readonly headerFor?: string;
  /** Number of lockfiles that were merged into one. 1: there was only one. */
  readonly lockfiles: number;
  /** Attempts found in readable lines, folded. */
  readonly attempts: number;
  /** All of them are kept. */
  readonly boughtTwice: readonly BoughtTwice[];
  /** Lines with a fault that does not matter. Lines count from 1. */
  readonly keptAsRead: readonly KeptLine[];
  /** Wrong characters that a checksum identifies, one in a line. Lines and columns count from 1. */
  readonly corrected: readonly { readonly line: number; readonly column: number }[];
  /** Damaged lines that are not in the repaired text: keep them in a separate file. */
  readonly setAside: readonly SetAside[];
  /** Lines that are missing, with unknown content. Without numbers, it is unknown how many. */
  readonly missing?: {
    readonly lines?: number;
    readonly linesMarked?: number;
    /** In the repaired text, for what they recorded, unless journals may have that. */
    readonly inDoubt?: Attempt;
  };
}

export interface KeptLine {
  readonly line: number;
  readonly why: string;
  /** The `rev` that replaces its own. Absent: the line is kept as it is. */
  readonly loweredTo?: number;
}

export type Repaired =
  | { readonly ok: true; readonly text: string; readonly report: RepairReport }
  /** Cannot be repaired: no header, a newer version, or lockfiles of two endpoints in one file. */
  | { readonly ok: false; readonly problem: LockProblem };

interface Work {
  readonly fold: Fold;
  readonly ends: Ends;
  readonly aside: Aside[];
  readonly keptAsRead: KeptLine[];
  readonly corrected: { line: number; column: number }[];
  /** Attempts at correcting a line that are left. */
  correctable: number;
  header?: LockHeader;
  /** The records are from journals, which have their own ends. */
  restored: boolean;
  /** One of these journals is damaged or cut. */
  cut: boolean;
  /** The first end mark, or that there are several. */
  counted?: Mark | 'several';
  /** Damaged lines precede a header: they may be another lockfile's, which the end mark does not count. */
  mixed: boolean;
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
 * @param endpoint for a new header, if the old one cannot be read at all. Absent: no header is made
 */
export function repairLock(text: string, journals: readonly Journal[] = [], endpoint?: string): Repaired {
  const work = newWork();
  const problem = readText(work, text);
  if (problem !== undefined) return { ok: false, problem };
  const sound = [...work.fold.attempts.values()];
  work.restored = work.header === undefined;
  const isForeign = work.restored && sound.length === 0 && !work.ends.begun();
  const unrestorable = work.restored ? restoreFrom(work, journals) : undefined;
  if (unrestorable !== undefined) return { ok: false, problem: unrestorable };
  const { fold, ends, aside } = work;
  const texts = aside.map((one) => one.text);
  const made = work.header === undefined && endpoint !== undefined && makeHeader(sound, texts, endpoint);
  const header = work.header ?? (made || undefined);
  if (header === undefined) return { ok: false, problem: { kind: 'not_a_lockfile', line: 1 } };
  const restorable = journals.flatMap((one) => (belongsTo(header, one) ? one.records : []));
  const all = foldAttempts([...fold.attempts.values(), ...restorable]);
  const isOne = !work.mixed && work.lockfiles === 1;
  const complete = isOne && isComplete(ends, all.values());
  const setAside = salvageAll(fold, aside, text, sound, restorable, complete || isForeign);
  const counted = countedOf(work.counted, sound, setAside, all.keys());
  const fault = complete ? undefined : faultOf(work, counted);
  const lost = areLinesLost({ header, sound, counted, setAside, journals, fault });
  const missing = fault ?? (lost ? {} : undefined);
  const inDoubt = lost ? missingLines(text) : undefined;
  if (inDoubt !== undefined) fold.add(inDoubt);
  return {
    ok: true,
    text: serialiseLock(header, fold.attempts.values()),
    report: {
      ...reportOf(work, setAside, missing && { ...missing, ...(inDoubt && { inDoubt }) }),
      ...(made && { headerFor: made.endpoint }),
    },
  };
}

/** Returns the reason if nothing can be repaired. */
function readText(work: Work, whole: string): LockProblem | undefined {
  const unsealed: Unsealed[] = [];
  let number = 0;
  for (const { content } of linesOf(whole)) {
    number += 1;
    for (const { line, text } of readDamaged(work, content, number)) {
      if (line.kind === 'attempt' && line.sum === undefined)
        unsealed.push({ line: number, attempt: line.attempt, text });
      const problem = takeLine(work, line, number, text);
      if (problem !== undefined) return problem;
    }
  }
  for (const { line, attempt, text } of unsealed) {
    if (work.old) keep(work, attempt, line, text);
    else work.aside.push({ line, why: 'has no checksum', text });
  }
  return undefined;
}

/** Returns the reason if nothing can be repaired. */
function restoreFrom(work: Work, journals: readonly Journal[]): LockProblem | undefined {
  const endpoint = journals.find(({ header }) => header !== undefined)?.header?.endpoint;
  for (const { header, records, whole } of journals) {
    // Another endpoint means another lockfile that had the same name.
    if (header !== undefined && header.endpoint !== endpoint) continue;
    const problem = header === undefined ? undefined : takeHeader(work, header, 1);
    if (problem !== undefined) return problem;
    if (!whole) work.cut = true;
    for (const record of records) work.fold.add(record);
  }
  work.headers = 0;
  return undefined;
}

function newWork(): Work {
  return {
    fold: createFold(),
    ends: createEnds(),
    aside: [],
    keptAsRead: [],
    corrected: [],
    correctable: CORRECTED_MAX,
    mixed: false,
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
      work.counted =
        work.counted === undefined
          ? { attempts: new Set(work.fold.attempts.keys()), aside: work.aside.length }
          : 'several';
      work.ends.add(line.mark);
      return undefined;
    case 'attempt':
      work.ends.count(line.attempt, line.sum);
      if (line.sum !== undefined) keep(work, line.attempt, number, text);
      return undefined;
    case 'header':
      work.old ||= line.version === 1;
      work.mixed ||= work.aside.length > 0;
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

/** Also lowers an implausible `rev`. */
function keep({ fold, aside, keptAsRead }: Work, attempt: Attempt, line: number, text: string): void {
  if (!fold.hasRoom(attempt)) {
    aside.push({ line, why: `adds another job under attempt ${attempt.attempt}`, text });
    return;
  }
  const kept = withRoom(attempt);
  if (kept !== attempt) keptAsRead.push({ line, why: revFault(attempt), loweredTo: kept.rev });
  fold.add(kept);
}

function reportOf(
  { fold, keptAsRead, corrected, markers, headers, lockfiles }: Work,
  setAside: readonly SetAside[],
  missing: RepairReport['missing'],
): RepairReport {
  const all = [...fold.attempts.values()];
  return {
    markers,
    headers,
    lockfiles,
    attempts: all.length,
    boughtTwice: boughtTwice(all),
    keptAsRead,
    corrected,
    setAside,
    ...(missing && { missing }),
  };
}
