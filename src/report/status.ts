import { type Attempt, type AttemptState, countsAsSpent } from '../lock/attempt.js';
import { formatUsd } from '../money.js';
import { takeId } from '../plan/history.js';
import { escapeForeign } from './escape.js';
import { fatePhrase, stateName } from './phrases.js';
import { pathText } from './shell.js';
import { type Style, styleFor } from './style.js';
import { renderTable } from './table.js';
import { displayWidth } from './width.js';

export interface StatusOptions {
  /** A command of this program for the same manifest, ready to paste. */
  command(verb: string, ...words: string[]): string;
  /** How a file is named here, by its path relative to the output root. Default: by that path. */
  placeOf?(file: string): string;
  readonly color: boolean;
  readonly width: number;
  /** The manifest's takes, by `takeId`. Absent where it cannot be read: then nothing is known to have left it. */
  readonly wanted?: ReadonlySet<string> | undefined;
}

/** In the order in which they matter to the reader. */
const STATES: readonly AttemptState[] = [
  'done',
  'stored',
  'queued',
  'intent',
  'in_doubt',
  'unverified',
  'failed',
  'lost',
  'rejected',
];

/** Where every take stands by the lockfile alone: its latest attempt, totals, the next command. With line ends. */
export function renderStatus(attempts: Iterable<Attempt>, options: StatusOptions): string {
  const style = styleFor(options.color);
  const all = [...attempts];
  if (all.length === 0) return 'Nothing was bought yet.\n';
  const latest = latestAttempts(all);
  const { wanted } = options;
  const isWanted = (attempt: Attempt) => wanted === undefined || wanted.has(takeId(attempt));
  const removed = latest.filter((attempt) => !isWanted(attempt));
  const sections = [
    takeLines(latest.filter(isWanted), options, style),
    removed.length === 0 ? [] : ['Not in the manifest any more', ...takeLines(removed, options, style)],
    [totals(all, latest)],
  ].filter((lines) => lines.length > 0);
  const next = nextCommand(all, options);
  const text = sections.map((lines) => lines.join('\n')).join('\n\n');
  return `${text}\n${next ? `Next: ${next}\n` : ''}`;
}

/** Files and jobs stand in the table where all of them fit, else below their rows: whole, to be pasted. */
function takeLines(latest: readonly Attempt[], options: StatusOptions, style: Style): string[] {
  if (latest.length === 0) return [];
  const { width } = options;
  const places = latest.map((attempt) => whereabouts(attempt, options));
  const table = (look: Style, withPlaces: boolean) =>
    renderTable(
      [
        { header: 'TAKE', ...(withPlaces ? {} : { widthMin: 10 }) },
        { header: 'STATE', paint: (cell, row) => paintState(look, latest[row]!.state)(cell) },
        { header: 'COST', align: 'right' },
        ...(withPlaces ? [{ header: 'FILE OR JOB' }] : []),
      ],
      latest.map((attempt, index) => [
        takeKey(attempt),
        shownState(attempt),
        countsAsSpent(attempt) ? formatUsd(attempt.quote_micro_usd) : formatUsd(0),
        ...(withPlaces ? [places[index]!] : []),
      ]),
      { width, paintHeader: (text) => look.faint(text) },
    );
  const fits = table(styleFor(false), true).every((line) => displayWidth(line) <= width);
  const [header = '', ...rows] = table(style, fits);
  return [
    header,
    ...rows.flatMap((line, index) => (fits || places[index] === '' ? line : [line, `  ${places[index]}`])),
  ];
}

/** The attempt that was made last for each take; sorted by track and take. */
export function latestAttempts(attempts: Iterable<Attempt>): Attempt[] {
  const latest = new Map<string, Attempt>();
  for (const attempt of attempts) {
    const key = takeKey(attempt);
    const known = latest.get(key);
    if (!known || madeAt(attempt) >= madeAt(known)) latest.set(key, attempt);
  }
  return [...latest.values()].sort((a, b) =>
    a.track === b.track ? a.take - b.take : a.track < b.track ? -1 : 1,
  );
}

function takeKey(attempt: Attempt): string {
  return attempt.take === 1 ? attempt.track : `${attempt.track}#${attempt.take}`;
}

function madeAt(attempt: Attempt): string {
  return attempt.at.intent ?? '';
}

/** What once stood in the way of an attempt that goes well now says nothing about it. */
function shownState({ state, reason }: Attempt): string {
  const goesWell = state === 'done' || state === 'stored' || state === 'queued';
  return fatePhrase(stateName(state), goesWell ? undefined : reason);
}

function whereabouts({ file, queue_id }: Attempt, { placeOf = String }: StatusOptions): string {
  return file === undefined ? escapeForeign(queue_id ?? '') : pathText(placeOf(file.path));
}

function paintState(style: Style, state: AttemptState): (text: string) => string {
  switch (state) {
    case 'done':
    case 'stored':
      return style.good;
    case 'queued':
    case 'intent':
      return style.note;
    case 'in_doubt':
    case 'unverified':
      return style.warn;
    default:
      return style.bad;
  }
}

function totals(all: readonly Attempt[], latest: readonly Attempt[]): string {
  const counts = STATES.map(
    (state) => [latest.filter((attempt) => attempt.state === state).length, state] as const,
  )
    .filter(([count]) => count > 0)
    .map(([count, state]) => `${count} ${stateName(state)}`);
  const spent = all.filter(countsAsSpent).reduce((sum, attempt) => sum + attempt.quote_micro_usd, 0);
  return `${counts.join(', ')}; ${formatUsd(spent)} spent in all`;
}

/** What a person would do next; `undefined` when nothing is owed. What was paid for matters though a later attempt was made. */
function nextCommand(all: readonly Attempt[], options: StatusOptions): string | undefined {
  const has = (...states: AttemptState[]) => all.some((attempt) => states.includes(attempt.state));
  if (has('in_doubt', 'intent')) return options.command('resolve');
  if (has('queued', 'stored', 'unverified')) return options.command('collect');
  if (latestAttempts(all).some(({ state }) => ['failed', 'lost', 'rejected'].includes(state)))
    return options.command('run', '--retry-failed');
  return undefined;
}
