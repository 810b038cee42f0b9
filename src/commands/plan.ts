import { EXIT, type ExitCode } from '../errors.js';
import { planJson } from '../report/plan-json.js';
import { renderPlan } from '../report/plan-text.js';
import { planBatch } from './plan-batch.js';
import { showDiagnostics } from './run.js';
import { openSession } from './session.js';
import type { Flags } from './settings.js';

/** What a run would do and cost. Reads, asks for prices, spends and writes nothing. */
export async function planCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  const { stdout, endpoint, settings } = session;
  try {
    const { loaded, prepared } = await planBatch(session);
    const diagnostics = [...loaded.diagnostics, ...(prepared?.diagnostics ?? [])];
    if (diagnostics.length > 0) showDiagnostics(session, diagnostics, loaded.sources);
    if (prepared === undefined) return EXIT.invalid;
    const { plan, balance, refusal } = prepared;
    const shown = { balance, endpoint, sandbox: settings.sandbox };
    if (flags.json === true) stdout.write(planJson(plan, shown));
    else
      stdout.write(
        renderPlan(plan, { ...shown, color: stdout.color, width: stdout.columns, verbose: false }),
      );
    if (refusal !== undefined) return refusal;
    return flags.detailedExitcode === true && plan.purchases.length > 0 ? EXIT.changes : EXIT.ok;
  } finally {
    await session.close();
  }
}
