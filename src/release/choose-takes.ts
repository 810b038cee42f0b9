import type { Diagnostic } from '../core/diagnostic.js';
import { takeKey } from '../core/take-key.js';
import { type Attempt, isStored, type StoredFile } from '../lockfile/attempt.js';
import type { ReleaseTrack } from '../manifest/take.js';
import { compareNewest } from '../plan/history.js';
import { isFetchable, missingOf } from '../plan/latest-attempts.js';
import type { PlanRow } from '../plan/plan.js';

/** The take of a track in a release. */
export interface Chosen {
  readonly track: ReleaseTrack;
  readonly attempt: Attempt;
  readonly file: StoredFile;
  /** The lyrics that the take was made with, if the manifest still has them. */
  readonly lyrics?: string;
}

export interface TrackWarning extends Diagnostic {
  readonly track: string;
}

export interface Choice {
  /** One for each track, in release order, if there are no problems. */
  readonly chosen: readonly Chosen[];
  /** Tracks for which no take can be chosen. */
  readonly problems: readonly Diagnostic[];
  /** Tracks that were made again since their take was picked. */
  readonly warnings: readonly TrackWarning[];
}

export interface ChoiceInput {
  readonly tracks: readonly ReleaseTrack[];
  /** Takes of the manifest. */
  readonly rows: readonly PlanRow[];
  readonly attempts: readonly Attempt[];
  /** SHA-256 of the picked take, by track. */
  readonly picks: ReadonlyMap<string, { readonly sha256: string }>;
  /** If a track has several takes and no pick, release the first. */
  readonly first: boolean;
  /** Another command of this program, ready to paste. */
  command(verb: string, ...words: string[]): string;
}

/** The picked take of every track, or, without a pick, the only one that exists. Deterministic. */
export function chooseTakes(input: ChoiceInput): Choice {
  const byTrack = new Map<string, PlanRow[]>();
  for (const row of input.rows) {
    const rows = byTrack.get(row.take.track);
    if (rows === undefined) byTrack.set(row.take.track, [row]);
    else rows.push(row);
  }
  const results = input.tracks.map((track) => chooseTake(track, byTrack.get(track.track) ?? [], input));
  return {
    chosen: results.flatMap((result) => ('attempt' in result ? [result] : [])),
    problems: results.flatMap((result) => ('attempt' in result ? [] : [result])),
    warnings: results.flatMap((result) =>
      'attempt' in result ? outdated(result, byTrack.get(result.track.track) ?? [], input) : [],
    ),
  };
}

function chooseTake(
  track: ReleaseTrack,
  rows: readonly PlanRow[],
  { attempts, picks, first, command }: ChoiceInput,
): Chosen | Diagnostic {
  const pick = picks.get(track.track);
  if (pick !== undefined) {
    const picked = attempts
      .filter(
        (attempt) => attempt.track === track.track && isStored(attempt) && hashOf(attempt) === pick.sha256,
      )
      .sort(compareNewest)[0];
    return picked === undefined ? unknownPick(track, rows, command) : chosenOf(track, picked, rows);
  }
  const made = rows.flatMap(madeOf);
  const [only] = made;
  if (only === undefined) return notMade(track, rows, attempts, command);
  if (made.length > 1 && !first) return unpicked(track, made, command);
  return chosenOf(track, only, rows);
}

function hashOf({ file }: Attempt): string | undefined {
  return file?.sha256;
}

/** The takes with a file here, whether or not the remote copy was deleted. */
function madeOf({ decision }: PlanRow): readonly Attempt[] {
  if (decision.kind === 'held') return decision.kept === undefined ? [] : [decision.kept];
  if (decision.kind !== 'done' && decision.kind !== 'collect') return [];
  return isStored(decision.attempt) ? [decision.attempt] : [];
}

