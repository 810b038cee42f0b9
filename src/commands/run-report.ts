import { EXIT, type ExitCode } from '../errors.js';
import type { SummaryEvent, TakeEvent } from '../events.js';
import { type Attempt, countsAsSpent } from '../lock/attempt.js';
import type { LockStore } from '../lock/store.js';
import type { Manifest, Take } from '../manifest/take.js';
import { decide } from '../plan/decide.js';
import type { PlanRow } from '../plan/plan.js';
import { latestAttempts } from '../report/status.js';
import { exitCodeOf } from '../run/exit-code.js';
import { fileStates, strangers } from '../run/recover.js';
import { nameOf, type RunOutcome } from '../run/run.js';
import type { BuyDecision } from './buying.js';
import { madeAgainWords } from './command-line.js';
import type { BatchSettings, World } from './run-batch.js';

export interface RunReport {
  readonly exitCode: ExitCode;
  readonly summary: SummaryEvent;
}

interface Ending {
  readonly world: World;
  readonly settings: BatchSettings;
  readonly store: LockStore;
  readonly manifest: Manifest | undefined;
  readonly outcome: RunOutcome;
  readonly decision: BuyDecision;
  readonly startedMs: number;
}

/** What the lockfile and the disk say at the end: counted anew from them, not from what the run believes it did. */
export async function summarise(ending: Ending): Promise<RunReport> {
  const { world, settings, store, manifest, outcome, decision } = ending;
  const attempts = [...store.attempts.values()];
  const view = { ports: world.ports, settings };
  const takes = manifest?.takes ?? lastAskedFor(attempts);
  const { rows, orphans } = decide({
    takes,
    attempts,
    ...(await fileStates(view, attempts)),
    occupied: await strangers(view, takes, attempts),
    // What was asked for again is made by now: what counts is what is still open.
    selection: { ...settings.selection, force: [], retryFailed: false },
  });
  tellEarlier(world, rows, ending.startedMs);
  const counts = countRows(rows);
  const owed = attempts.filter(({ state }) => state === 'stored').length;
  const queued = attempts.filter(({ state }) => state === 'queued').length;
  const intents = attempts.filter(({ state }) => state === 'intent').length;
  // What became of an intent that could not be recorded is in a rescue file or on the screen: the next run goes on from there.
  const unrecorded = outcome.troubles.has('lockfile') ? intents : 0;
  const inFlight = queued + unrecorded;
  const inDoubt = attempts.filter(({ state }) => state === 'in_doubt').length + intents - unrecorded;
  const unverified = attempts.filter(({ state }) => state === 'unverified').length;
  const exitCode = exitCodeOf({
    signal: world.stop.aborted ? signalOf(world.stop) : undefined,
    troubles: outcome.troubles,
    refusal: decision.refusal,
    inDoubt,
    inFlight: inFlight + owed,
    notMade: counts.failed + counts.missing + unverified,
    notBought: settings.mode === 'collect' ? 0 : counts.notBought,
  });
  const summary: SummaryEvent = {
    type: 'summary',
    time: new Date(world.ports.clock.nowMs()).toISOString(),
    exit_code: exitCode,
    total: rows.length,
    done: counts.done,
    made: outcome.madeCount,
    in_flight: inFlight,
    clean_up_owed: owed,
    in_doubt: inDoubt,
    failed: counts.failed + unverified,
    missing: counts.missing,
    not_bought: counts.notBought,
    spent_micro_usd: outcome.spentMicroUsd,
    spent_total_micro_usd: attempts
      .filter(countsAsSpent)
      .reduce((sum, { quote_micro_usd }) => sum + quote_micro_usd, 0),
    approved_micro_usd: decision.approved ? (decision.prepared?.plan.totalMicroUsd ?? 0) : 0,
    budget_micro_usd: decision.prepared?.plan.budgetMicroUsd ?? settings.budgetMicroUsd ?? null,
    duration_ms: Math.round(world.ports.clock.nowMs() - ending.startedMs),
    next_command: nextCommand(settings, exitCode, {
      inDoubt,
      inFlight: inFlight + owed + orphans.length,
      retryable: counts.retryable,
      planned: decision.prepared !== undefined,
      mistyped: decision.prepared?.diagnostics.some(({ code }) => code === 'unknown-track') === true,
      wanted: outcome.spentMicroUsd === 0 ? askedAgain(settings) : [],
    }),
  };
  world.emit(summary);
  return { exitCode, summary };
}

/** Where no manifest can be read: every take that the lockfile knows, as it was last asked for. */
function lastAskedFor(attempts: readonly Attempt[]): readonly Take[] {
  const span = { file: '', line: 1, column: 1, endLine: 1, endColumn: 1 };
  return latestAttempts(attempts).map((attempt) => {
    const { track, take, digest, parts, stem, model } = attempt;
    const about = { track, take, takes: 1, digest, parts, stem };
    return { key: nameOf(attempt), ...about, request: { model, prompt: '' }, span, fieldSpans: {} };
  });
}

