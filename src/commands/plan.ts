import { EXIT, type ExitCode } from '../errors.js';
import type { SavedPlan } from '../plan/saved-plan.js';
import { planJson } from '../report/plan-json.js';
import { renderPlan } from '../report/plan-text.js';
import { planBatch } from './plan-batch.js';
import { writePlanFile } from './plan-file.js';
import { showDiagnostics } from './run.js';
import { openSession, type Session } from './session.js';
import type { Flags } from './settings.js';

/** What a run would do and cost. Reads, asks for prices, spends nothing; writes the file of `--out` alone. */
export async function planCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  const { stdout, endpoint, settings } = session;
  try {
    const { loaded, prepared, saved } = await planBatch(session);
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
    if (flags.out !== undefined) await save(session, flags.out, saved);
    if (refusal !== undefined) return refusal;
    return flags.detailedExitcode === true && plan.purchases.length > 0 ? EXIT.changes : EXIT.ok;
  } finally {
    await session.close();
  }
}

/** Where nothing may be bought there is nothing to approve: an older plan in the file's place stays as it was. */
async function save(session: Session, file: string, saved: SavedPlan | undefined): Promise<void> {
  if (saved === undefined) {
    session.stderr.write(`the plan is not saved: it cannot be applied as it is\n`);
    return;
  }
  await writePlanFile(session, file, saved);
  session.stderr.write(`saved; to apply exactly this, once: ${session.command('run', '--plan', file)}\n`);
}