function chosenOf(track: ReleaseTrack, attempt: Attempt, rows: readonly PlanRow[]): Chosen | Diagnostic {
  const { take } = rows.find((row) => row.take.take === attempt.take) ?? rows[0] ?? {};
  const lyrics = take?.request.lyrics_prompt;
  const same = lyrics !== undefined && take?.parts.lyrics_prompt === attempt.parts.lyrics_prompt;
  return { track, attempt, file: attempt.file!, ...(same ? { lyrics } : {}) };
}

/** The pick is still valid: the user chose that exact file. */
function outdated(
  { track: { track, span }, attempt }: Chosen,
  rows: readonly PlanRow[],
  { picks, command }: ChoiceInput,
): readonly TrackWarning[] {
  const isCurrent = rows.some(({ take: { digest, formerDigest } }) =>
    [digest, formerDigest].includes(attempt.digest),
  );
  if (isCurrent || !picks.has(track)) return [];
  const [made] = rows.flatMap(madeOf);
  const message = `track \`${track}\` was changed since ${takeKey(attempt)} was picked: the release uses the picked take, made before the change`;
  const next =
    made === undefined
      ? `make the new one: ${command('run')}`
      : `to release what was made since: ${command('pick', track, String(made.take))}`;
  return [{ track, code: 'pick-outdated', severity: 'warning', message, hint: next, span }];
}

function notMade(
  { track, span }: ReleaseTrack,
  rows: readonly PlanRow[],
  attempts: readonly Attempt[],
  command: ChoiceInput['command'],
): Diagnostic {
  const gone = rows.flatMap((row) => missingOf(row) ?? [])[0];
  // Paid for: a run does not buy it again unless asked.
  if (gone !== undefined) {
    const hint = originalHint(rows.some(isFetchable), command);
    const message = `the file of ${takeKey(gone)} is missing`;
    return { code: 'original-missing', severity: 'error', message, hint, span };
  }
  const [earlier] = attempts.filter((one) => one.track === track && isStored(one)).sort(compareNewest);
  if (earlier !== undefined) {
    const message = `track \`${track}\` was changed since ${takeKey(earlier)} was made, and has no newer take`;
    const hint = `to release the earlier one: ${command('pick', track, String(earlier.take))}; otherwise, ${makeIt(rows, command)}`;
    return { code: 'not-made', severity: 'error', message, hint, span };
  }
  const message = `track \`${track}\` has no finished take`;
  return { code: 'not-made', severity: 'error', message, hint: makeIt(rows, command), span };
}

/** How to get the file of a take back. */
export function originalHint(isFetchable: boolean, command: ChoiceInput['command']): string {
  return isFetchable
    ? `to download it, at no cost as long as the service or the shared log has it: ${command('collect')}`
    : `put the file back; to see the options: ${command('verify')}`;
}

/** A run makes what is new or in flight. What was refused or lost, or is in doubt, is the user's to decide. */
function makeIt(rows: readonly PlanRow[], command: ChoiceInput['command']): string {
  const kinds = new Set(rows.map(({ decision }) => decision.kind));
  if (kinds.has('in_doubt'))
    return `it is unknown whether it was charged; settle that first: ${command('resolve')}`;
  if (kinds.has('held')) return `a run does not make it again; to see why: ${command('status')}`;
  return `make it: ${command('run')}`;
}

function unpicked(
  { track, span }: ReleaseTrack,
  made: readonly Attempt[],
  command: ChoiceInput['command'],
): Diagnostic {
  const names = made.map(takeKey);
  return {
    code: 'unpicked',
    severity: 'error',
    message: `track \`${track}\` has ${made.length} takes (${names.join(', ')}), and none is picked`,
    hint: `pick one: ${command('pick', track, String(made[0]!.take))}`,
    span,
  };
}

function unknownPick(
  { track, span }: ReleaseTrack,
  rows: readonly PlanRow[],
  command: ChoiceInput['command'],
): Diagnostic {
  const [made] = rows.flatMap(madeOf);
  const next = made === undefined ? command('run') : command('pick', track, String(made.take));
  return {
    code: 'pick-unknown',
    severity: 'error',
    message: `the picked take of track \`${track}\` is not in the lockfile`,
    hint: `pick another take: ${next}`,
    span,
  };
}
