import { posix } from 'node:path';
import { compareDiagnostics, type Diagnostic } from '../diagnostic.js';
import { escapeForeign } from './escape.js';

/** GitHub shows ten annotations of a kind for a step. */
const ANNOTATIONS_MAX = 10;

export interface GithubOptions {
  /** Absolute: `$GITHUB_WORKSPACE`. */
  readonly workspace: string;
  /** Absolute: what spans are relative to. */
  readonly directory: string;
}

/**
 * Diagnostics as workflow commands, which GitHub shows beside the lines of a pull request: the first ten
 * errors and the first ten warnings, with line ends.
 */
export function githubAnnotations(diagnostics: readonly Diagnostic[], options: GithubOptions): string {
  const sorted = [...diagnostics].sort(compareDiagnostics);
  const shown = (['error', 'warning'] as const).flatMap((severity) =>
    sorted.filter((diagnostic) => diagnostic.severity === severity).slice(0, ANNOTATIONS_MAX),
  );
  return shown.map((diagnostic) => `${annotation(diagnostic, options)}\n`).join('');
}

function annotation({ severity, code, message, hint, span }: Diagnostic, options: GithubOptions): string {
  const file = span && workspacePath(span.file, options);
  const place =
    span && file !== undefined
      ? [`file=${propertyText(file)}`, `line=${span.line}`, `col=${span.column}`]
      : [];
  const properties = [...place, `title=${propertyText(code)}`].join(',');
  const text = hint === undefined ? message : `${message}; ${hint}`;
  return `::${severity} ${properties}::${dataText(text)}`;
}

/** As GitHub needs it; `undefined` for a file outside the workspace, which it could not show. */
function workspacePath(file: string, options: GithubOptions): string | undefined {
  const path = posix.relative(
    slashes(options.workspace),
    posix.resolve(slashes(options.directory), slashes(file)),
  );
  return path === '..' || path.startsWith('../') || posix.isAbsolute(path) ? undefined : path;
}

function slashes(path: string): string {
  return path.replaceAll('\\', '/');
}

function dataText(text: string): string {
  return escapeForeign(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function propertyText(text: string): string {
  return dataText(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
