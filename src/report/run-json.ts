import type { TakeEvent } from '../core/events.js';
import { jsonDocument } from './json-text.js';
import type { RunOutcome } from './outcome.js';

/** In documented order, whatever the order in which they became known. */
const TAKE_FIELDS = [
  'key',
  'track',
  'take',
  'state',
  'attempt',
  'model',
  'price_micro_usd',
  'queue_id',
  'path',
  'bytes',
  'status',
  'code',
  'message',
  'machine',
  'money',
  'suggested_prompt',
] as const satisfies readonly (keyof TakeEvent)[];

/**
 * The `--json` document of `run` and `collect`, including its line end.
 *
 * @param outputRoot absolute: paths in the document are relative to it
 */
export function renderJson(outcome: RunOutcome, outputRoot: string): string {
  const document = {
    version: outcome.version ?? null,
    output_root: outputRoot,
    summary: outcome.summary ?? null,
    takes: outcome.takes.map((take) => ({
      ...Object.fromEntries(TAKE_FIELDS.map((field) => [field, take[field]])),
      ...qcOf(outcome, take),
    })),
    diagnostics: outcome.diagnostics,
    // Why the run stopped, also if no take shows it.
    errors: outcome.errors.map(({ code, message, hint = null }) => ({ code, message, hint })),
  };
  return jsonDocument(document);
}

function qcOf({ qc }: RunOutcome, { key }: TakeEvent) {
  const of = qc.get(key);
  if (of === undefined) return {};
  const { duration_seconds, loudness_lufs, true_peak_dbtp, findings } = of;
  return { qc: { duration_seconds, loudness_lufs, true_peak_dbtp, findings } };
}
