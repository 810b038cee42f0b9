import { EXIT } from '../core/errors.js';
import type { SummaryEvent, TakeEvent } from '../core/events.js';
import { formatUsd, isRefunded } from '../core/money.js';
import { adviceFor, type CommandFor } from './advice.js';
import { formatDuration } from './duration.js';
import { escapeForeign } from './escape.js';
import type { RunOutcome } from './outcome.js';
import { failureReason, stateName } from './phrases.js';
import { costPhrase, countPhrases, donePhrase, safePhrase } from './summary.js';

/** GitHub refuses step summaries over 1 MiB, and other steps may add to it. */
const BYTES_MAX = 1_000_000;
/** Of one cell, in UTF-16 units: an error page must not fill the summary. */
const CELL_MAX = 300;

export interface MarkdownOptions {
  readonly command: CommandFor;
  /** How a file is named, given its path relative to the output root. Default: that path. */
  placeOf?(file: string): string;
  /** Default 1,000,000. */
  readonly bytesMax?: number;
}

/** The last screen as GitHub-flavoured Markdown, for `$GITHUB_STEP_SUMMARY`. Never exceeds its size limit. */
export function renderMarkdown(outcome: RunOutcome, options: MarkdownOptions): string {
  const { summary } = outcome;
  const { placeOf = String } = options;
  if (!summary) return '';
  const sandbox = outcome.version?.sandbox ? ' (sandbox)' : '';
  const head = [
    `## venice-batch: ${donePhrase(summary)}${sandbox}`,
    '',
    [...countPhrases(summary, outcome.takes), formatDuration(summary.duration_ms)].join(' · '),
    '',
    [costPhrase(outcome, summary), safePhrase(summary)].filter(Boolean).join('. '),
    ...(summary.exit_code === EXIT.ok ? [] : reasonsOf(outcome, summary).flatMap((reason) => ['', reason])),
    ...(summary.next_command === null ? [] : ['', 'Next:', '', ...codeBlock(summary.next_command)]),
  ];
  const problemHeader = ['Take', 'What happened', 'What to do'];
  const problemRow = (take: TakeEvent) => [
    foreign(take.key),
    cell(failureReason(take)),
    adviceFor(take, inCode(options.command)),
  ];
  const sections: Section[] = [
    { title: 'Failed', header: problemHeader, takes: outcome.failures, row: problemRow },
    { title: 'In doubt', header: problemHeader, takes: outcome.inDoubt, row: problemRow },
    {
      title: 'Tracks',
      header: ['Take', 'State', 'Model', 'Price', 'File'],
      takes: outcome.takes,
      row: (take) => takeRow(take, placeOf),
    },
  ];
  return bounded(head, sections, options.bytesMax ?? BYTES_MAX);
}

/** Why a run did not do everything: its errors, besides what is said about each take. */
function reasonsOf({ errors, diagnostics }: RunOutcome, { not_bought }: SummaryEvent): readonly string[] {
  const shown = diagnostics.filter(({ severity }) => severity === 'error').slice(0, REASONS_MAX);
  const stops = not_bought === 0 ? [] : errors;
  return [...shown, ...stops].map(({ message }) => foreign(message));
}

/** The log has the others. */
const REASONS_MAX = 10;

interface Section {
  readonly title: string;
  readonly header: readonly string[];
  readonly takes: readonly TakeEvent[];
  readonly row: (take: TakeEvent) => readonly string[];
}

/** Adds rows up to the size limit. Each truncated table says how many rows are missing. */
function bounded(head: readonly string[], sections: readonly Section[], bytesMax: number): string {
  const lines: string[] = [];
  let bytes = 0;
  const add = (line: string, reserveBytes = 0): boolean => {
    const lineBytes = Buffer.byteLength(line) + 1;
    if (bytes + lineBytes + reserveBytes > bytesMax) return false;
    lines.push(line);
    bytes += lineBytes;
    return true;
  };
  for (const line of head) add(line);
  for (const section of sections.filter(({ takes }) => takes.length > 0)) {
    const heading = [
      '',
      `### ${section.title}`,
      '',
      tableRow(section.header),
      tableRow(section.header.map(() => '---')),
    ];
    if (!add(heading.join('\n'), MORE_BYTES)) break;
    const shown = section.takes.findIndex((take) => !add(tableRow(section.row(take)), MORE_BYTES));
    if (shown >= 0) add(`\n… ${section.takes.length - shown} more`);
  }
  return `${lines.join('\n')}\n`;
}

/** Room for the line that says how many rows are omitted. */
const MORE_BYTES = 40;

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function takeRow(take: TakeEvent, placeOf: (file: string) => string): string[] {
  return [
    foreign(take.key),
    stateName(take.state),
    foreign(take.model),
    formatUsd(take.money === 'not charged' || isRefunded(take.money) ? 0 : take.price_micro_usd),
    take.path === undefined ? '' : foreign(placeOf(take.path)),
  ];
}

/** Commands that stay one code span in one cell of a table. */
function inCode(command: CommandFor): CommandFor {
  return (...words) =>
    escapeForeign(command(...words))
      .replaceAll('`', "'")
      .replaceAll('|', '\\|');
}

function foreign(text: string): string {
  return cell(escapeForeign(text));
}

function cell(text: string): string {
  return escapeMarkdown(text.length > CELL_MAX ? `${text.slice(0, CELL_MAX)}…` : text);
}

/** Escapes text for Markdown: no markup, no HTML, no end of the cell. */
function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>|~#&$!]/g, '\\$&');
}

/** A fence longer than any in the text. */
function codeBlock(text: string): string[] {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}sh`, text, fence];
}
