import type { Diagnostic } from '../core/diagnostic.js';
import { BatchError, type ExitCode } from '../core/errors.js';
import type { RunEvent } from '../core/events.js';
import { createRecorder } from '../report/outcome.js';
import { renderJson } from '../report/run-json.js';

/**
 * The last events of a run that could not begin, or that a disk error ended.
 *
 * @param spentTotalMicroUsd from the lockfile; `null` if it could not be read
 */
export function endedEarly(
  diagnostics: readonly Diagnostic[],
  exitCode: ExitCode,
  nowMs: number,
  spentTotalMicroUsd: number | null = null,
): readonly RunEvent[] {
  const time = new Date(nowMs).toISOString();
  const counts = {
    total: 0,
    done: 0,
    made: 0,
    in_flight: 0,
    clean_up_owed: 0,
    in_doubt: 0,
    failed: 0,
    missing: 0,
    not_bought: 0,
  };
  const money = {
    spent_micro_usd: 0,
    spent_total_micro_usd: spentTotalMicroUsd,
    approved_micro_usd: 0,
    budget_micro_usd: null,
  };
  return [
    ...diagnostics.map((diagnostic) => ({ type: 'diagnostic' as const, time, ...diagnostic })),
    {
      type: 'summary',
      time,
      exit_code: exitCode,
      ...counts,
      ...money,
      duration_ms: 0,
      next_command: null,
    },
  ];
}

/** An error as a diagnostic, without a place in a file. */
export function diagnosticOf({ code, message, hint }: BatchError): Diagnostic {
  return { code, severity: 'error', message, hint };
}

/** The same error with secrets redacted. */
export function redactError(error: BatchError, redact: (text: string) => string): BatchError {
  const { code, message, hint, exitCode, cause } = error;
  return new BatchError(code, redact(message), { exitCode, hint: hint && redact(hint), cause });
}

/** The `--json` document of a command that fails because of its flags or files. */
export function refusalJson(
  diagnostics: readonly Diagnostic[],
  exitCode: ExitCode,
  nowMs: number,
  outputRoot: string,
): string {
  const recorder = createRecorder();
  for (const event of endedEarly(diagnostics, exitCode, nowMs)) recorder.event(event);
  return renderJson(recorder.outcome(), outputRoot);
}
