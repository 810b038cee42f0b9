import type { Code } from '../core/codes.js';
import { EXIT, type ExitCode } from '../core/errors.js';
import type { SummaryEvent, TakeEvent } from '../core/events.js';
import { type Attempt, type AttemptState, moneyOf, spentMicroUsd } from '../lockfile/attempt.js';
import { boughtTwice } from '../lockfile/bought-twice.js';
import type { Manifest } from '../manifest/take.js';
import { boughtTwiceTake } from '../plan/bought-twice-warning.js';
import type { DecideInput } from '../plan/decide.js';
import { isClaimed, isStaleClaim } from '../plan/history.js';
import { isElsewhere, isFetchable, isNothingHere, machineOf, rowsOfRun } from '../plan/latest-attempts.js';
import { forcedOf, isAllAway, type NextStep, nextStep, notMade } from '../plan/next-step.js';
import type { ClosedCode, Decision, PlanRow } from '../plan/plan.js';
import { isOfSelection, readSelection, retryFlags } from '../plan/selection.js';
import type { RunOutcome } from '../run/execute.js';
import type { StopReason } from '../run/stop-reason.js';
import type { Output } from '../storage/output.js';
import type { BuyDecision } from './approve.js';
import { exitCodeOf } from './exit-code.js';
import { reportTake, type TakeReport } from './take-report.js';
import { takeStatusesOf } from './take-status.js';
import type { BatchSettings, SoundReport, World } from './world.js';

export interface RunReport {
  readonly exitCode: ExitCode;
  readonly summary: SummaryEvent;
  /** The manifest's takes in order, or the lockfile's if there is no manifest. */
  readonly takes: readonly TakeReport[];
}

interface Ending {
  readonly world: Pick<World, 'ports' | 'emit' | 'stop'>;
  readonly settings: BatchSettings;
  readonly attempts: ReadonlyMap<string, Attempt>;
  readonly output: Output;
  readonly manifest: Manifest | undefined;
  readonly outcome: RunOutcome;
  readonly decision: BuyDecision;
  readonly startedMs: number;
  /** Attempts from before this run, with their `rev` once it had settled what an ended run left open. */
  readonly before?: ReadonlyMap<string, number>;
  /** Absent: sound was not measured. */
  readonly sound?: SoundReport | undefined;
  readonly keptBy?: DecideInput['keptBy'];
  readonly fetchable?: DecideInput['fetchable'];
  /** The other machine that has an attempt's file, also if that is not enough for the take to be done. */
  readonly machineWith?: DecideInput['keptBy'];
}

/** The final report, computed from the lockfile and the disk rather than from what the run believes it did. */
export async function summarise(ending: Ending): Promise<RunReport> {
  const { world, settings, outcome, decision, sound, startedMs } = ending;
  const attempts = [...ending.attempts.values()];
  const rows = await finalRows(ending, attempts);
  // `--retry-failed` says that files missing in this folder are to be bought again.
  const boughtForHere = decision.approved && settings.selection.retryFailed;
  const nothingHere = !boughtForHere && isNothingHere(decision.prepared?.plan.rows ?? rows);
  emitEarlier(ending, rows, nothingHere);
  const counts = { ...countRows(rows), ...countAttempts(attempts, outcome, world.ports.clock.nowMs()) };
  const exitCode = exitCodeOf({
    signal: world.stop.aborted ? signalOf(world.stop) : undefined,
    stopReasons: new Set([...outcome.stopReasons, ...refusedModels(decision)]),
    refusal: decision.refusal,
    inDoubt: counts.inDoubt,
    inFlight: counts.inFlight + counts.toCleanUp,
    notMade: counts.failed + counts.missing + counts.unverified,
    notBought: settings.mode === 'collect' ? 0 : counts.notBought,
    qcFailed: sound?.fails === true,
  });
  const doubles = boughtTwice(attempts);
  const away = rows.filter(isElsewhere).length;
  const isKept = nothingHere || isAllAway(rows, ending.machineWith);
  const summary: SummaryEvent = {
    type: 'summary',
    time: new Date(world.ports.clock.nowMs()).toISOString(),
    exit_code: exitCode,
    total: rows.length,
    done: counts.done,
    made: outcome.madeCount,
    in_flight: counts.inFlight,
    clean_up_owed: counts.toCleanUp,
    in_doubt: counts.inDoubt,
    failed: counts.failed + counts.unverified,
    missing: counts.missing,
    not_bought: counts.notBought,
    spent_micro_usd: outcome.spentMicroUsd,
    spent_total_micro_usd: spentMicroUsd(attempts),
    approved_micro_usd: decision.approved ? (decision.prepared?.plan.totalMicroUsd ?? 0) : 0,
    budget_micro_usd: decision.prepared?.plan.budgetMicroUsd ?? settings.budgetMicroUsd ?? null,
    duration_ms: Math.round(world.ports.clock.nowMs() - startedMs),
    next_command: nextCommand(ending, exitCode, nextStep(rows, attempts, isKept), rows),
    ...(sound === undefined || sound.warnings === 0 ? {} : { qc_warnings: sound.warnings }),
    ...(away === 0 ? {} : { elsewhere: away }),
    ...(counts.leftOut === 0 ? {} : { left_out: counts.leftOut }),
    ...(doubles.length === 0 ? {} : { bought_twice: doubles.map(boughtTwiceTake) }),
  };
  world.emit(summary);
  return { exitCode, summary, takes: rows.map(takeReporter(ending)) };
}

