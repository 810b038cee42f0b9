import { EXIT } from '../core/errors.js';
import type { SummaryEvent, TakeEvent } from '../core/events.js';
import { formatUsd, isRefunded } from '../core/money.js';
import { adviceFor, type CommandFor } from './advice.js';
import { formatDuration } from './duration.js';
import { escapeForeign } from './escape.js';
import type { RunOutcome } from './outcome.js';
import { pathText } from './path-text.js';
import { failureReason, noticeLines } from './phrases.js';
import { soundLines } from './sound-text.js';
import { type Style, styleFor } from './style.js';
import { cut, wrap } from './width.js';

export interface SummaryOptions {
  readonly color: boolean;
  /** Columns. Lines fit from 40 on, except files and the next command, which must be complete to be pasted. */
  readonly width: number;
  /** The path to open a file from here, given its path relative to the output root. Default: that path. */
  placeOf?(path: string): string;
  readonly command: CommandFor;
  /** Files named at most. Default 10. */
  readonly filesMax?: number;
  /** Failures, and attempts in doubt, shown at most, each. Default 20. */
  readonly failuresMax?: number;
  /** An additional section, as lines: see `suggestionLines`. */
  readonly suggestions?: readonly string[];
}

/** The last screen of a run: what was made, the cost, what is wrong, and the next command. Ends with a line end. */
export function renderSummary(outcome: RunOutcome, options: SummaryOptions): string {
  const { summary } = outcome;
  if (!summary) return '';
  const style = styleFor(options.color);
  const width = Math.max(40, options.width);
  const failuresMax = options.failuresMax ?? 20;
  const sections = [
    headline(outcome, summary, style, width),
    filesSection(outcome, options, style),
    problemSection('Failed', outcome.failures, options, style, width),
    problemSection('In doubt', outcome.inDoubt, options, style, width),
    soundSection(outcome, failuresMax, style, width),
    stopSection(outcome, summary, style, width),
    options.suggestions ?? [],
    summary.next_command === null ? [] : [style.strong('Next'), `  ${summary.next_command}`],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function headline(outcome: RunOutcome, summary: SummaryEvent, style: Style, width: number): string[] {
  const sandbox = outcome.version?.sandbox === true;
  const mark = markFor(summary.exit_code, style);
  const first = `${style.strong(donePhrase(summary))}${sandbox ? style.note(' (sandbox)') : ''}`;
  const lines = [`${mark} ${first}`];
  const rest = [...countPhrases(summary, outcome.takes), formatDuration(summary.duration_ms)].join(' · ');
  const noted = [rest, costPhrase(outcome, summary), safePhrase(summary) ?? ''];
  return [...lines, ...noted.flatMap((text) => wrap(text, width - 2)).map((line) => `  ${line}`)];
}

/** For a user who interrupts a run during its clean-up: whether that cost anything. `undefined`: not applicable. */
export function safePhrase({ clean_up_owed: toCleanUp, missing }: SummaryEvent): string | undefined {
  if (toCleanUp === 0 || missing > 0) return undefined;
  const copies = toCleanUp === 1 ? '1 remote copy is' : `${toCleanUp} remote copies are`;
  return `Every file made so far is stored here; ${copies} still to be deleted, which costs nothing.`;
}

/**
 * `3 of 7 done`, with an explanation if needed: it was interrupted, all went well although not everything is done, or
 * the other way round.
 */
export function donePhrase(summary: SummaryEvent): string {
  const { done, total, exit_code } = summary;
  const count = `${done} of ${total} done`;
  if (isInterrupted(exit_code)) return `${count}, interrupted`;
  if (exit_code === EXIT.ok) return done < total ? partlyDonePhrase(count, summary) : count;
  if (done < total || !wasRefused(summary)) return count;
  return total === 0 ? 'nothing bought' : `nothing bought: ${done} of ${total} already done`;
}

/**
 * If there was something to buy, only `collect` ends well without buying it; otherwise it was excluded by `--only` or
 * `--except`.
 */
function partlyDonePhrase(count: string, { not_bought, made, left_out }: SummaryEvent): string {
  if (not_bought === 0) return `${count}, ${left_out ?? 'the rest was'} left out`;
  return `nothing ${made > 0 ? 'left ' : ''}in flight: ${count}`;
}

function wasRefused({ exit_code, made, clean_up_owed }: SummaryEvent): boolean {
  const refusals: readonly number[] = [
    EXIT.usage,
    EXIT.invalid,
    EXIT.authentication,
    EXIT.budget,
    EXIT.balance,
  ];
  return refusals.includes(exit_code) && made === 0 && clean_up_owed === 0;
}

function isInterrupted(exitCode: number): boolean {
  return exitCode === EXIT.sigint || exitCode === EXIT.sigterm;
}

function markFor(exitCode: number, style: Style): string {
  if (exitCode === EXIT.ok) return style.good('✔');
  return exitCode === EXIT.inFlight || isInterrupted(exitCode) ? style.note('…') : style.bad('✖');
}

/** The counts besides how many are done. */
export function countPhrases(summary: SummaryEvent, takes: readonly TakeEvent[] = []): string[] {
  const counts: [number, string][] = [
    [summary.made, 'downloaded now'],
    [summary.elsewhere ?? 0, keptPhrase(takes)],
    [summary.in_flight, 'in flight'],
    [summary.clean_up_owed, copiesPhrase(summary.clean_up_owed)],
    [summary.in_doubt, 'in doubt'],
    [summary.failed, 'failed'],
    [summary.missing, 'missing'],
    [summary.not_bought, 'not bought'],
    // Otherwise the headline says so.
    [summary.exit_code === EXIT.ok ? 0 : (summary.left_out ?? 0), 'left out'],
  ];
  return counts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
}

function copiesPhrase(number: number): string {
  return `remote ${number === 1 ? 'copy' : 'copies'} still to delete`;
}

/** `kept elsewhere`, and the machines that have the files, if known. */
function keptPhrase(takes: readonly TakeEvent[]): string {
  const machines = [...new Set(takes.flatMap(({ machine }) => machine ?? []))].sort();
  if (machines.length === 0) return 'kept elsewhere';
  const named = machines.slice(0, MACHINES_MAX).join(', ');
  return `kept on ${escapeForeign(named)}${machines.length > MACHINES_MAX ? ' and others' : ''}`;
}

const MACHINES_MAX = 5;

/** The cost of this run against the approved amount, refunds, and the cost of all runs against the budget. */
export function costPhrase({ takes }: Pick<RunOutcome, 'takes'>, summary: SummaryEvent): string {
  const { spent_micro_usd: spent, approved_micro_usd: approved, budget_micro_usd: budget } = summary;
  const refunded = takes
    .filter(({ money, earlier }) => isRefunded(money) && earlier === undefined)
    .reduce((sum, { price_micro_usd }) => sum + price_micro_usd, 0);
  const now = [
    ...(spent > 0 || approved > 0 ? [`${formatUsd(spent)} spent of ${formatUsd(approved)} approved`] : []),
    ...(refunded > 0 ? [`${formatUsd(refunded)} refunded`] : []),
  ].join(', ');
  if (summary.spent_total_micro_usd === null) return now;
  const total = formatUsd(summary.spent_total_micro_usd);
  const all = now === '' ? `${total} spent in total` : `${now}; ${total} in total`;
  return `${budget === null ? all : `${all} of a budget of ${formatUsd(budget)}`}${twicePhrase(summary)}`;
}

/** The extra cost of takes bought twice. */
function twicePhrase({ bought_twice: doubles = [] }: SummaryEvent): string {
  if (doubles.length === 0) return '';
  const extra = doubles.reduce((sum, { extra_micro_usd }) => sum + extra_micro_usd, 0);
  const takes = doubles.length === 1 ? '1 take was' : `${doubles.length} takes were`;
  return `; ${takes} bought more than once, ${formatUsd(extra)} more than needed`;
}

function filesSection({ files }: RunOutcome, options: SummaryOptions, style: Style): string[] {
  const { filesMax = 10, placeOf = String } = options;
  if (files.length === 0) return [];
  const lines = files.slice(0, filesMax).map((file) => `  ${pathText(placeOf(file.path))}`);
  if (files.length > filesMax) lines.push(style.faint(`  … ${files.length - filesMax} more`));
  return [style.strong('Files'), ...lines];
}

function soundSection({ qc }: RunOutcome, takesMax: number, style: Style, width: number): string[] {
  const noted = [...qc.values()].filter(({ findings }) => findings.length > 0);
  const lines = noted.slice(0, takesMax).flatMap((one) => soundLines(one.key, one.findings, style, width));
  if (noted.length > takesMax) lines.push(style.faint(`  … ${noted.length - takesMax} more`));
  return noted.length === 0 ? [] : [style.strong('Listen to'), ...lines];
}

function problemSection(
  title: string,
  takes: readonly TakeEvent[],
  { command, failuresMax: takesMax = 20 }: SummaryOptions,
  style: Style,
  width: number,
): string[] {
  if (takes.length === 0) return [];
  const lines = takes
    .slice(0, takesMax)
    .flatMap((take) => [
      `  ${style.bad(take.state === 'in_doubt' ? '?' : '✖')} ${cut(escapeForeign(take.key), width - 4)}`,
      ...wrap(failureReason(take), width - 4).map((line) => `    ${line}`),
      ...wrap(adviceFor(take, command), width - 4).map((line) => style.note(`    ${line}`)),
    ]);
  if (takes.length > takesMax) lines.push(style.faint(`  … ${takes.length - takesMax} more`));
  return [style.strong(title), ...lines];
}

/**
 * Why takes were not bought although nothing is wrong with them. What was refused before the run is shown above this
 * screen.
 */
function stopSection({ errors }: RunOutcome, summary: SummaryEvent, style: Style, width: number): string[] {
  if (summary.not_bought === 0 || errors.length === 0) return [];
  return [
    style.strong('Not bought'),
    ...errors.flatMap((error) => noticeLines(error, width - 2).map((line) => `  ${line}`)),
  ];
}
