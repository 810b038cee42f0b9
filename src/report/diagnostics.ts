import { compareDiagnostics, type Diagnostic, type Span } from '../core/diagnostic.js';
import { escapeForeign, showHidden } from './escape.js';
import { frameOf } from './frame.js';
import { type Style, styleFor } from './style.js';
import { displayWidth, wrap } from './width.js';

const LIMIT = 20;

export interface DiagnosticsOptions {
  readonly color: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  /** Messages and fixes are wrapped at this many columns. Absent: one line each. */
  readonly textWidth?: number;
  /** Diagnostics shown at most; the number of the others is shown. Default 20. */
  readonly limit?: number;
}

/**
 * Diagnostics for the screen: code and message, place, the marked source line, related places, the fix. Sorted by
 * place; if there are too many, errors come before warnings.
 *
 * @param sources text of the files that spans name; places in other files are shown without their line
 * @returns complete lines; empty if there are no diagnostics
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  options: DiagnosticsOptions,
): string {
  const screen: Screen = {
    style: styleFor(options.color),
    width: options.width,
    textWidth: options.textWidth ?? Number.POSITIVE_INFINITY,
    lineOf: lineReader(sources),
  };
  const sorted = [...diagnostics].sort(compareDiagnostics);
  const limit = options.limit ?? LIMIT;
  const isError = ({ severity }: Diagnostic) => severity === 'error';
  const kept = new Set([...sorted.filter(isError), ...sorted.filter((one) => !isError(one))].slice(0, limit));
  const blocks = sorted.filter((one) => kept.has(one)).map((one) => renderOne(one, screen));
  if (sorted.length > limit) blocks.push(`… and ${sorted.length - limit} more\n`);
  const errors = sorted.filter(isError);
  if (errors.length > 1) blocks.push(moreAbout(errors[0]!.code, screen));
  return blocks.join('\n');
}

/** Once for all diagnostics, not for each. */
function moreAbout(code: string, screen: Screen): string {
  const lines = broken(`more about an error: venice-batch explain ${escapeForeign(code)}`, '  ', screen);
  return lines.map((line) => `${screen.style.faint(line)}\n`).join('');
}

interface Screen {
  readonly style: Style;
  readonly width: number;
  readonly textWidth: number;
  lineOf(span: Span): string | undefined;
}

function renderOne(diagnostic: Diagnostic, screen: Screen): string {
  const { code, severity, message, hint, span, related = [] } = diagnostic;
  const { style } = screen;
  const paint = severity === 'error' ? style.bad : style.warn;
  const places = [...(span ? [span] : []), ...related.map((one) => one.span)];
  const gutter = String(Math.max(0, ...places.map(({ line }) => line))).length;
  const head = `${severity}[${escapeForeign(code)}]`;
  const [first = '', ...rest] = broken(`${head}: ${showHidden(message)}`, '  ', screen);
  const lines = [paint(head) + style.strong(first.slice(head.length)), ...rest.map(style.strong)];
  if (span) lines.push(...renderPlace(span, gutter, paint, screen));
  for (const one of related) {
    lines.push(`${' '.repeat(gutter)} ${style.faint('=')} note: ${escapeForeign(one.message)}`);
    lines.push(...renderPlace(one.span, gutter, style.faint, screen));
  }
  if (hint !== undefined) {
    const margin = ' '.repeat(gutter);
    const [help = '', ...more] = brokenHelp(`help: ${escapeForeign(hint)}`, `${margin}         `, screen);
    lines.push(`${margin} ${style.faint('=')} ${help}`, ...more);
  }
  return `${lines.join('\n')}\n`;
}

/** Wraps a text, leaving room for `indent`, which the lines after the first start with. */
function broken(text: string, indent: string, { textWidth }: Screen): string[] {
  if (textWidth === Number.POSITIVE_INFINITY) return [text];
  const lines = wrap(text, Math.max(20, textWidth - indent.length));
  return lines.map((line, index) => (index === 0 ? line : indent + line));
}

/** A command at the end is not wrapped, so that it can be pasted: if it does not fit on the line, it gets its own. */
function brokenHelp(text: string, indent: string, screen: Screen): string[] {
  const at = text.search(/(?<=: )venice-batch [a-z]/);
  if (at === -1 || displayWidth(indent + text) <= screen.textWidth) return broken(text, indent, screen);
  return [...broken(text.slice(0, at).trimEnd(), indent, screen), indent + text.slice(at)];
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

/** Splits each source once, and only on demand. */
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