function takeReporter({ settings, startedMs, decision }: Ending): (row: PlanRow) => TakeReport {
  const closed = closedTakes(decision);
  return (row) => {
    const report = reportTake(row, settings.outputRoot, startedMs);
    const code = closed.get(row.take.key);
    return report.state === 'not_bought' && code !== undefined ? { ...report, code } : report;
  };
}

/** Takes that could not be bought because the service quotes no price for their model. */
function closedTakes({ prepared }: BuyDecision): ReadonlyMap<string, ClosedCode> {
  const closed = new Map<string, ClosedCode>();
  for (const { take, decision } of prepared?.plan.rows ?? [])
    if (decision.kind === 'excluded' && decision.closed !== undefined) closed.set(take.key, decision.closed);
  return closed;
}

/** The same exit code as if the submit had been refused. */
function refusedModels(decision: BuyDecision): readonly StopReason[] {
  const isRefused = decision.approved && [...closedTakes(decision).values()].includes('model-refused');
  return isRefused ? ['authentication'] : [];
}

async function finalRows(
  { world, settings, output, manifest, decision, startedMs, before, keptBy, fetchable }: Ending,
  attempts: readonly Attempt[],
): Promise<readonly PlanRow[]> {
  // Without `--force` and `--retry-failed`: what they asked for is made by now.
  const selection = { ...settings.selection, force: [], retryFailed: false };
  const { rows } = await takeStatusesOf({ output }, attempts, manifest, {
    selection,
    keptBy,
    fetchable,
    nowMs: world.ports.clock.nowMs(),
  });
  const purchases = decision.approved ? (decision.prepared?.plan.purchases ?? []) : [];
  return rowsOfRun(rows, attempts, purchases, startedMs, before && new Set(before.keys()));
}

/** The command line aborts with the signal's name. A library's abort is treated like Ctrl-C. */
function signalOf({ reason }: AbortSignal): 'SIGINT' | 'SIGTERM' {
  return reason === 'SIGTERM' || reason === 'SIGHUP' ? 'SIGTERM' : 'SIGINT';
}

function countRows(rows: readonly PlanRow[]) {
  const counts = { done: 0, failed: 0, missing: 0, notBought: 0, unverified: 0, leftOut: 0 };
  for (const { decision } of rows) {
    if (decision.kind === 'done') counts.done += 1;
    else if (decision.kind === 'collect' && decision.attempt.state === 'stored') counts.done += 1;
    else if (decision.kind === 'collect' && decision.attempt.state === 'unverified') counts.unverified += 1;
    else if (decision.kind === 'held' && decision.because === 'missing') counts.missing += 1;
    else if (decision.kind === 'held') counts.failed += 1;
    else if (decision.kind === 'buy' || decision.kind === 'occupied') counts.notBought += 1;
    else if (decision.kind === 'excluded') counts.leftOut += 1;
  }
  return counts;
}

function countAttempts(attempts: readonly Attempt[], { stopReasons }: RunOutcome, nowMs: number) {
  const count = (wanted: AttemptState) =>
    attempts.filter((one) => one.state === wanted && !isClaimed(one)).length;
  const claimed = attempts.filter(isClaimed);
  const stale = claimed.filter((one) => isStaleClaim(one, nowMs)).length;
  // The outcome of an intent that could not be recorded is in a rescue file or on the screen. The next run continues
  // from there.
  const unrecorded = stopReasons.has('lockfile') ? count('intent') : 0;
  return {
    inFlight: count('queued') + unrecorded + claimed.length - stale,
    toCleanUp: count('stored'),
    inDoubt: count('in_doubt') + count('intent') - unrecorded + stale,
  };
}

/** Reports the outcome of earlier runs, so that every take appears once and every failure is listed. */
function emitEarlier(
  { world, startedMs, machineWith, before }: Ending,
  rows: readonly PlanRow[],
  nothingHere: boolean,
): void {
  for (const row of rows) {
    const { take, decision } = row;
    if (!('attempt' in decision)) continue;
    const { attempt } = decision;
    const missing = decision.kind === 'held' && decision.because === 'missing';
    const code = missing ? missingCode(row, nothingHere) : attempt.reason?.code;
    const isUnchanged = before?.get(attempt.attempt) === attempt.rev;
    const changedMs = isUnchanged ? 0 : Date.parse(attempt.at[attempt.state] ?? '');
    const machine = missing ? machineWith?.(attempt) : machineOf(row);
    // A take that another machine stored during this run has not been reported yet.
    if (!missing && machine === undefined && changedMs >= startedMs) continue;
    world.emit({
      type: 'take',
      time: new Date(world.ports.clock.nowMs()).toISOString(),
      key: take.key,
      track: take.track,
      take: take.take,
      state: isElsewhere(row) ? 'elsewhere' : missing ? 'missing' : endState(decision, attempt),
      attempt: attempt.attempt,
      model: attempt.model,
      price_micro_usd: attempt.quote_micro_usd,
      ...(attempt.queue_id === undefined ? {} : { queue_id: attempt.queue_id }),
      ...(attempt.file === undefined ? {} : { path: attempt.file.path, bytes: attempt.file.bytes }),
      ...(attempt.reason?.status === undefined ? {} : { status: attempt.reason.status }),
      ...(code === undefined ? {} : { code }),
      ...(machine === undefined ? {} : { machine }),
      money: moneyOf(attempt),
      earlier: true,
    });
  }
}

