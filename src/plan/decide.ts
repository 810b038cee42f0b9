import { REQUEST_FIELDS, type RequestField } from '../core/audio-request.js';
import type { Code } from '../core/codes.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { shellWord } from '../core/shell.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { KeySignature } from '../lockfile/key-signature.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import { UNKNOWN_DIGEST } from '../lockfile/salvage.js';
import type { Take } from '../manifest/take.js';
import {
  type FileState,
  type History,
  isClaimed,
  isInDoubt,
  isInFlight,
  isStaleClaim,
  readHistory,
  takeId,
} from './history.js';
import { noFileHere } from './latest-attempts.js';
import { planMoves } from './moves.js';
import { type FileOwner, occupiedErrors } from './occupied-files.js';
import type { BuyReason, Decision, FileMove, PlanRow } from './plan.js';
import { type ReadSelection, readSelection, type Selection, takeWord } from './selection.js';

export interface DecideInput {
  /** In the manifest's order. */
  readonly takes: readonly Take[];
  /** Folded, in any order. */
  readonly attempts: Iterable<Attempt>;
  /**
   * Every path that an attempt names (`file.path`, `move_to`), relative to the output root. Paths that are not listed
   * count as missing.
   */
  readonly files: ReadonlyMap<string, FileState>;
  /** The attempt whose bytes are at a path that several attempts name. Absent: the newest one. */
  readonly owners?: ReadonlyMap<string, string>;
  /** For a path that is a symbolic link or behind one: the path of that link. Both relative to the output root. */
  readonly links?: ReadonlyMap<string, string>;
  /** The path of an untracked file `<stem>.<any extension>`. */
  readonly occupied: (stem: string) => string | undefined;
  /** For an untracked file: the other lockfile that names it. */
  readonly fileOwners?: ReadonlyMap<string, FileOwner> | undefined;
  readonly selection: Selection;
  /** How messages name a file, given its path relative to the output root. Default: that path. */
  readonly placeOf?: ((file: string) => string) | undefined;
  /** Default: the words of a command. */
  readonly command?: NextCommand | undefined;
  /** For the key in use, to recognise what was submitted with another one. */
  readonly keySignature?: KeySignature | undefined;
  /** Names another machine that has an attempt's file, if that is enough. Absent: the file has to be here. */
  readonly keptBy?: ((attempt: Attempt) => string | undefined) | undefined;
  /** Attempts whose files are in the audio store but not here. For a plan or a status, which download nothing. */
  readonly inStore?: ReadonlySet<string> | undefined;
  /**
   * Attempts whose files are in the audio store but could not be downloaded just now. They are not lost, and must not
   * be bought again.
   */
  readonly notPulled?: ReadonlySet<string> | undefined;
  /** Whether `collect` may still get a missing file. For commands that do not try. Absent: it cannot, or has just tried. */
  readonly fetchable?: ((attempt: Attempt) => boolean) | undefined;
  /** To tell whether another run's claim is recent. Absent: all are. */
  readonly nowMs?: number | undefined;
}

