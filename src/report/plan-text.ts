import { CURRENCIES, formatUsd } from '../core/money.js';
import {
  currencyName,
  currencyNames,
  fundingOf,
  knownMicroUsd,
  unlistedCurrencies,
} from '../plan/check-balance.js';
import type { Plan, Purchase } from '../plan/plan.js';
import { isPriced } from '../plan/plan.js';
import type { Balance } from '../venice/client.js';
import { escapeForeign } from './escape.js';
import { pathText } from './path-text.js';
import { costByModel, countsByModel, type Mark, type PlanLine, planLines } from './plan-rows.js';
import { type Style, styleFor } from './style.js';
import { type Column, renderTable } from './table.js';
import { wrap } from './width.js';

export interface PlanTextOptions {
  /** Absent if it was not or could not be fetched. */
  readonly balance?: Balance | undefined;
  /** Base URL of the API. */
  readonly endpoint: string;
  readonly sandbox: boolean;
  readonly color: boolean;
  /** Columns of a line, limited to 40 to 120. */
  readonly width: number;
  /** How a file is named, given its path relative to the output root. Default: that path. */
  placeOf?(file: string): string;
  /** Show every row, however many. */
  readonly verbose: boolean;
}

/** Longer plans are shown by model, with only the most important rows. */
const ROWS_SHOWN_MAX = 40;
const ROWS_OF_MANY = 20;
/** Lines about savings, and about prices that differ from the catalogue's, at most. */
const REMARKS_MAX = 8;

const WIDTH_MIN = 40;
const WIDTH_MAX = 120;
/** If there is room, reasons are complete and the model is truncated. */
const WHY_WIDTH = 34;

/**
 * What the user is asked to approve: every take with what is done about it and why, the sums, the limits. Includes line
 * ends. A plan without prices is one line that says so, to be shown below the errors that explain it, and the takes in
 * doubt.
 */
export function renderPlan(plan: Plan, options: PlanTextOptions): string {
  const width = Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, options.width));
  const style = styleFor(options.color);
  const lines = planLines(plan, options.placeOf);
  if (!isPriced(plan)) return unpriced(lines, options.verbose, style, width);
  const sections = [
    heading(options, style, width),
    takeTable(lines, options.verbose, style, width),
    modelTable(plan, lines, style, width),
    sums(plan, lines, options, style),
    unlistedLine(plan, style, width),
    remarks('Could cost less', savingRemarks(plan), style, width),
    remarks('Quoted differently from the catalogue', deviationRemarks(plan), style, width),
  ];
  const shown = sections.filter((section) => section.length > 0);
  return `${shown.map((section) => section.join('\n')).join('\n\n')}\n`;
}

function unpriced(lines: readonly PlanLine[], verbose: boolean, style: Style, width: number): string {
  const doubtful = lines.filter(({ mark }) => mark === '?');
  const table = doubtful.length === 0 ? [] : [...takeTable(doubtful, verbose, style, width), ''];
  return `${[...table, style.strong('No plan: nothing was priced')].join('\n')}\n`;
}

function heading({ endpoint, sandbox }: PlanTextOptions, style: Style, width: number): string[] {
  if (sandbox) {
    return wrap('Sandbox: a simulated service, no money is spent', width).map((line) => style.note(line));
  }
  return wrap(`Plan for ${escapeForeign(endpoint)}`, width).map((line) => style.strong(line));
}

/** If not all rows are shown, those that need action come first. */
const RANK: Readonly<Record<Mark, number>> = { '?': 0, '!': 1, '~': 2, '+': 3, '>': 4, '-': 5, '=': 6 };

function takeTable(lines: readonly PlanLine[], verbose: boolean, style: Style, width: number): string[] {
  const many = lines.length > ROWS_SHOWN_MAX && !verbose;
  const shown = many ? [...lines].sort((a, b) => RANK[a.mark] - RANK[b.mark]).slice(0, ROWS_OF_MANY) : lines;
  const paint = (cell: string, row: number) => paintMark(style, shown[row]!.mark)(cell);
  const table = renderTable(
    [
      { header: ' ', paint },
      { header: 'TAKE', widthMin: 8, paint },
      { header: 'WHY', widthMin: width < 80 ? 12 : WHY_WIDTH, wraps: true },
      { header: 'PRICE', align: 'right' },
      { header: 'MODEL', widthMin: 12, optional: true, paint: (cell) => style.faint(cell) },
    ],
    shown.map((line) => [line.mark, line.key, line.why, priceOf(line), line.model]),
    { width, paintHeader: (text) => style.faint(text), below: (row) => fileBelow(shown[row]!) },
  );
  return many ? [...table, style.faint(`… ${count(lines.length - shown.length)} more`)] : table;
}