function missingCode(row: PlanRow, nothingHere: boolean): Code | undefined {
  if (isFetchable(row)) return 'not-downloaded';
  return nothingHere ? 'no-file-here' : undefined;
}

/** An intent is in doubt, unless another run may still record its outcome. */
function endState(decision: Decision, { state }: Attempt): TakeEvent['state'] {
  if (state !== 'intent') return state;
  return decision.kind === 'elsewhere' && !decision.stale ? 'submitting' : 'in_doubt';
}

/** Nothing was bought and the plan shows why: the same command would end the same way. */
const SHOWN_IN_PLAN: ReadonlySet<ExitCode> = new Set([EXIT.budget, EXIT.balance, EXIT.usage]);

function nextCommand(
  { settings, decision }: Ending,
  exitCode: ExitCode,
  step: NextStep,
  rows: readonly PlanRow[],
): string | null {
  const { command, mode } = settings;
  if (exitCode === EXIT.ok) return null;
  // It names what is wrong with the lockfile, and the command that repairs it. Until then `run` is refused.
  if (exitCode === EXIT.lockfile && decision.next === undefined) return command('status');
  if (decision.next !== undefined && exitCode === decision.refusal) return decision.next;
  // After --detach the next step is to collect. A balance that is too low stays too low.
  const onlyCollects = mode !== 'run' || settings.detach || SHOWN_IN_PLAN.has(exitCode);
  if (step.kind === 'collect')
    return onlyCollects
      ? command('collect')
      : command('run', ...retryFlags({ retryFailed: false, force: forcedOf(rows) }));
  if (step.kind === 'fetch') return command('collect');
  if (step.kind === 'resolve') return command('resolve');
  if (decision.prepared?.diagnostics.some(isOfSelection)) return null;
  const wanted = decision.approved ? stillWanted(settings, step) : requestedAgain(settings);
  if (SHOWN_IN_PLAN.has(exitCode)) return command('plan', ...wanted, ...saveAgain(settings));
  if (exitCode === EXIT.invalid)
    return decision.prepared === undefined ? command('validate') : command('plan', ...wanted);
  if (exitCode === EXIT.tracks)
    return step.kind === 'buy' ? (runAgain(settings, step, rows) ?? command('status')) : null;
  return command(mode === 'collect' ? 'collect' : 'run', ...wanted);
}

/**
 * For the takes still to be made: of those that this run was restricted to, or if they are all made, any. `undefined`: too many
 * to name.
 */
function runAgain(
  { command, selection }: BatchSettings,
  step: NextStep & { readonly kind: 'buy' },
  rows: readonly PlanRow[],
): string | undefined {
  if (selection.only === undefined && selection.except === undefined)
    return command('run', ...retryFlags(step));
  const { selected } = readSelection(
    selection,
    rows.map(({ take }) => take),
  );
  const own = notMade(rows.filter(({ take }) => selected(take)));
  const words = own.length > 0 ? own : notMade(rows);
  const flags = retryFlags({ ...step, force: step.force.filter((word) => words.includes(word)) });
  if (words.length > NAMED_MAX) return undefined;
  return command('run', ...flags, ...words.flatMap((word) => ['--only', word]));
}

/** A command with more names would be unreadable. */
const NAMED_MAX = 10;

/** Takes that were requested again but not made. */
function stillWanted({ selection }: BatchSettings, step: NextStep): readonly string[] {
  if (step.kind !== 'buy') return [];
  return retryFlags({ ...step, retryFailed: step.retryFailed && selection.retryFailed });
}

/** A saved plan that was refused is replaced by a new one, in the user's file and with the same restriction. */
function saveAgain({ savedPlan, savedPlanFile, endpoint }: BatchSettings): readonly string[] {
  // A plan for another endpoint may still apply there.
  if (savedPlan === undefined || savedPlanFile === undefined || savedPlan.endpoint !== endpoint) return [];
  const patterns = [
    ...savedPlan.only.flatMap((pattern) => ['--only', pattern]),
    ...savedPlan.except.flatMap((pattern) => ['--except', pattern]),
  ];
  return [...patterns, '--out', savedPlanFile];
}

/** A saved plan itself lists what is made again. */
function requestedAgain({ mode, savedPlan, selection }: BatchSettings): readonly string[] {
  return mode === 'run' && savedPlan === undefined ? retryFlags(selection) : [];
}
