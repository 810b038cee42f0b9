import { BatchError, EXIT, type ExitCode } from '../errors.js';
import { escapeForeign } from './escape.js';

/**
 * Prints what ended a command: what happened, and what to do next. Something unforeseen is told with its
 * stack, since then it is a bug.
 *
 * @returns the exit code
 */
export function reportError(error: unknown, argv: readonly string[]): ExitCode {
  if (error instanceof BatchError) {
    const hint = error.hint === undefined ? '' : `\n  = help: ${escapeForeign(error.hint)}`;
    process.stderr.write(`error[${error.code}]: ${escapeForeign(error.message)}${hint}\n`);
    return error.exitCode;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `error[unexpected]: this is a bug in venice-batch\n${detail}\n` +
      `  = help: nothing that was recorded is lost: see venice-batch status ${argv[1] ?? '<manifest>'}\n`,
  );
  return EXIT.unexpected;
}