/** The command line aborts with the signal's name; a library's abort is like Ctrl-C. */
function signalOf({ reason }: AbortSignal): 'SIGINT' | 'SIGTERM' {
  return reason === 'SIGTERM' || reason === 'SIGHUP' ? 'SIGTERM' : 'SIGINT';
}

interface RowCounts {
  done: number;
  failed: number;
  missing: number;
  notBought: number;
  /** Bought again with `--retry-failed`. What was refused is mended in the manifest instead. */
  retryable: number;
}

function countRows(rows: readonly PlanRow[]): RowCounts {
  const counts: RowCounts = { done: 0, failed: 0, missing: 0, notBought: 0, retryable: 0 };
  for (const { decision } of rows) {
    if (decision.kind === 'held' && decision.because !== 'rejected') counts.retryable += 1;
    if (decision.kind === 'done') counts.done += 1;
    else if (decision.kind === 'collect' && decision.attempt.state === 'stored') counts.done += 1;
    else if (decision.kind === 'held' && decision.because === 'missing') counts.missing += 1;
    else if (decision.kind === 'held') counts.failed += 1;
    else if (decision.kind === 'buy' || decision.kind === 'occupied') counts.notBought += 1;
  }
  return counts;
}

/** Names what earlier runs came to, so that every take is told once and no failure is only a number. */
function tellEarlier(world: World, rows: readonly PlanRow[], startedMs: number): void {
  for (const { take, decision } of rows) {
    if (!('attempt' in decision)) continue;
    const { attempt } = decision;
    const missing = decision.kind === 'held' && decision.because === 'missing';
    const changedMs = Date.parse(attempt.at[attempt.state] ?? '');
    if (!missing && changedMs >= startedMs) continue;
    world.emit({
      type: 'take',
      time: new Date(world.ports.clock.nowMs()).toISOString(),
      key: take.key,
      track: take.track,
      take: take.take,
      state: missing ? 'missing' : attempt.state === 'intent' ? 'in_doubt' : attempt.state,
      attempt: attempt.attempt,
      model: attempt.model,
      price_micro_usd: attempt.quote_micro_usd,
      ...(attempt.queue_id === undefined ? {} : { queue_id: attempt.queue_id }),
      ...(attempt.file === undefined ? {} : { path: attempt.file.path, bytes: attempt.file.bytes }),
      ...(attempt.reason?.status === undefined ? {} : { status: attempt.reason.status }),
      ...(attempt.reason === undefined ? {} : { code: attempt.reason.code }),
      ...moneyOf(attempt),
      earlier: true,
    });
  }
}

/** What is known of the money of a take that is not made: the same as when it was first told. */
function moneyOf({ state, refunded }: Attempt): Pick<TakeEvent, 'money'> {
  if (refunded === true) return { money: 'refunded' };
  if (state === 'rejected') return { money: 'not charged' };
  if (state === 'lost' || state === 'unverified') return { money: 'charged' };
  return ['failed', 'in_doubt', 'intent'].includes(state) ? { money: 'unknown' } : {};
}

/** Nothing was bought, and the plan shows what for: the same command would end the same way. */
const PLAN_TELLS: ReadonlySet<ExitCode> = new Set([EXIT.budget, EXIT.balance, EXIT.usage]);

interface Left {
  readonly inDoubt: number;
  readonly inFlight: number;
  readonly retryable: number;
  readonly planned: boolean;
  /** A pattern matches no track: until it is corrected every command would say so. */
  readonly mistyped: boolean;
  /** What was asked for and not bought, to be asked for again. */
  readonly wanted: readonly string[];
}

function nextCommand(settings: BatchSettings, exitCode: ExitCode, left: Left): string | null {
  const { command } = settings;
  if (exitCode === EXIT.ok) return null;
  // Whoever detached wants what is queued now to be gathered, and a budget that is too low stays so.
  const onlyCollects = settings.mode === 'collect' || settings.detach || PLAN_TELLS.has(exitCode);
  if (left.inFlight > 0) return command(onlyCollects ? 'collect' : 'run');
  if (left.inDoubt > 0) return command('resolve');
  if (left.mistyped) return null;
  if (PLAN_TELLS.has(exitCode)) return command('plan', ...left.wanted);
  if (exitCode === EXIT.tracks && left.retryable > 0) return command('run', '--retry-failed');
  if (exitCode === EXIT.invalid) return left.planned ? command('plan', ...left.wanted) : command('validate');
  return command(settings.mode === 'collect' ? 'collect' : 'run', ...left.wanted);
}

/** A saved plan says itself what is made again. */
function askedAgain({ mode, savedPlan, selection }: BatchSettings): readonly string[] {
  return mode === 'run' && savedPlan === undefined ? madeAgainWords(selection) : [];
}
