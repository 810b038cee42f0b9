/** A target, and the measured value. */
export interface Target {
  readonly what: string;
  readonly found: number;
  readonly atMost: number;
  readonly unit?: string;
}

/** Prints each target as met or missed, and sets the exit code. */
export function judge(targets: readonly Target[]): void {
  const width = Math.max(...targets.map(({ what }) => what.length));
  console.log('');
  for (const { what, found, atMost, unit = '' } of targets) {
    const met = found <= atMost;
    if (!met) process.exitCode = 1;
    console.log(
      `${met ? 'met   ' : 'MISSED'}  ${what.padEnd(width)}  ${shown(found)}${unit}  (at most ${shown(atMost)}${unit})`,
    );
  }
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

/** Rows of text under their headers, numbers to the right. */
export function printTable(headers: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = headers.map((header, column) =>
    Math.max(header.length, ...rows.map((row) => row[column]!.length)),
  );
  for (const row of [headers, ...rows])
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  '),
    );
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
