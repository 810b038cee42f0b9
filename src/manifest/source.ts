import type { Range, Source } from './located.js';

/** Lines end in LF or CRLF, as in YAML and editors. */
export function createSource(file: string, text: string): Source {
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);

  const placeOf = (offset: number) => {
    let low = 0;
    let high = lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (lineStarts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - lineStarts[low]! + 1 };
  };

  return {
    file,
    text,
    spanOf({ start, end }: Range) {
      const from = placeOf(start);
      const to = placeOf(Math.max(start, end));
      return { file, ...from, endLine: to.line, endColumn: to.column };
    },
  };
}
