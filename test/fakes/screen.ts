import xterm, { type IBuffer, type IBufferCell, type IBufferLine } from '@xterm/headless';

/** How a character is highlighted: by its weight, or by one of the colours that have a meaning here. */
export type Look = 'plain' | 'strong' | 'faint' | 'good' | 'bad' | 'warn' | 'note' | 'other';

/** One row of a screen, by columns: a wide character takes two of them. */
export interface Row {
  /** Without trailing spaces. */
  readonly text: string;
  /** The column where the text begins, from 0; -1 if it is not there. */
  columnOf(text: string): number;
  /** The column after the text; -1 if it is not there. */
  endOf(text: string): number;
  /** The style of the first character of the text. */
  lookOf(text: string): Look;
}

export interface Screen {
  /** Every row, scrollback first, up to the last that has text. */
  readonly rows: readonly Row[];
  /** Their texts. */
  readonly lines: readonly string[];
  /** Rows that continue a line too wide for the terminal. */
  readonly wrappedRows: number;
  readonly cursorVisible: boolean;
  readonly cursorColumn: number;
  /** Row from 0, as in `rows`. */
  readonly cursorRow: number;
}

/** What the user sees after these bytes. As in a terminal driver, a line feed also returns the carriage. */
export async function screenOf(text: string, columns = 80, rows = 24): Promise<Screen> {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback: 10_000,
    convertEol: true,
    allowProposedApi: true,
  });
  await new Promise<void>((resolve) => terminal.write(text, resolve));
  const buffer = terminal.buffer.active;
  const seen = linesOf(buffer).map((line) => rowOf(line));
  while (seen.at(-1)?.text === '') seen.pop();
  const screen = {
    rows: seen,
    lines: seen.map((row) => row.text),
    wrappedRows: linesOf(buffer).filter((line) => line.isWrapped).length,
    cursorVisible: text.lastIndexOf('\x1b[?25h') >= text.lastIndexOf('\x1b[?25l'),
    cursorColumn: buffer.cursorX,
    cursorRow: buffer.baseY + buffer.cursorY,
  };
  terminal.dispose();
  return screen;
}

function linesOf(buffer: IBuffer): IBufferLine[] {
  return Array.from({ length: buffer.length }, (_, index) => buffer.getLine(index)!);
}

interface Cell {
  readonly column: number;
  readonly width: number;
  readonly look: Look;
}

/** Copied now, as the terminal is gone when a test looks. */
function rowOf(line: IBufferLine): Row {
  const cells: Cell[] = [];
  let all = '';
  for (let column = 0; column < line.length; column++) {
    const cell = line.getCell(column)!;
    const width = cell.getWidth();
    // The second half of a wide character.
    if (width === 0) continue;
    const text = cell.getChars() || ' ';
    for (const _ of text) cells.push({ column, width, look: lookOf(cell) });
    all += text;
  }
  // One cell for each code point, whatever its UTF-16 length.
  const cellAt = (index: number) => cells[[...all.slice(0, index)].length]!;
  const startOf = (text: string) => all.indexOf(text);
  return {
    text: all.trimEnd(),
    columnOf: (text) => (startOf(text) === -1 ? -1 : cellAt(startOf(text)).column),
    endOf: (text) => {
      if (startOf(text) === -1) return -1;
      const last = cellAt(startOf(text) + text.length - 1);
      return last.column + last.width;
    },
    lookOf: (text) => {
      if (startOf(text) === -1) throw new Error(`no ${JSON.stringify(text)} in: ${all.trimEnd()}`);
      return cellAt(startOf(text)).look;
    },
  };
}

const COLOURS: Readonly<Record<number, Look>> = { 1: 'bad', 2: 'good', 3: 'warn', 6: 'note' };

function lookOf(cell: IBufferCell): Look {
  if (cell.isFgPalette()) return COLOURS[cell.getFgColor()] ?? 'other';
  if (!cell.isFgDefault() || !cell.isBgDefault()) return 'other';
  if (cell.isBold()) return 'strong';
  return cell.isDim() ? 'faint' : 'plain';
}

/** The first row that matches. */
export function rowWith(screen: Screen, pattern: RegExp): Row {
  const row = screen.rows.find(({ text }) => pattern.test(text));
  if (row === undefined) throw new Error(`no row like ${pattern} in:\n${screen.lines.join('\n')}`);
  return row;
}

/** The lines from the first match on. */
export function linesSince(screen: Screen, pattern: RegExp): readonly string[] {
  return screen.lines.slice(screen.lines.findIndex((line) => pattern.test(line)));
}
