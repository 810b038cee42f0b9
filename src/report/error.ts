import { BatchError, describeFault, EXIT, faultCode, isSystemFault } from '../core/errors.js';
import { shellWord } from '../core/shell.js';
import { renderDiagnostics } from './diagnostics.js';
import { escapeForeignLines } from './escape.js';
import type { Terminal } from './terminal.js';

/**
 * Turns anything that ended a command into an error to report: an unexpected disk error is still a disk error, and
 * everything else is a bug.
 *
 * @param status the command that shows what is recorded, if the manifest is known
 */
export function asBatchError(error: unknown, status: string | undefined): BatchError {
  if (error instanceof BatchError) return error;
  const look = status === undefined ? '' : `: ${status}`;
  const code = faultCode(error);
  if (isSystemFault(error) && 'syscall' in (error as object)) {
    const { what, fix } = describeFault(code);
    const { path = 'the disk' } = error as { path?: string };
    const hint = `${fix}, then run the same command again; nothing that was recorded is lost${look}`;
    return new BatchError('storage', `${shellWord(path)}: ${what} (${code})`, {
      exitCode: EXIT.unavailable,
      hint,
    });
  }
  return new BatchError('unexpected', 'this is a bug in venice-batch', {
    exitCode: EXIT.unexpected,
    hint: `nothing that was recorded is lost${look}`,
    cause: error,
  });
}

/** Prints what ended a command: what happened, and what to do next. For a bug, includes the stack. */
export function reportError(error: BatchError, stderr: Terminal): void {
  const { code, message, hint, cause } = error;
  const stack = code === 'unexpected' ? `${escapeForeignLines(detailOf(cause))}\n` : '';
  const diagnostic = { code, severity: 'error', message, hint } as const;
  const { color, columns: width, isTty } = stderr;
  const options = { color, width, ...(isTty ? { textWidth: width } : {}) };
  stderr.write(stack + renderDiagnostics([diagnostic], new Map(), options));
}

function detailOf(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