export interface Decided {
  /** One for each take, in the manifest's order. */
  readonly rows: readonly PlanRow[];
  /**
   * In flight without a row to collect it: its track was removed from the manifest, or its request changed. It is paid,
   * so it is collected anyway; its file goes next to the wanted one.
   */
  readonly orphans: readonly Attempt[];
  /** In order: each target is free when its turn comes. */
  readonly moves: readonly FileMove[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * What a run does about each take, according to the lockfile, the disk and the selection. Deterministic, whatever the
 * order of attempts. Buys nothing that is in doubt, in flight or done, except with `--force` for what is done.
 */
export function decide(input: DecideInput): Decided {
  const history = readHistory(input.attempts, input.files, input.owners);
  const selection = readSelection(input.selection, input.takes);
  const rows = input.takes.map((take) => ({ take, decision: decideTake(take, history, selection, input) }));
  const collected = new Set(
    rows.map(({ decision }) => (decision.kind === 'collect' ? decision.attempt.attempt : '')),
  );
  const orphans = history.attempts.filter(
    (attempt) => isInFlight(attempt) && !collected.has(attempt.attempt),
  );
  const placeOf = input.placeOf ?? String;
  const moved = planMoves(rows, history, input.occupied, placeOf);
  return {
    rows,
    orphans,
    moves: moved.moves,
    diagnostics: [
      ...selection.diagnostics,
      ...rows.flatMap((row) => remarks(row, history, selection, input)),
      ...occupiedErrors(rows, input.fileOwners, { placeOf, command: input.command }),
      ...behindLinks(rows, history, input),
      ...otherKey(history.attempts, input.keySignature),
      ...noFileHere(rows, placeOf, input.command),
      ...moved.diagnostics,
    ],
  };
}

function decideTake(take: Take, history: History, selection: ReadSelection, input: DecideInput): Decision {
  const attempts = history.byTake.get(takeId(take)) ?? [];
  const doubtful = attempts.find(isInDoubt);
  if (doubtful !== undefined) return { kind: 'in_doubt', attempt: doubtful };
  const claim = attempts.find(isClaimed);
  if (claim !== undefined)
    return { kind: 'elsewhere', attempt: claim, stale: isStaleClaim(claim, input.nowMs ?? 0) };
  // A request that only a damaged line knew may be this one: the take was paid for.
  const requests = new Set([take.digest, take.formerDigest, UNKNOWN_DIGEST]);
  const same = attempts.filter(({ digest }) => requests.has(digest));
  const settled =
    same.length > 0 ? decideKnown(same, history, take, input) : wanted(changedReason(take, attempts));
  return bought(requestedAgain(settled, take, selection, input), take, selection, input);
}

function wanted(why: BuyReason): Decision {
  return { kind: 'buy', why };
}

/** Decided from the attempts (newest first) with exactly this request, ignoring the selection. */
function decideKnown(
  same: readonly Attempt[],
  history: History,
  { audioElsewhere }: Take,
  { keptBy, inStore, fetchable }: DecideInput,
): Decision {
  const usable = same.find(
    (attempt) => isInFlight(attempt) || (attempt.state === 'done' && history.holdings.has(attempt.attempt)),
  );
  if (usable !== undefined) return { kind: usable.state === 'done' ? 'done' : 'collect', attempt: usable };
  const missing = same.find(({ state }) => state === 'done');
  if (missing !== undefined && audioElsewhere === true)
    return { kind: 'done', attempt: missing, elsewhere: true };
  if (missing !== undefined && inStore?.has(missing.attempt))
    return { kind: 'done', attempt: missing, elsewhere: true, inStore: true };
  const machine = missing && keptBy?.(missing);
  if (missing !== undefined && machine !== undefined)
    return { kind: 'done', attempt: missing, elsewhere: true, machine };
  if (missing !== undefined) {
    const held = { kind: 'held', because: 'missing', attempt: missing } as const;
    return fetchable?.(missing) === true ? { ...held, fetchable: true } : held;
  }
  // A temporary refusal is ignored, as if there had been no attempt. A permanent one is reported until requested again.
  const decided = same.find((attempt) => !mayPass(attempt)) ?? same[0]!;
  switch (decided.state) {
    case 'failed':
      return { kind: 'held', because: 'failed', attempt: decided };
    case 'lost':
      if (decided.reason?.code === 'requeued') return wanted({ kind: 'retry', earlier: decided });
      return { kind: 'held', because: 'lost', attempt: decided };
    default:
      if (mayPass(decided)) return wanted({ kind: 'retry', earlier: decided });
      return { kind: 'held', because: 'rejected', attempt: decided };
  }
}

/**
 * Refusals of the request itself: the same request will be refused again, whoever sends it. A test compares them with
 * the refusals that `classifySubmit` calls `reject`. Older lockfiles also record 409 and 451 as refusals, although they
 * may have been charged: such a take is not bought again automatically.
 */
const FINAL_REFUSALS: ReadonlySet<number> = new Set([400, 404, 409, 410, 413, 415, 422, 451]);

/**
 * Refused for a reason other than the request (key, balance, load), or never sent. Without a status it was not refused
 * by a response.
 */
export function mayPass(attempt: Attempt): boolean {
  return attempt.state === 'rejected' && !FINAL_REFUSALS.has(attempt.reason?.status ?? 0);
}

function changedReason(take: Take, attempts: readonly Attempt[]): BuyReason {
  // Prefer a paid attempt to a refused one. If a refused request was corrected, show the corrected field.
  const earlier =
    attempts.find(({ state }) => state !== 'rejected') ?? attempts.find((attempt) => !mayPass(attempt));
  if (earlier === undefined) return { kind: 'new' };
  return { kind: 'changed', fields: changedFields(earlier.parts, take.parts), earlier };
}

type Parts = Take['parts'];

function changedFields(before: Parts, after: Parts): readonly RequestField[] {
  return REQUEST_FIELDS.filter((field) => before[field] !== after[field]);
}

/** Applies `--retry-failed` and `--force` to takes that may be bought at all. */
function requestedAgain(
  decision: Decision,
  take: Take,
  selection: ReadSelection,
  input: DecideInput,
): Decision {
  if ((decision.kind !== 'held' && decision.kind !== 'done') || !selection.selected(take)) return decision;
  if (selection.forced(take)) return wanted({ kind: 'forced', earlier: decision.attempt });
  if (decision.kind !== 'held' || !input.selection.retryFailed) return decision;
  if (input.notPulled?.has(decision.attempt.attempt)) return decision;
  return wanted({ kind: 'retry', earlier: decision.attempt });
}

/** Whether the purchases are allowed. */
function bought(decision: Decision, take: Take, selection: ReadSelection, input: DecideInput): Decision {
  if (decision.kind !== 'buy') return decision;
  if (!selection.selected(take)) return { kind: 'excluded', why: decision.why };
  const path = input.occupied(take.stem);
  return path === undefined ? decision : { kind: 'occupied', path };
}

/** Diagnostics about a row. */
function remarks(
  row: PlanRow,
  history: History,
  selection: ReadSelection,
  { links, placeOf = String, command = (...words) => words.join(' ') }: DecideInput,
): readonly Diagnostic[] {
  const { take, decision } = row;
  const reported: Diagnostic[] = [];
  const add = (code: Code, severity: Diagnostic['severity'], message: string, hint: string) =>
    reported.push({ code, severity, message, hint, span: take.span });
  const holding = decision.kind === 'done' ? history.holdings.get(decision.attempt.attempt) : undefined;
  if (holding?.state === 'changed') {
    // One link may precede every file: reported once for all of them.
    if (links?.get(holding.path) === undefined) {
      const message = `${shellWord(placeOf(holding.path))} was changed since it was stored`;
      const hint = `restore the file, or buy it again: ${command('run', '--force', takeWord(take))}`;
      add('file-changed', 'warning', message, hint);
    }
  }
  if (selection.forced(take) && (decision.kind === 'collect' || decision.kind === 'in_doubt')) {
    const [why, verb] =
      decision.kind === 'collect' ? ['is in flight', 'collect'] : ['is in doubt', 'resolve'];
    const message = `${take.key} is not bought again, because it ${why}`;
    add('force-blocked', 'warning', message, `first: ${command(verb)}; then run this again`);
  }
  return reported;
}

/** Links are not followed, so files behind one cannot be checked. One warning per link. */
function behindLinks(
  rows: readonly PlanRow[],
  history: History,
  { links, placeOf = String }: DecideInput,
): readonly Diagnostic[] {
  const byLink = new Map<string, { readonly take: Take; readonly file: string }[]>();
  for (const { take, decision } of rows) {
    const holding = decision.kind === 'done' ? history.holdings.get(decision.attempt.attempt) : undefined;
    const link = holding?.state === 'changed' ? links?.get(holding.path) : undefined;
    if (holding === undefined || link === undefined) continue;
    byLink.set(link, [...(byLink.get(link) ?? []), { take, file: holding.path }]);
  }
  return [...byLink].map(([link, behind]) => {
    const [first] = behind as [(typeof behind)[number]];
    const [file, at] = [shellWord(placeOf(first.file)), shellWord(placeOf(link))];
    const files = behind.length === 1 ? file : `${behind.length} files, such as ${file},`;
    return {
      code: 'file-changed',
      severity: 'warning',
      message: `${files} cannot be checked: ${at} is a symbolic link, a pipe or a device, and is not followed`,
      hint: `replace ${at} with the real file or folder`,
      ...(behind.length === 1 ? { span: first.take.span } : {}),
    };
  });
}

/** A job can be found only with the account that submitted it. */
function otherKey(
  attempts: readonly Attempt[],
  keySignature: KeySignature | undefined,
): readonly Diagnostic[] {
  if (keySignature === undefined) return [];
  const foreign = attempts.filter((attempt) => isInFlight(attempt) && !keySignature.isSameKey(attempt));
  if (foreign.length === 0) return [];
  return [
    {
      code: 'other-key',
      severity: 'warning',
      message: `${foreign.length === 1 ? '1 take in flight was' : `${foreign.length} takes in flight were`} submitted under another API key`,
      hint: 'if that key belongs to another account, run `collect` with that key',
    },
  ];
}
