import { type Line, readLine } from './line.js';
import { sealOf } from './seal.js';

/** Longer lines take too long. Ours have about 1,000 characters. */
const LENGTH_MAX = 2_048;
const PRINTABLE = Array.from({ length: 0x7f - 0x20 }, (_, at) => String.fromCharCode(0x20 + at));

export interface Corrected {
  /** With a valid checksum. */
  readonly line: Line;
  /** Of the wrong character, from 1. */
  readonly column: number;
}

/**
 * Undoes damage to a single character, such as a flipped bit: tries every other character in every column until the
 * checksum matches. By chance it matches once in about 40,000 lines with more damage, and then the line must still be a
 * valid record. Takes up to a second.
 */
export function correctLine(text: string): Corrected | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  for (let at = 0; at < text.length; at += 1) {
    const line = between(text.slice(0, at), text.slice(at + 1));
    if (line !== undefined) return { line, column: at + 1 };
  }
  return undefined;
}

/** The same for a line feed that was inserted, also with a carriage return, or replaced a character. */
export function joinLines(before: string, after: string): Corrected | undefined {
  if (before.length + after.length >= LENGTH_MAX) return undefined;
  const line = sealedLine(before.replace(/\r$/, '') + after) ?? between(before, after);
  return line && { line, column: before.length + 1 };
}

function between(before: string, after: string): Line | undefined {
  for (const char of PRINTABLE) {
    const line = sealedLine(before + char + after);
    if (line !== undefined) return line;
  }
  return undefined;
}

function sealedLine(text: string): Line | undefined {
  if (sealOf(text)?.right !== true) return undefined;
  const line = readLine(text);
  return line.kind === 'attempt' || line.kind === 'header' || line.kind === 'end' ? line : undefined;
}

/** Where lines that we write begin and end. Quotes within strings are escaped, so these are not inside one. */
const START = /\{"(?:track|format|end)":/g;
const END = /"sum":"[0-9a-f]{8}"\}/g;

export interface LinesInside {
  readonly lines: readonly { readonly line: Line; readonly text: string }[];
  /** What is before, between and after them. */
  readonly rest: string;
  /** Of the first character after the first of them, from 1. */
  readonly column: number;
}

/**
 * Whole lines with valid checksums inside a line, whose line feeds were damaged. Linear in its length: a line holds the
 * text that ends it only at its end, so each beginning is tried with one end.
 */
export function linesInside(text: string): LinesInside {
  const starts = [...text.matchAll(START)].map(({ index }) => index);
  const lines: { line: Line; text: string }[] = [];
  let rest = '';
  let column = 1;
  let done = 0;
  let next = 0;
  let tried = -1;
  for (const {
    index,
    0: { length },
  } of text.matchAll(END)) {
    const end = index + length;
    while ((starts[next + 1] ?? end) < end) next += 1;
    const start = starts[next] ?? end;
    if (start >= end || start === tried) continue;
    tried = start;
    const inside = text.slice(start, end);
    const line = sealedLine(inside);
    if (line === undefined) continue;
    lines.push({ line, text: inside });
    rest += text.slice(done, start);
    done = end;
    if (lines.length === 1) column = end + 1;
  }
  return { lines, rest: rest + text.slice(done), column };
}