/** Complete, to be pasted: a terminal may wrap it, but a table would break it. Indented, or it looks like a take. */
function fileBelow({ action, file }: PlanLine): string | undefined {
  if (file === undefined) return undefined;
  return `     ${action === 'done' ? 'moves to ' : ''}${pathText(file)}`;
}

function paintMark(style: Style, mark: Mark): (text: string) => string {
  switch (mark) {
    case '+':
      return style.good;
    case '~':
    case '?':
      return style.warn;
    case '>':
      return style.note;
    case '!':
      return style.bad;
    default:
      return style.faint;
  }
}

function priceOf({ action, purchase }: PlanLine): string {
  if (purchase !== undefined) return formatUsd(purchase.quote.microUsd);
  return action === 'buy' ? 'unknown' : '';
}

function modelTable(plan: Plan, lines: readonly PlanLine[], style: Style, width: number): string[] {
  const costs = costByModel(plan);
  const number = (value: number) => (value === 0 ? '' : count(value));
  const rows = [...countsByModel(lines)].map(([model, counts]) => [
    model,
    number(counts.buy),
    costs.has(model) ? formatUsd(costs.get(model)!) : '',
    number(counts.done),
    number(counts.collect),
    number(counts.other),
  ]);
  const columns: readonly Column[] = [
    { header: 'MODEL', widthMin: 12 },
    { header: 'BUY', align: 'right' },
    { header: 'COST', align: 'right' },
    { header: 'DONE', align: 'right', optional: true },
    { header: 'IN FLIGHT', align: 'right', optional: true },
    { header: 'OTHER', align: 'right', optional: true },
  ];
  const shown = columns.flatMap((_, index) => (rows.some((row) => row[index] !== '') ? [index] : []));
  return renderTable(
    shown.map((index) => columns[index]!),
    rows.map((row) => shown.map((index) => row[index]!)),
    { width, paintHeader: (text) => style.faint(text) },
  );
}

/** The figures to approve: total, spent before, budget, balance. */
function sums(plan: Plan, lines: readonly PlanLine[], options: PlanTextOptions, style: Style): string[] {
  const { purchases, totalMicroUsd, spentBeforeMicroUsd, budgetMicroUsd } = plan;
  const inFlight = lines.filter(({ action }) => action === 'collect').length;
  const moved = new Set(plan.moves.map(({ attempt }) => attempt)).size;
  const wanted = lines.filter(({ action }) => action === 'buy').length;
  const priced = purchases.length === wanted;
  const facts: [string, string][] = [
    ['To buy', wanted === 0 ? 'nothing' : takes(wanted)],
    ['Total', style.strong(priced ? formatUsd(totalMicroUsd) : 'unknown')],
    ['Spent before', formatUsd(spentBeforeMicroUsd)],
    ['Budget', budgetMicroUsd === undefined ? 'none' : formatUsd(budgetMicroUsd)],
  ];
  if (budgetMicroUsd !== undefined && priced) {
    const left = budgetMicroUsd - spentBeforeMicroUsd - totalMicroUsd;
    facts.push(left < 0 ? ['Over budget', style.bad(formatUsd(-left))] : ['Left', formatUsd(left)]);
  }
  if (wanted > 0)
    facts.push(['Balance', balancePhrase(options.balance, style)], ...paidFrom(plan, options.balance, style));
  if (inFlight > 0) facts.push(['In flight', `${takes(inFlight)}, already paid`]);
  if (moved > 0) facts.push(['To move', `${count(moved)} ${moved === 1 ? 'file' : 'files'}, for free`]);
  const label = Math.max(...facts.map(([name]) => name.length)) + 2;
  return facts.map(([name, value]) => `${style.faint(name.padEnd(label))}${value}`);
}

function unlistedLine({ unlistedCount }: Plan, style: Style, width: number): string[] {
  if (unlistedCount === 0) return [];
  const kept =
    unlistedCount === 1
      ? 'is no longer in the manifest; its file is kept'
      : 'are no longer in the manifest; their files are kept';
  const shown = `${takes(unlistedCount)} ${kept}`;
  return wrap(shown, width).map((line) => style.faint(line));
}

