import type { Terminal } from './terminal.js';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const ERASE_LINE = '\x1b[2K';
const ERASE_BELOW = '\x1b[J';
const COLOR_CODE = /\x1b\[\d+m/g;

/** A block of lines at the end of a terminal that is painted repeatedly. */
export interface Painter {
  /**
   * Replaces the lines shown before, writing only what differs, in one write. `above` goes into the scrollback before
   * them. Each line must be narrower than the terminal.
   */
  paint(lines: readonly string[], above?: readonly string[]): void;
  /** Shows the cursor below the block at once. Later calls of `paint` do not hide it again. */
  release(): void;
}

export function createPainter(terminal: Terminal): Painter {
  let shown: readonly string[] = [];
  let columns = 0;
  let hidden = false;
  let released = false;

  function paint(lines: readonly string[], above: readonly string[] = []): void {
    // A row that has scrolled off the screen cannot be repainted.
    const fitting = lines.slice(0, Math.max(1, terminal.rows - 1));
    const reflowed = columns !== 0 && terminal.columns !== columns;
    if (!reflowed && above.length === 0 && sameLines(fitting, shown)) return;
    const afresh = reflowed || above.length > 0;
    const back = moveUp(rowsOf(shown, terminal.columns));
    const body = afresh
      ? ERASE_BELOW + [...above, ...fitting].map((line) => `${line}\n`).join('')
      : fitting.map((line, index) => (line === shown[index] ? '\n' : `${ERASE_LINE}${line}\n`)).join('') +
        (fitting.length < shown.length ? ERASE_BELOW : '');
    terminal.write((hidden || released ? '' : HIDE_CURSOR) + back + body);
    hidden = !released;
    shown = fitting;
    columns = terminal.columns;
  }

  return {
    paint,
    release() {
      if (hidden) terminal.write(SHOW_CURSOR);
      hidden = false;
      released = true;
    },
  };
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}

function moveUp(rows: number): string {
  return rows === 0 ? '\r' : `\r\x1b[${rows}A`;
}

/** A terminal that became narrower has wrapped long lines into several rows. */
function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce(
    (rows, line) => rows + Math.max(1, Math.ceil(line.replace(COLOR_CODE, '').length / columns)),
    0,
  );
}
