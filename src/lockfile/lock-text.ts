import { unreachable } from '../core/errors.js';
import type { Attempt } from './attempt.js';
import { REV_SOUND_MAX, withRoom } from './check.js';
import { createEnds, type Ends } from './end-marks.js';
import { createFold, type Fold } from './fold-attempts.js';
import { attemptLine, endLine, headerLine, type Line, readLine } from './line.js';
import type { LockProblem } from './lock-error.js';
import { isRelated, type LockHeader } from './lock-header.js';
import { createTally, type EndMark, isBeginning, sumOf } from './seal.js';

/** The content of a lockfile. If there are problems, nothing may be bought and the file must not be rewritten. */
export interface ParsedLock {
  /** Absent if there is no valid header; then there is also a problem. */
  readonly header?: LockHeader;
  /** Folded, by attempt id, in order of first appearance. With problems: from the valid lines. */
  readonly attempts: ReadonlyMap<string, Attempt>;
  /** In line order; at most 100. */
  readonly problems: readonly LockProblem[];
  readonly notes: readonly LockNote[];
}

/** Worth reporting, but not a problem. */
export type LockNote =
  /**
   * This many attempts come from a journal: the lockfile lacked them or had an older record. `places`: where, by
   * attempt, the lockfile says that a file is, if the journal names another path.
   */
  | {
      readonly kind: 'restored';
      readonly attempts: number;
      readonly places?: ReadonlyMap<string, string>;
    }
  /** The last line has no line feed. `dropped`: it was incomplete, a write torn by a crash. */
  | { readonly kind: 'unterminated'; readonly line: number; readonly dropped: boolean };

const PROBLEMS_MAX = 100;

interface Reading {
  readonly fold: Fold;
  readonly problems: LockProblem[];
  readonly notes: LockNote[];
  readonly ends: Ends;
  header?: LockHeader;
  /** The format version of the file. */
  version?: number;
  headerSought: boolean;
}

/**
 * Reads a whole lockfile. Linear in its length; never throws.
 *
 * A last line without a line feed is dropped if it can be the torn append of a record. If it is a complete record, it
 * is kept: every record is written after what it says became true, and an editor may have removed the line feed.
 */
export function parseLock(text: string): ParsedLock {
  const reading: Reading = {
    fold: createFold(),
    problems: [],
    notes: [],
    ends: createEnds(),
    headerSought: true,
  };
  let number = 0;
  for (const { content, terminated } of linesOf(text)) {
    number += 1;
    const line = readLine(content);
    if (!terminated) {
      const dropped = isTorn(reading, line, content);
      reading.notes.push({ kind: 'unterminated', line: number, dropped });
      if (dropped) break;
    }
    const problem = takeLine(reading, line, number);
    if (problem !== undefined && reading.problems.length < PROBLEMS_MAX) reading.problems.push(problem);
    if (line.kind === 'newer_version') break;
    reading.headerSought &&= line.kind === 'blank' || line.kind === 'conflict_marker';
  }
  return conclude(reading);
}

function isTorn({ headerSought, version, ends }: Reading, line: Line, content: string): boolean {
  if (line.kind !== 'bad' || line.json || headerSought) return false;
  return version === 1 || (ends.begun() && isBeginning(content));
}

/** Adds a line, and returns what is wrong with it. */
function takeLine(reading: Reading, line: Line, number: number): LockProblem | undefined {
  const { headerSought, ends } = reading;
  if (line.kind === 'blank') return undefined;
  if (line.kind === 'header' && headerSought) {
    reading.header = line.header;
    reading.version = line.version;
    return undefined;
  }
  if (line.kind === 'end' && !headerSought) {
    ends.add(line.mark);
    return undefined;
  }
  if (line.kind !== 'attempt') return problemOf(line, number, reading);
  const problem = attemptProblem(reading, line, number);
  if (problem?.kind !== 'too_many_jobs') reading.fold.add(withRoom(line.attempt));
  ends.count(line.attempt, line.sum);
  return problem;
}

