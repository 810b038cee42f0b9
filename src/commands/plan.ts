import type { Diagnostic } from '../diagnostic.js';
import { EXIT, type ExitCode } from '../errors.js';
import { planJson } from '../report/plan-json.js';
import { renderPlan } from '../report/plan-text.js';
import { type Planned, planBatch } from './plan-batch.js';
import { writePlanFile } from './plan-file.js';
import { showDiagnostics } from './run.js';
import { openSession, type Session } from './session.js';
import type { Flags } from './settings.js';

const MICRO_USD_PER_CENT = 10_000;

/** What a run would do and cost. Reads, asks for prices, spends nothing; writes the file of `--out` alone. */
export async function planCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  const { stdout, endpoint, settings, placeOf } = session;
  try {
    const planned = await planBatch(session);
    const { loaded, prepared } = planned;
    const diagnostics = [...loaded.diagnostics, ...(prepared?.diagnostics ?? [])];
    if (diagnostics.length > 0) showDiagnostics(session, diagnostics, loaded.sources);
    if (prepared === undefined) return EXIT.invalid;
    const { plan, balance, refusal } = prepared;
    const shown = { balance, endpoint, placeOf, sandbox: settings.sandbox };
    if (flags.json === true) stdout.write(planJson(plan, shown));
    else
      stdout.write(
        renderPlan(plan, { ...shown, color: stdout.color, width: stdout.columns, verbose: false }),
      );
    if (flags.out !== undefined) await save(session, flags.out, planned);
    if (refusal !== undefined) return refusal;
    return flags.detailedExitcode === true && plan.purchases.length > 0 ? EXIT.changes : EXIT.ok;
  } finally {
    await session.close();
  }
}

/** Where nothing may be bought there is nothing to approve: an older plan in the file's place stays as it was. */
async function save(session: Session, file: string, { saved, prepared }: Planned): Promise<void> {
  const { stderr, settings } = session;
  if (saved === undefined) {
    stderr.write(`the plan is not saved: it cannot be applied as it is\n`);
    return;
  }
  await writePlanFile(session, file, saved);
  const { budget_micro_usd: budget, purchases, total_micro_usd: total } = saved;
  if (settings.sandbox || budget !== null || purchases.length === 0) {
    stderr.write(`saved; to apply exactly this, once: ${session.command('run', '--plan', file)}\n`);
    return;
  }
  // A budget is for the lockfile's whole life.
  const usd = Math.ceil((total + (prepared?.plan.spentBeforeMicroUsd ?? 0)) / MICRO_USD_PER_CENT) / 100;
  const needed: Diagnostic = {
    code: 'budget-needed',
    severity: 'warning',
    message: 'saved; applied without a question asked, it will need a budget',
    hint: `to apply exactly this, once: ${session.command('run', '--plan', file, '--budget', usd.toFixed(2))}`,
  };
  showDiagnostics(session, [needed], new Map());
}
