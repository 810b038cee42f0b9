import { type Line, readLine } from './line.js';
import { sealOf } from './seal.js';

/** Longer lines take too long. Ours have about 1,000 characters. */
const LENGTH_MAX = 4_096;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;

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
  for (let column = 0; column < text.length; column += 1) {
    const [before, after] = [text.slice(0, column), text.slice(column + 1)];
    for (let code = FIRST_PRINTABLE; code <= LAST_PRINTABLE; code += 1) {
      const candidate = before + String.fromCharCode(code) + after;
      if (sealOf(candidate)?.right !== true) continue;
      const line = readLine(candidate);
      if (line.kind === 'attempt' || line.kind === 'header' || line.kind === 'end')
        return { line, column: column + 1 };
    }
  }
  return undefined;
}