/** What is wrong with a record that is valid on its own. */
function attemptProblem(
  { headerSought, version, fold }: Reading,
  { attempt, sum }: Line & { kind: 'attempt' },
  line: number,
): LockProblem | undefined {
  if (headerSought) return { kind: 'not_a_lockfile', line };
  if (sum === undefined && version !== 1) return { kind: 'checksum', line };
  if (attempt.rev > REV_SOUND_MAX) return { kind: 'bad_line', line, why: revFault(attempt) };
  return fold.hasRoom(attempt) ? undefined : { kind: 'too_many_jobs', line, attempt: attempt.attempt };
}

export function revFault({ rev }: Attempt): string {
  return `has rev ${rev}, and no attempt changes that often`;
}

function conclude({ fold, problems, notes, ends, header, version, headerSought }: Reading): ParsedLock {
  if (headerSought && problems.length === 0) problems.push({ kind: 'not_a_lockfile', line: 1, empty: true });
  const [first] = problems;
  if (first?.kind === 'not_a_lockfile' && fold.attempts.size > 0) problems[0] = { ...first, records: true };
  const incomplete = version === undefined || version === 1 ? undefined : ends.fault();
  if (incomplete !== undefined && problems.length === 0) problems.push(incomplete);
  return { ...(header && { header }), attempts: fold.attempts, problems, notes };
}

/**
 * The canonical text, line by line: the header, one line for each attempt by track, take and id, and the end mark.
 * Equal attempts give equal text. Nothing is left out, not even a rejected submit that was repeated since: merging an
 * older file that has it as an intent would bring it back as in doubt.
 */
export function* canonicalLines(header: LockHeader, attempts: Iterable<Attempt>): Generator<string> {
  yield `${headerLine(header)}\n`;
  const tally = createTally();
  for (const attempt of [...attempts].sort(byPlace)) {
    const line = attemptLine(attempt);
    tally.add(sumOf(line));
    yield `${line}\n`;
  }
  yield `${endLine(tally.mark())}\n`;
}

/** The end mark of a canonical text with these attempts. */
export function endMarkOf(attempts: Iterable<Attempt>): EndMark {
  const tally = createTally();
  for (const attempt of [...attempts].sort(byPlace)) tally.add(sumOf(attemptLine(attempt)));
  return tally.mark();
}

export function serialiseLock(header: LockHeader, attempts: Iterable<Attempt>): string {
  return [...canonicalLines(header, attempts)].join('');
}

/** The lines of a text in order. The last one is not `terminated` if the text does not end in a line feed. */
export function* linesOf(text: string): Generator<{ content: string; terminated: boolean }> {
  let start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    const terminated = end >= 0;
    const content = text.slice(start, terminated ? end : text.length);
    yield { content: content.endsWith('\r') ? content.slice(0, -1) : content, terminated };
    start = terminated ? end + 1 : text.length;
  }
}

function byPlace(a: Attempt, b: Attempt): number {
  if (a.track !== b.track) return a.track < b.track ? -1 : 1;
  return a.take - b.take || (a.attempt < b.attempt ? -1 : 1);
}

function problemOf(
  line: Exclude<Line, { kind: 'blank' | 'attempt' }>,
  number: number,
  { header, headerSought }: Reading,
): LockProblem {
  switch (line.kind) {
    case 'conflict_marker':
      return { kind: 'conflict_markers', line: number };
    case 'newer_version':
      return { kind: 'newer_version', version: line.version };
    case 'header':
      return {
        kind: 'second_header',
        line: number,
        related: header !== undefined && isRelated(header, line.header),
      };
    case 'end':
      return { kind: 'not_a_lockfile', line: number };
    case 'checksum':
      return headerSought ? { kind: 'not_a_lockfile', line: number } : { kind: 'checksum', line: number };
    case 'duplicate_key':
      return { kind: 'duplicate_key', line: number, key: line.key };
    case 'bad':
      return headerSought
        ? { kind: 'not_a_lockfile', line: number }
        : { kind: 'bad_line', line: number, why: line.why };
    default:
      return unreachable(line);
  }
}
