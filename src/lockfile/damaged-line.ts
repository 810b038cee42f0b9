import { correctLine, joinLines, linesInside } from './correct-line.js';
import { type Line, readLine } from './line.js';
import type { Aside } from './set-aside.js';

/** Correcting a line takes up to a second. */
export const CORRECTED_MAX = 32;

/** What is known of the lines before. */
interface Reading {
  readonly aside: Aside[];
  readonly corrected: { line: number; column: number }[];
  /** Attempts at correcting a line that are left. */
  correctable: number;
}

/** A line, or a part of one that used to be a line. */
export interface Piece {
  readonly line: Line;
  readonly text: string;
}

/** The lines that a damaged line was, as far as checksums prove it, and what is left. */
export function readDamaged(work: Reading, text: string, number: number): readonly Piece[] {
  const line = readLine(text);
  if (line.kind === 'conflict_marker') return readMarker(text);
  if (line.kind !== 'checksum' && line.kind !== 'bad' && line.kind !== 'duplicate_key')
    return [{ line, text }];
  const { lines, rest, column } = linesInside(text);
  if (lines.length > 0) {
    const isClean = rest.length <= lines.length;
    if (isClean) work.corrected.push({ line: number, column });
    const others = isClean ? [] : readMarker(rest);
    // An end mark counts what comes before it.
    return text.startsWith(lines[0]?.text ?? '') ? [...lines, ...others] : [...others, ...lines];
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

/** A line may begin as a conflict marker and end as a record, because the line feed between them was damaged. */
function readMarker(text: string): readonly Piece[] {
  const line = readLine(text);
  if (line.kind !== 'conflict_marker' || !text.includes('{"')) return [{ line, text }];
  const { lines, rest } = linesInside(text);
  const isDamaged = rest.includes('{"');
  return [{ line, text }, ...lines, ...(isDamaged ? [{ line: DAMAGED_LINE, text: rest }] : [])];
}

const DAMAGED_LINE: Line = { kind: 'bad', why: 'is not JSON', json: false };
