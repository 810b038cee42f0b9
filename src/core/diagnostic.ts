import type { Code } from './codes.js';

/**
 * A place in a source file. Lines and columns count from 1; columns count UTF-16 units, as editors do. The end is
 * exclusive.
 */
export interface Span {
  /** As the user would type it: relative to the working directory if that is shorter. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/**
 * A problem, or possible problem, in the input, reported with enough context to fix it right away.
 */
export interface Diagnostic {
  /** Stable, kebab-case: `unknown-key`, `lyrics-required`. Used by scripts and `explain`. */
  readonly code: Code;
  readonly severity: 'error' | 'warning';
  /** What is wrong, in one sentence without a full stop. May contain untrusted text: escape it when printing. */
  readonly message: string;
  /** The fix, as an instruction. */
  readonly hint?: string | undefined;
  readonly span?: Span | undefined;
  /** Other places that matter (the `defaults` a value came from, the first of two equal ids). */
  readonly related?: readonly { readonly message: string; readonly span: Span }[];
}

/** Errors first, then by place (file, line, column), then by code: the order in which they are shown. */
export function compareDiagnostics(a: Diagnostic, b: Diagnostic): number {
  const fileA = a.span?.file ?? '';
  const fileB = b.span?.file ?? '';
  if (fileA !== fileB) return fileA < fileB ? -1 : 1;
  return (
    (a.span?.line ?? 0) - (b.span?.line ?? 0) ||
    (a.span?.column ?? 0) - (b.span?.column ?? 0) ||
    (a.code < b.code ? -1 : a.code > b.code ? 1 : 0)
  );
}
