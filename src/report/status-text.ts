import { unreachable } from '../core/errors.js';
import { formatUsd } from '../core/money.js';
import { takeKey } from '../core/take-key.js';
import { type Attempt, type AttemptState, countsAsSpent, spentMicroUsd } from '../lockfile/attempt.js';
import { boughtTwice } from '../lockfile/bought-twice.js';
import { UNREADABLE } from '../lockfile/salvage.js';
import { type FileState, isInDoubt, takeId } from '../plan/history.js';
import {
  isElsewhere,
  isInStore,
  isNothingHere,
  latestAttempts,
  machineOf,
  missingHint,
  missingOf,
  newerFailures,
} from '../plan/latest-attempts.js';
import { nextStep } from '../plan/next-step.js';
import type { PlanRow } from '../plan/plan.js';
import { retryFlags } from '../plan/selection.js';
import { boughtTwiceLines } from './bought-twice-text.js';
import { escapeForeign } from './escape.js';
import { pathText } from './path-text.js';
import { fatePhrase, stateName } from './phrases.js';
import { type PicksView, pickLines } from './picks-text.js';
import { reasonPhrase } from './plan-rows.js';
import { type SoundView, soundSection } from './sound-text.js';
import { type Style, styleFor } from './style.js';
import { renderTable } from './table.js';
import { displayWidth } from './width.js';

export interface StatusOptions {
  /** A command of this program for the same manifest, ready to paste. */
  command(verb: string, ...words: string[]): string;
  /** How a file is named, given its path relative to the output root. Default: that path. */
  placeOf?(file: string): string;
  readonly color: boolean;
  readonly width: number;
}

export interface StatusInput {
  readonly attempts: readonly Attempt[];
  /** There are no attempts because the shared log could not be read. */
  readonly unknown?: boolean | undefined;
  /** Of the wanted takes. */
  readonly rows: readonly PlanRow[];
  /** Takes that the manifest no longer names. */
  readonly removed: readonly PlanRow[];
  /** Absent: not checked. */
  readonly picks?: PicksView | undefined;
  /** Absent: not checked. */
  readonly sound?: SoundView | undefined;
  /** What is at the paths that attempts name. */
  readonly files?: ReadonlyMap<string, FileState> | undefined;
  /** The run that works on it now: `pid 4711 on studio, for 5 s`. Untrusted text. */
  readonly running?: string | undefined;
}

export interface TakeStatus {
  readonly key: string;
  /** The attempt that its row uses, or else the latest one. Absent: it was never submitted. */
  readonly attempt?: Attempt;
  /**
   * `elsewhere`: done, but its file is not here: the manifest says that it is kept somewhere else, or another machine or
   * the audio store has it. `changed`: what was made is of an earlier request. `new`: never submitted.
   */
  readonly state: AttemptState | 'missing' | 'elsewhere' | 'changed' | 'new';
  /** Shown instead of the state. */
  readonly phrase?: string | undefined;
  /** Name of that machine: untrusted text. */
  readonly machine?: string | undefined;
  /** A newer attempt with the same request that failed. */
  readonly newer?: Attempt | undefined;
}

/** Most important first. */
const STATES: readonly TakeStatus['state'][] = [
  'done',
  'elsewhere',
  'stored',
  'queued',
  'intent',
  'in_doubt',
  'unverified',
  'missing',
  'failed',
  'lost',
  'rejected',
  'changed',
  'new',
];

/** Never submitted, and wanted. */
export function isNew({ take, decision }: PlanRow, attempts: readonly Attempt[]): boolean {
  if (decision.kind !== 'buy' && decision.kind !== 'occupied') return false;
  return !attempts.some((attempt) => takeId(attempt) === takeId(take));
}

/** The next run makes it again, because its request changed. */
export function isChanged({ decision }: PlanRow): boolean {
  return decision.kind === 'buy' && decision.why.kind === 'changed';
}

/** What is in flight or in doubt says more about a take than a changed request. */
const SETTLED: ReadonlySet<AttemptState> = new Set(['done', 'failed', 'lost', 'rejected']);

