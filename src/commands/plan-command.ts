import type { Diagnostic } from '../core/diagnostic.js';
import { EXIT, type ExitCode } from '../core/errors.js';
import { lifeBudgetUsd } from '../plan/assemble-plan.js';
import { isPriced } from '../plan/plan.js';
import { planJson } from '../report/plan-json.js';
import { renderPlan } from '../report/plan-text.js';
import { type Planned, planBatch } from '../session/plan-batch.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { showDiagnostics } from '../session/show-diagnostics.js';
import { writePlanFile } from './plan-file.js';
import { refusalJson } from './refusal.js';

/**
 * Shows what a run would do and cost. Reads state and fetches prices. Spends nothing, and writes only the file of
 * `--out`.
 */
export async function planCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  const { ports, stdout, endpoint, settings, placeOf } = session;
  try {
    const planned = await planBatch(session);
    const { loaded, warnings = [], prepared } = planned;
    const diagnostics = [...loaded.diagnostics, ...(prepared?.diagnostics ?? [])];
    const printResult = () => diagnostics.length > 0 && showDiagnostics(session, diagnostics, loaded.sources);
    if (prepared === undefined) {
      printResult();
      if (flags.json === true)
        stdout.write(refusalJson(diagnostics, EXIT.invalid, ports.clock.nowMs(), settings.outputRoot.value));
      return EXIT.invalid;
    }
    const { plan, balance, refusal } = prepared;
    const shown = { balance, endpoint, placeOf, sandbox: settings.sandbox };
    const text =
      flags.json === true
        ? planJson({ ...plan, diagnostics: [...warnings, ...plan.diagnostics] }, shown)
        : renderPlan(plan, { ...shown, color: stdout.color, width: stdout.columns, verbose: false });
    const between = diagnostics.length > 0 && stdout.isTty ? '\n' : '';
    // Shown below the plan, however long it is. Without a plan, they are the output.
    const first = flags.json === true || isPriced(plan);
    // A name that matches no track is a mistake on the command line: the table would bury the error.
    const mistyped = flags.json !== true && refusal === EXIT.usage;
    if (first && !mistyped) stdout.write(text + between);
    printResult();
    if (!first && !mistyped) stdout.write(between + text);
    if (manifest === '-' && settings.lockfilePath.origin === 'default' && settings.state === undefined)
      session.stderr.write(`${NO_LOCKFILE}\n`);
    if (flags.out !== undefined) await save(session, flags.out, planned);
    if (refusal !== undefined) return refusal;
    return flags.detailedExitcode === true && plan.purchases.length > 0 ? EXIT.changes : EXIT.ok;
  } finally {
    await session.close();
  }
}

const NO_LOCKFILE =
  'warning: a manifest read from stdin has no lockfile, so earlier purchases are not counted; to count them, pass --lockfile PATH';

/** If nothing may be bought there is nothing to approve, and an older plan file stays as it was. */
async function save(session: Session, file: string, { saved, prepared }: Planned): Promise<void> {
  const { stderr, settings, command } = session;
  if (saved === undefined || prepared === undefined) {
    stderr.write(`the plan was not saved: it could not be applied as it is\n`);
    return;
  }
  await writePlanFile(session, file, saved);
  const { budget_micro_usd: budget, purchases } = saved;
  if (settings.sandbox || budget !== null || purchases.length === 0) {
    stderr.write(`saved; to apply exactly this plan, once: ${command('run', '--plan', file)}\n`);
    return;
  }
  const needed: Diagnostic = {
    code: 'budget-needed',
    severity: 'warning',
    message: 'saved; applying it requires a budget',
    hint: `to apply exactly this plan, once: ${command('run', '--plan', file, '--budget', lifeBudgetUsd(prepared.plan))}`,
  };
  showDiagnostics(session, [needed], new Map());
}
