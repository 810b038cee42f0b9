import { escapeForeign } from './escape.js';
import { displayWidth, fill, wrap } from './width.js';

export interface Column {
  readonly header: string;
  readonly align?: 'left' | 'right';
  /** May be reduced to this many columns if there is not enough room. Absent: never truncated. */
  readonly widthMin?: number;
  /** Wrap the text instead of truncating it. */
  readonly wraps?: boolean;
  /** Omitted if there is still not enough room; the last such column goes first. */
  readonly optional?: boolean;
  /** Colours a cell that already has its final width. */
  readonly paint?: (cell: string, row: number) => string;
}

export interface TableOptions {
  /** Columns available for a line; at least `TABLE_WIDTH_MIN` are used. */
  readonly width: number;
  readonly paintHeader?: (header: string) => string;
  /** Called with the headers of the columns that were omitted. */
  readonly hidden?: (headers: readonly string[]) => void;
  /** Text below a row, never truncated: a file to be pasted. */
  readonly below?: (row: number) => string | undefined;
}

const GAP = '  ';
/** Tables are never narrower than this. */
export const TABLE_WIDTH_MIN = 40;

/** A text table: one line per row, header first, columns aligned. Escapes cells; truncates them with `…`. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string[] {
  const cells = rows.map((row) => row.map((cell) => escapeForeign(cell)));
  const natural = columns.map((column, index) =>
    cells.reduce(
      (width, row) => Math.max(width, displayWidth(row[index] ?? '')),
      displayWidth(column.header),
    ),
  );
  const widths = fitColumns(columns, natural, Math.max(TABLE_WIDTH_MIN, options.width));
  options.hidden?.(columns.filter((_, index) => widths[index] === undefined).map(({ header }) => header));
  const lineOf = (row: readonly string[], paint: (cell: string, column: Column) => string) => {
    const shown = widths.flatMap((width, index) => (width === undefined ? [] : [{ width, index }]));
    const parts = shown.map(({ width, index }, place) => {
      const column = columns[index]!;
      const text = fill(row[index] ?? '', width, column.align);
      return paint(place === shown.length - 1 ? text.trimEnd() : text, column);
    });
    return parts.join(GAP).trimEnd();
  };
  const linesOf = (row: readonly string[], index: number) => {
    const lines = unwrapped(row, columns, widths).map((part) =>
      lineOf(part, (text, column) => column.paint?.(text, index) ?? text),
    );
    const below = options.below?.(index);
    return below === undefined ? lines : [...lines, below];
  };
  const header = lineOf(
    columns.map((column) => column.header),
    (text) => options.paintHeader?.(text) ?? text,
  );
  return [header, ...cells.flatMap(linesOf)];
}

/** The lines of a row with wrapped cells. */
function unwrapped(
  row: readonly string[],
  columns: readonly Column[],
  widths: readonly (number | undefined)[],
): readonly (readonly string[])[] {
  const parts = row.map((cell, index) => {
    const width = widths[index];
    return columns[index]!.wraps && width !== undefined && cell !== '' ? wrap(cell, width) : [cell];
  });
  const height = Math.max(...parts.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => parts.map((part) => part[line] ?? ''));
}

/** The width of each column, `undefined` for one that is omitted. */
function fitColumns(
  columns: readonly Column[],
  natural: readonly number[],
  width: number,
): readonly (number | undefined)[] {
  const least = columns.map((column, index) => Math.min(natural[index]!, column.widthMin ?? natural[index]!));
  const shown: (number | undefined)[] = [...least];
  for (let index = columns.length - 1; index >= 0 && lineWidth(shown) > width; index--)
    if (columns[index]!.optional) shown[index] = undefined;
  // Every visible column has its minimum. The remaining width goes to the narrowest first, so that long ones are
  // truncated.
  let left = width - lineWidth(shown);
  while (left > 0) {
    const growing = shown.flatMap((now, index) =>
      now !== undefined && now < natural[index]! ? [index] : [],
    );
    if (growing.length === 0) break;
    const narrowest = growing.reduce((best, index) => (shown[index]! < shown[best]! ? index : best));
    shown[narrowest] = shown[narrowest]! + 1;
    left--;
  }
  return shown;
}

function lineWidth(widths: readonly (number | undefined)[]): number {
  const shown = widths.filter((width) => width !== undefined);
  return shown.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, shown.length - 1);
}