/** For every take that is wanted or was ever submitted, in the order of the rows, which is the manifest's. */
export function takeStatuses(rows: readonly PlanRow[], attempts: readonly Attempt[]): readonly TakeStatus[] {
  const newer = newerFailures(rows, attempts);
  const latestOf = new Map(latestAttempts(attempts).map((latest) => [takeId(latest), latest]));
  return rows.flatMap((row): TakeStatus[] => {
    const latest = latestOf.get(takeId(row.take));
    const { key } = row.take;
    if (latest === undefined) return isNew(row, attempts) ? [{ key, state: 'new' }] : [];
    const attempt = 'attempt' in row.decision ? row.decision.attempt : latest;
    const failure = newer.get(row.take.key);
    return [
      {
        key,
        attempt,
        ...stateOfRow(row, attempt),
        machine: machineOf(row),
        newer: failure,
      },
    ];
  });
}

function stateOfRow(row: PlanRow, { state }: Attempt): Pick<TakeStatus, 'state' | 'phrase'> {
  const { decision } = row;
  if (isInStore(row)) return { state: 'elsewhere', phrase: IN_STORE };
  if (isElsewhere(row)) return { state: 'elsewhere' };
  if (missingOf(row) !== undefined) return { state: 'missing' };
  if (decision.kind === 'buy' && isChanged(row) && SETTLED.has(state))
    return { state: 'changed', phrase: reasonPhrase(decision.why) };
  return { state };
}

function isFileChanged({ state, attempt }: TakeStatus, files: StatusInput['files']): boolean {
  return state === 'done' && attempt?.file !== undefined && files?.get(attempt.file.path) === 'changed';
}

const FILE_CHANGED = 'done, but its file was changed';
const IN_STORE = 'done, in the audio store';

export const NOTHING_BOUGHT = 'Nothing has been bought yet.\n';
const NOTHING_KNOWN = 'What has been bought is not known: the shared log could not be read.\n';

/** Shows the state of every take: its file, totals, the next command. Includes line ends. */
export function renderStatus(
  { attempts, unknown, rows, removed, picks, sound, files, running }: StatusInput,
  options: StatusOptions,
): string {
  const style = styleFor(options.color);
  if (attempts.length === 0) return unknown === true ? NOTHING_KNOWN : NOTHING_BOUGHT;
  const withFile = (take: TakeStatus) =>
    isFileChanged(take, files) ? { ...take, phrase: FILE_CHANGED } : take;
  const wanted = takeStatuses(rows, attempts).map(withFile);
  const others = takeStatuses(removed, attempts).map(withFile);
  const unreadable = others.filter(isOfUnknownTake);
  const gone = others.filter((take) => !unreadable.includes(take));
  const sections = [
    takeLines(wanted, options, style),
    unreadable.length === 0 ? [] : [UNKNOWN_TAKE, ...takeLines(unreadable, options, style)],
    gone.length === 0 ? [] : ['No longer in the manifest', ...takeLines(gone, options, style)],
    picks === undefined ? [] : pickLines(picks, options.placeOf ?? String),
    sound === undefined ? [] : soundSection(sound, options.command, style, options.width),
    boughtTwiceLines(boughtTwice(attempts)),
    [totals(attempts, [...wanted, ...unreadable, ...gone])],
  ].filter((lines) => lines.length > 0);
  const text = sections.map((lines) => lines.join('\n')).join('\n\n');
  // Until that run ends, every command that changes something is refused.
  const next =
    running === undefined
      ? nextLine(rows, attempts, options)
      : `A run is in progress (${escapeForeign(running)}): this is the state so far`;
  return `${text}\n${next === undefined ? '' : `${next}\n`}`;
}

const UNKNOWN_TAKE = 'From damaged or missing lines of the lockfile; their takes are unknown';

function isOfUnknownTake({ attempt }: TakeStatus): boolean {
  return attempt?.track === UNREADABLE;
}

