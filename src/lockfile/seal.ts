import { crc32 } from 'node:zlib';

/*
 * Checksums protect against damage (a flipped bit, a cut file), not against forgery: CRC-32 detects every flipped bit
 * and every run of damage up to 32 bits, and costs almost nothing.
 */

/**
 * The last line that a clean end writes: how many records precede it, and a checksum over theirs. Records that a run
 * appends follow it. A file merged by git has several.
 */
export interface EndMark {
  readonly end: true;
  readonly lines: number;
  /** CRC-32 of the checksums of these lines in order, 8 hex digits. */
  readonly digest: string;
}

const OPENING = ',"sum":"';
const SUM_LENGTH = 8;
const CLOSING = '"}';
const MEMBER_LENGTH = OPENING.length + SUM_LENGTH + CLOSING.length;

/** Adds the checksum as the last member: CRC-32 of the JSON without it. */
export function sealLine(json: string): string {
  return `${json.slice(0, -1)}${OPENING}${hex(crc32(json))}${CLOSING}`;
}

/** The line's checksum, whether it is valid, and the JSON without it; `undefined` if it has none. */
export function sealOf(
  line: string,
): { readonly sum: string; readonly right: boolean; readonly json: string } | undefined {
  const start = line.length - MEMBER_LENGTH;
  if (start < 1 || !line.startsWith(OPENING, start) || !line.endsWith(CLOSING)) return undefined;
  const sum = line.slice(start + OPENING.length, -CLOSING.length);
  const json = `${line.slice(0, start)}}`;
  return { sum, right: sum === hex(crc32(json)), json };
}

export function sumOf(sealedLine: string): string {
  return sealedLine.slice(-CLOSING.length - SUM_LENGTH, -CLOSING.length);
}

/** Whether the text can be a torn append: the beginning of a line, followed by nothing or zeros. */
export function isBeginning(text: string): boolean {
  let length = text.length;
  while (length > 0 && text.charCodeAt(length - 1) === 0) length -= 1;
  const beginning = text.slice(0, length);
  if (LINE_START.startsWith(beginning)) return true;
  return beginning.startsWith(LINE_START) && !WHOLE_LINE.test(beginning) && !beginning.includes('\0');
}

const LINE_START = '{"track":"';
/** A complete line, whatever follows it, is not a beginning. */
const WHOLE_LINE = /,"sum":"[0-9a-f]{8}"\}/;

/** Counts lines and digests their checksums, for the end mark. */
export interface Tally {
  add(sum: string): void;
  mark(): EndMark;
}

export function createTally(): Tally {
  let [lines, digest] = [0, 0];
  return {
    add: (sum) => {
      lines += 1;
      digest = crc32(sum, digest);
    },
    mark: () => ({ end: true, lines, digest: hex(digest) }),
  };
}

export function isSameMark(a: EndMark, b: EndMark): boolean {
  return a.lines === b.lines && a.digest === b.digest;
}

function hex(sum: number): string {
  return sum.toString(16).padStart(SUM_LENGTH, '0');
}
