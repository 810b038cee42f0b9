import { compareDiagnostics, type Diagnostic, type Span } from '../diagnostic.js';
import { escapeForeign } from './escape.js';
import { frameOf } from './frame.js';
import { type Style, styleFor } from './style.js';

const LIMIT = 20;

export interface DiagnosticsOptions {
  readonly color: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  /** Diagnostics shown at most; of the rest the number is told. Default 20. */
  readonly limit?: number;
}

/**
 * Diagnostics as a person reads them: code and message, place, the line with the place marked, related
 * places, the fix. Sorted by place; where there are too many, errors go before warnings.
 *
 * @param sources text of the files that spans name; a place in another file is told without its line
 * @returns whole lines, the last one ended too; empty where there are no diagnostics
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  options: DiagnosticsOptions,
): string {
  const screen: Screen = {
    style: styleFor(options.color),
    width: options.width,
    lineOf: lineReader(sources),
  };
  const sorted = [...diagnostics].sort(compareDiagnostics);
  const limit = options.limit ?? LIMIT;
  const isError = ({ severity }: Diagnostic) => severity === 'error';
  const kept = new Set([...sorted.filter(isError), ...sorted.filter((one) => !isError(one))].slice(0, limit));
  const blocks = sorted.filter((one) => kept.has(one)).map((one) => renderOne(one, screen));
  if (sorted.length > limit) blocks.push(`… and ${sorted.length - limit} more\n`);
  const errors = sorted.filter(isError);
  if (errors.length > 1) blocks.push(moreAbout(errors[0]!.code, screen.style));
  return blocks.join('\n');
}

/** Once for all of them: whoever knows the way needs no reminder at each. */
function moreAbout(code: string, style: Style): string {
  return `${style.faint(`more about an error: venice-batch explain ${escapeForeign(code)}`)}\n`;
}

interface Screen {
  readonly style: Style;
  readonly width: number;
  lineOf(span: Span): string | undefined;
}

function renderOne(diagnostic: Diagnostic, screen: Screen): string {
  const { code, severity, message, hint, span, related = [] } = diagnostic;
  const { style } = screen;
  const paint = severity === 'error' ? style.bad : style.warn;
  const places = [...(span ? [span] : []), ...related.map((one) => one.span)];
  const gutter = String(Math.max(0, ...places.map(({ line }) => line))).length;
  const lines = [
    `${paint(`${severity}[${escapeForeign(code)}]`)}${style.strong(`: ${escapeForeign(message)}`)}`,
  ];
  if (span) lines.push(...renderPlace(span, gutter, paint, screen));
  for (const one of related) {
    lines.push(`${' '.repeat(gutter)} ${style.faint('=')} note: ${escapeForeign(one.message)}`);
    lines.push(...renderPlace(one.span, gutter, style.faint, screen));
  }
  if (hint !== undefined)
    lines.push(`${' '.repeat(gutter)} ${style.faint('=')} help: ${escapeForeign(hint)}`);
  return `${lines.join('\n')}\n`;
}

function renderPlace(span: Span, gutter: number, paint: (text: string) => string, screen: Screen): string[] {
  const { style, width } = screen;
  const margin = ' '.repeat(gutter);
  const place = `${margin}${style.faint('-->')} ${escapeForeign(span.file)}:${span.line}:${span.column}`;
  const line = screen.lineOf(span);
  if (line === undefined) return [place];
  const { text, marks } = frameOf(line, span, width - gutter - 3);
  const bar = style.faint('|');
  const number = style.faint(String(span.line).padStart(gutter));
  return [
    place,
    `${margin} ${bar}`,
    `${number} ${bar} ${text}`.trimEnd(),
    `${margin} ${bar} ${paint(marks)}`,
  ];
}

/** Splits each source once, and only if asked. */
function lineReader(sources: ReadonlyMap<string, string>): (span: Span) => string | undefined {
  const split = new Map<string, readonly string[]>();
  return ({ file, line }) => {
    const text = sources.get(file);
    if (text === undefined) return undefined;
    const lines = split.get(file) ?? text.split(/\r?\n/);
    split.set(file, lines);
    return lines[line - 1];
  };
}
