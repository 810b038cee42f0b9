import { posix } from 'node:path';
import { compareDiagnostics, type Diagnostic } from '../core/diagnostic.js';
import type { Take } from '../manifest/take.js';
import { adviceFor, type CommandFor } from './advice.js';
import { escapeForeign } from './escape.js';
import type { RunOutcome } from './outcome.js';
import { failureReason } from './phrases.js';

/** GitHub shows ten annotations of each kind per step. */
const ANNOTATIONS_MAX = 10;

export interface GithubOptions {
  /** Absolute: `$GITHUB_WORKSPACE`. */
  readonly workspace: string;
  /** Absolute. Spans are relative to it. */
  readonly directory: string;
}

/**
 * Diagnostics as workflow commands, which GitHub shows next to the lines of a pull request: the first ten errors and
 * the first ten warnings. Includes line ends.
 */
export function githubAnnotations(diagnostics: readonly Diagnostic[], options: GithubOptions): string {
  const sorted = [...diagnostics].sort(compareDiagnostics);
  const shown = (['error', 'warning'] as const).flatMap((severity) =>
    sorted.filter((diagnostic) => diagnostic.severity === severity).slice(0, ANNOTATIONS_MAX),
  );
  return annotations(shown, options);
}

/**
 * A workflow command for each take that failed or is in doubt, at its track, as many as GitHub shows in addition to the
 * errors reported before. Includes line ends.
 *
 * @param takes of the manifest, for their places
 */
export function takeAnnotations(
  outcome: RunOutcome,
  takes: readonly Take[],
  options: GithubOptions & { readonly command: CommandFor },
): string {
  const reportedCount = outcome.diagnostics.filter(({ severity }) => severity === 'error').length;
  const spans = new Map(takes.map(({ key, span }) => [key, span]));
  const annotated = [...outcome.failures, ...outcome.inDoubt].map((take): Annotated => {
    const span = spans.get(take.key);
    return {
      code: take.code ?? take.state,
      severity: 'error',
      message: `${take.key}: ${failureReason(take)}`,
      hint: adviceFor(take, options.command),
      span,
    };
  });
  return annotations(annotated.slice(0, Math.max(0, ANNOTATIONS_MAX - reportedCount)), options);
}

/** For a take, the code may be the service's. */
type Annotated = Omit<Diagnostic, 'code'> & { readonly code: string };

function annotations(diagnostics: readonly Annotated[], options: GithubOptions): string {
  return diagnostics.map((diagnostic) => `${annotation(diagnostic, options)}\n`).join('');
}

function annotation({ severity, code, message, hint, span }: Annotated, options: GithubOptions): string {
  const place =
    span === undefined
      ? []
      : [`file=${propertyText(shownPath(span.file, options))}`, `line=${span.line}`, `col=${span.column}`];
  const properties = [...place, `title=${propertyText(code)}`].join(',');
  const text = hint === undefined ? message : `${message}; ${hint}`;
  return `::${severity} ${properties}::${dataText(text)}`;
}

/** Relative to the workspace, as GitHub needs it, or else to the working directory, or else absolute. */
function shownPath(file: string, { workspace, directory }: GithubOptions): string {
  const whole = posix.resolve(slashes(directory), slashes(file));
  const inside = [workspace, directory]
    .map((root) => posix.relative(slashes(root), whole))
    .find((path) => path !== '..' && !path.startsWith('../') && !posix.isAbsolute(path));
  return inside ?? whole;
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
