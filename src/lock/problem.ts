import { BatchError, EXIT, unreachable } from '../errors.js';

/** Why a lockfile cannot be used. Lines count from 1. */
export type LockProblem =
  /** Could not be read: the system's code. */
  | { readonly kind: 'unreadable'; readonly code: string }
  /** Could not be made durable: the system's code. */
  | { readonly kind: 'unwritable'; readonly code: string }
  | { readonly kind: 'not_a_lockfile'; readonly line: number }
  | { readonly kind: 'newer_version'; readonly version: number }
  | { readonly kind: 'conflict_markers'; readonly line: number }
  | { readonly kind: 'second_header'; readonly line: number; readonly sameLineage: boolean }
  | { readonly kind: 'duplicate_key'; readonly line: number; readonly key: string }
  | { readonly kind: 'bad_line'; readonly line: number; readonly why: string }
  | { readonly kind: 'other_endpoint'; readonly endpoint: string; readonly wanted: string };

/** The problem as the error that ends the command (exit 9), with the way out. */
export function lockError(problem: LockProblem, path: string): BatchError {
  const { message, hint } = explain(problem);
  const code = `lockfile-${problem.kind.replaceAll('_', '-')}`;
  return new BatchError(code, `${path}: ${message}`, { exitCode: EXIT.lockfile, hint });
}

const REPAIR =
  'Nothing is bought until it is mended, and every paid job is kept: venice-batch lock repair <manifest>';

function explain(problem: LockProblem): { readonly message: string; readonly hint: string } {
  switch (problem.kind) {
    case 'unreadable':
      return {
        message: `the lockfile cannot be read (${problem.code})`,
        hint: 'It knows what is already paid for: make it readable, or restore it from a backup',
      };
    case 'unwritable':
      return {
        message: `the lockfile cannot be written (${problem.code})`,
        hint: 'Nothing is bought that cannot be recorded: make it and its folder writable',
      };
    case 'not_a_lockfile':
      return {
        message: `line ${problem.line} is not the header of a lockfile`,
        hint: 'It is damaged or something else: restore it from a backup or from version control, or name another with --lockfile',
      };
    case 'newer_version':
      return {
        message: `the lockfile has format version ${problem.version}, which this release does not know`,
        hint: 'Update venice-batch to the release that wrote it',
      };
    case 'conflict_markers':
      return { message: `line ${problem.line} has merge conflict markers`, hint: REPAIR };
    case 'second_header':
      return {
        message: `line ${problem.line} is a second header${problem.sameLineage ? '' : ', of another lockfile'}`,
        hint: problem.sameLineage
          ? REPAIR
          : 'Two different lockfiles were merged: keep each in a file of its own',
      };
    case 'duplicate_key':
      return { message: `line ${problem.line} has ${JSON.stringify(problem.key)} twice`, hint: REPAIR };
    case 'bad_line':
      return { message: `line ${problem.line} ${problem.why}`, hint: REPAIR };
    case 'other_endpoint':
      return {
        message: `the lockfile belongs to ${problem.endpoint}, not to ${problem.wanted}`,
        hint: 'Use the endpoint it was made with, or another lockfile (--lockfile)',
      };
    default:
      return unreachable(problem);
  }
}