function balancePhrase(balance: Balance | undefined, style: Style): string {
  if (balance === undefined) return 'unknown';
  if (balance.permitted === false) return style.bad('cannot be spent now');
  const available = knownMicroUsd(balance);
  if (available === undefined) return 'unknown';
  const used = CURRENCIES.filter((currency) => (balance.currencies[currency] ?? 0) > 0);
  return used.length > 1 ? `${formatUsd(available)}: ${currencyNames(balance)}` : formatUsd(available);
}

/** Which balances are charged, if there is more than one, and what none covers. */
function paidFrom({ purchases }: Plan, balance: Balance | undefined, style: Style): [string, string][] {
  if (balance === undefined || balance.permitted === false || knownMicroUsd(balance) === undefined) return [];
  const { drawn, uncovered } = fundingOf(purchases, balance);
  const parts = [...drawn].map(([currency, microUsd]) => `${formatUsd(microUsd)} ${currencyName(currency)}`);
  const isPlain = drawn.size === 0 || (drawn.size === 1 && drawn.has('USD'));
  const short = formatUsd(uncovered.reduce((sum, { quote }) => sum + quote.microUsd, 0));
  const unlisted = unlistedCurrencies(balance).map(currencyName).join(' or ');
  const notCovered =
    unlisted === ''
      ? style.bad(short)
      : `${short}, unless covered by ${unlisted}, which the service did not list`;
  return [
    ...(isPlain ? [] : ([['Paid from', parts.join(', ')]] as [string, string][])),
    ...(uncovered.length === 0 ? [] : ([['Not covered', notCovered]] as [string, string][])),
  ];
}

/** Purchases with the same remark share one line, with their number. */
function grouped(
  purchases: readonly Purchase[],
  report: (purchase: Purchase, of: readonly Purchase[]) => string,
  keyOf: (purchase: Purchase) => string,
): readonly string[] {
  const groups = new Map<string, Purchase[]>();
  for (const purchase of purchases) {
    const key = keyOf(purchase);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [purchase]);
    else group.push(purchase);
  }
  return [...groups.values()].map((group) => report(group[0]!, group));
}

function savingRemarks({ purchases }: Plan): readonly string[] {
  return grouped(
    purchases.filter(({ saving }) => saving !== undefined),
    ({ take, saving }, of) => {
      const { seconds, billedSeconds, insteadSeconds, microUsd } = saving!;
      const names = of.length === 1 ? take.key : `${take.key} and ${count(of.length - 1)} more`;
      const sum = formatUsd(microUsd * of.length);
      return `${names}: ${seconds} s is billed as ${billedSeconds} s: ${insteadSeconds} s would save ${sum}`;
    },
    ({ request, saving }) => JSON.stringify([request.model, saving]),
  );
}

function deviationRemarks({ purchases }: Plan): readonly string[] {
  return grouped(
    purchases.filter(({ quote }) => (quote.catalogueMicroUsd ?? quote.microUsd) !== quote.microUsd),
    ({ take, quote }, of) => {
      const names = of.length === 1 ? take.key : `${take.key} and ${count(of.length - 1)} more`;
      const known = quote.catalogueMicroUsd!;
      const share = known === 0 ? '' : ` (${percent(quote.microUsd / known - 1)})`;
      return `${names}: ${formatUsd(quote.microUsd)} instead of ${formatUsd(known)}${share}`;
    },
    ({ quote }) => quote.key,
  );
}

function percent(share: number): string {
  const rounded = Math.round(share * 1000) / 10;
  return `${rounded > 0 ? '+' : ''}${rounded}%`;
}

function remarks(title: string, shown: readonly string[], style: Style, width: number): string[] {
  if (shown.length === 0) return [];
  const lines = shown.slice(0, REMARKS_MAX).flatMap((text) => indented(escapeForeign(text), width));
  const more =
    shown.length > REMARKS_MAX ? [style.faint(`  … ${count(shown.length - REMARKS_MAX)} more`)] : [];
  return [style.faint(title), ...lines, ...more];
}

function indented(text: string, width: number): string[] {
  return wrap(text, width - 2).map((line) => `  ${line}`);
}

function takes(number: number): string {
  return `${count(number)} ${number === 1 ? 'take' : 'takes'}`;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