/** Files and jobs are in the table if all fit, or else below their rows, complete and ready to paste. */
function takeLines(takes: readonly TakeStatus[], options: StatusOptions, style: Style): string[] {
  if (takes.length === 0) return [];
  const { width } = options;
  const places = takes.map(({ attempt }) => (attempt === undefined ? '' : whereabouts(attempt, options)));
  const table = (look: Style, withPlaces: boolean) =>
    renderTable(
      [
        { header: 'TAKE', ...(withPlaces ? {} : { widthMin: 10 }) },
        { header: 'STATE', paint: (cell, row) => paintState(look, takes[row]!.state)(cell) },
        { header: 'COST', align: 'right' },
        ...(withPlaces ? [{ header: 'FILE OR JOB' }] : []),
      ],
      takes.map((take, index) => [
        isOfUnknownTake(take) ? 'unknown' : take.key,
        shownState(take),
        costText(take.attempt),
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

/** An earlier problem says nothing about an attempt that is fine now. */
function shownState({ attempt, state, phrase, machine, newer }: TakeStatus): string {
  if (machine !== undefined) return `done, on ${escapeForeign(machine)}`;
  const goesWell = ['done', 'elsewhere', 'stored', 'queued', 'missing'].includes(state);
  const shown = phrase ?? fatePhrase(stateName(state), goesWell ? undefined : attempt?.reason);
  return newer === undefined ? shown : `${shown}; a newer one ${fatePhrase(newer.state, newer.reason)}`;
}

function costText(attempt: Attempt | undefined): string {
  if (attempt === undefined) return '';
  return formatUsd(countsAsSpent(attempt) ? attempt.quote_micro_usd : 0);
}

/** The download that was kept although it failed the check, if there is nothing better. */
function whereabouts(attempt: Attempt, { placeOf = String }: StatusOptions): string {
  const { state, kept, queue_id } = attempt;
  const file = state === 'unverified' ? (kept ?? attempt.file) : attempt.file;
  return file === undefined ? escapeForeign(queue_id ?? '') : pathText(placeOf(file.path));
}

function paintState(style: Style, state: TakeStatus['state']): (text: string) => string {
  switch (state) {
    case 'done':
    case 'elsewhere':
    case 'stored':
      return style.good;
    case 'queued':
    case 'intent':
    case 'changed':
    case 'new':
      return style.note;
    case 'in_doubt':
    case 'unverified':
      return style.warn;
    default:
      return style.bad;
  }
}

function totals(all: readonly Attempt[], takes: readonly TakeStatus[]): string {
  const inStore = takes.filter(({ phrase }) => phrase === IN_STORE).length;
  const counts = STATES.map((state) => {
    const count = takes.filter((take) => take.state === state).length;
    return [state === 'elsewhere' ? count - inStore : count, stateName(state)] as const;
  })
    .toSpliced(1, 0, [inStore, 'in the audio store'])
    .filter(([count]) => count > 0)
    .map(([count, state]) => `${count} ${state}`);
  const spent = spentMicroUsd(all);
  const shown = spentMicroUsd(takes.flatMap(({ attempt }) => attempt ?? []));
  // Otherwise the column COST seems not to add up.
  const earlier = spent > shown ? `, ${formatUsd(spent - shown)} of it on earlier attempts` : '';
  const doubtful = spentMicroUsd(all.filter(isInDoubt));
  const doubt = doubtful > 0 ? `, ${formatUsd(doubtful)} of it in doubt` : '';
  return `${counts.join(', ')}; ${formatUsd(spent)} spent in total${earlier}${doubt}`;
}

/** The user's next step; `undefined` if there is none. */
function nextLine(
  rows: readonly PlanRow[],
  attempts: readonly Attempt[],
  { command }: StatusOptions,
): string | undefined {
  const step = nextStep(rows, attempts);
  const kept = attempts.find(({ state, kept }) => state === 'unverified' && kept !== undefined);
  switch (step.kind) {
    case 'collect':
      return `Next: ${command('collect')}${kept === undefined ? '' : `; or, if the kept file sounds right: ${command('accept', takeKey(kept))}`}`;
    case 'fetch':
      return `Next: ${missingHint(rows, command)}`;
    case 'resolve':
      return `Next: ${command(step.kind)}`;
    case 'buy': {
      const next = command('run', ...retryFlags(step));
      const missing = rows.some((row) => missingOf(row) !== undefined);
      return missing ? `Next: put the missing files back, or buy them again: ${next}` : `Next: ${next}`;
    }
    case 'edit':
      return `Next: fix the rejected tracks in the manifest, then: ${command('run')}`;
    case 'nothing':
      if (rows.some(isInStore)) return `Next: ${command('pull')}`;
      return isNothingHere(rows) ? `Next: ${missingHint(rows, command)}` : undefined;
    default:
      return unreachable(step);
  }
}
