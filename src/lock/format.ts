import { unreachable } from '../errors.js';
import type { Attempt } from './attempt.js';
import { createFold } from './fold.js';
import { attemptLine, headerLine, type Line, readLine } from './line.js';
import type { LockProblem } from './problem.js';
import type { LockHeader } from './store.js';

/** A lockfile's text, read. With any problem nothing may be bought, and the file must not be rewritten. */
export interface ParsedLock {
  /** Absent where there is no sound one; there is a problem then. */
  readonly header?: LockHeader;
  /** Folded, by attempt id, in the order of first appearance. Of the sound lines, also where there are problems. */
  readonly attempts: ReadonlyMap<string, Attempt>;
  /** In the order of lines; at most 100. */
  readonly problems: readonly LockProblem[];
  readonly notes: readonly LockNote[];
}

/** Worth telling, but no obstacle. */
export type LockNote =
  /** The last line has no line feed. `dropped`: it was not whole, a write that a crash tore. */
  | { readonly kind: 'unterminated'; readonly line: number; readonly dropped: boolean }
  /** A merge brought several paid jobs for one attempt or one take: all are kept, all are collected. Their attempt ids. */
  | { readonly kind: 'paid_twice'; readonly attempts: readonly string[] };

const PROBLEMS_MAX = 100;

/**
 * Reads a whole lockfile. Linear in its length; never throws.
 *
 * A last line without its line feed is dropped if it is torn. If it is a whole record it is kept: every
 * record is written after what it says became true, and an editor may have taken the line feed away.
 */
export function parseLock(text: string): ParsedLock {
  const fold = createFold();
  const problems: LockProblem[] = [];
  const notes: LockNote[] = [];
  let header: LockHeader | undefined;
  let headerSought = true;
  let number = 0;
  for (const { content, terminated } of linesOf(text)) {
    number += 1;
    const line = readLine(content);
    if (!terminated) {
      const dropped = line.kind === 'bad' && !line.json && !headerSought;
      notes.push({ kind: 'unterminated', line: number, dropped });
      if (dropped) break;
    }
    if (line.kind === 'attempt') fold.add(line.attempt);
    if (line.kind === 'header' && headerSought) header = line.header;
    else if (
      line.kind !== 'blank' &&
      (line.kind !== 'attempt' || headerSought) &&
      problems.length < PROBLEMS_MAX
    ) {
      problems.push(problemOf(line, number, header, headerSought));
    }
    if (line.kind === 'newer_version') break;
    headerSought &&= line.kind === 'blank' || line.kind === 'conflict_marker';
  }
  if (headerSought && problems.length === 0) problems.push({ kind: 'not_a_lockfile', line: 1 });
  for (const attempts of fold.doubled()) notes.push({ kind: 'paid_twice', attempts });
  return { ...(header && { header }), attempts: fold.attempts, problems, notes };
}

/**
 * The canonical text, line by line: the header, then a line for each attempt, by track, take and id. Equal attempts give
 * equal text. Nothing is left out, not even what was refused and made again since: a merge with an older file, which
 * has it as an intent, would bring it back as a doubt.
 */
export function* canonicalLines(header: LockHeader, attempts: Iterable<Attempt>): Generator<string> {
  yield `${headerLine(header)}\n`;
  for (const attempt of [...attempts].sort(byPlace)) yield `${attemptLine(attempt)}\n`;
}

/** The canonical text as a whole. */
export function serialiseLock(header: LockHeader, attempts: Iterable<Attempt>): string {
  return [...canonicalLines(header, attempts)].join('');
}

/** The lines of a text in order. The last one is not `terminated` where the text does not end in a line feed. */
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
  line: Exclude<Line, { kind: 'blank' }>,
  number: number,
  header: LockHeader | undefined,
  headerSought: boolean,
): LockProblem {
  switch (line.kind) {
    case 'conflict_marker':
      return { kind: 'conflict_markers', line: number };
    case 'newer_version':
      return { kind: 'newer_version', version: line.version };
    case 'header':
      return { kind: 'second_header', line: number, sameLineage: line.header.lineage === header?.lineage };
    case 'attempt':
      return { kind: 'not_a_lockfile', line: number };
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
