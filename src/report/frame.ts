import type { Span } from '../core/diagnostic.js';
import { showHidden } from './escape.js';
import { displayWidth } from './width.js';

const TAB = '    ';
const WIDTH_MIN = 20;
/** Characters of a line kept on each side of the mark: more than any window shows, but not megabytes. */
const AROUND_MAX = 2000;

/** A source line and its marks, to be printed below each other. */
export interface Frame {
  readonly text: string;
  /** Spaces, then one caret for each column of the place. */
  readonly marks: string;
}

/**
 * The first line of `span`. Unsafe characters are escaped, tabs become four spaces, and of a long line only the part
 * around the place is shown, so that neither text nor marks exceed `width` columns.
 */
export function frameOf(line: string, span: Span, width: number): Frame {
  const start = Math.min(span.column - 1, line.length);
  const lineEnd = Math.max(start, line.trimEnd().length);
  const end = span.endLine > span.line ? lineEnd : Math.min(span.endColumn - 1, line.length);
  const from = wholeCharacter(line, Math.max(0, start - AROUND_MAX));
  const to = wholeCharacter(line, Math.min(line.length, start + AROUND_MAX));
  const before = cellsOf(line.slice(from, start));
  const marked = cellsOf(line.slice(start, Math.max(start, Math.min(end, to))));
  const after = cellsOf(line.slice(Math.max(start, Math.min(end, to)), to));
  const cut = { left: from > 0, right: to < line.length };
  return windowed(before, marked, after, cut, Math.max(WIDTH_MIN, width));
}

/** Characters as they will be printed. */
function cellsOf(text: string): string[] {
  return Array.from(text, (character) => (character === '\t' ? TAB : showHidden(character)));
}

function wholeCharacter(line: string, offset: number): number {
  return /^[\udc00-\udfff]/.test(line.slice(offset, offset + 1)) ? offset - 1 : offset;
}

function windowed(
  before: readonly string[],
  marked: readonly string[],
  after: readonly string[],
  cut: { left: boolean; right: boolean },
  width: number,
): Frame {
  // A caret after the end of the line takes one column.
  const whole = [...before, ...(marked.length > 0 ? marked : ['^']), ...after];
  if (!cut.left && !cut.right && displayWidth(whole.join('')) <= width)
    return draw(before.join(''), marked.join(''), after.join(''));

  // One column on each side is for `…`. The place gets what it needs, and the part before it at most a third.
  const room = width - 2;
  const left = takeEnd(
    before,
    Math.max(Math.floor(room / 3), room - displayWidth([...marked, ...after].join(''))),
  );
  const middle = takeStart(marked, room - displayWidth(left.join('')));
  const right = takeStart(after, room - displayWidth([...left, ...middle].join('')));
  const more = cut.right || middle.length < marked.length || right.length < after.length;
  return draw(
    (cut.left || left.length < before.length ? '…' : '') + left.join(''),
    middle.join(''),
    right.join('') + (more ? '…' : ''),
  );
}

function draw(before: string, marked: string, after: string): Frame {
  const carets = '^'.repeat(Math.max(1, displayWidth(marked)));
  return { text: (before + marked + after).trimEnd(), marks: ' '.repeat(displayWidth(before)) + carets };
}

function takeStart(cells: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const cell of cells) {
    used += displayWidth(cell);
    if (used > width) break;
    taken.push(cell);
  }
  return taken;
}

function takeEnd(cells: readonly string[], width: number): string[] {
  return takeStart([...cells].reverse(), width).reverse();
}
