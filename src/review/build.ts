import { formatUsd } from '../core/money.js';
import { type Attempt, countsAsSpent, isStored } from '../lockfile/attempt.js';
import type { Take } from '../manifest/take.js';
import type { Picks } from '../picks/pick-types.js';
import { picksOf, type TrackPick } from '../picks/picks-of.js';
import { compareNewest, type Holding, takeId } from '../plan/history.js';
import type { Decision, PlanRow } from '../plan/plan.js';
import { fatePhrase, stateName } from '../report/phrases.js';
import type {
  ReviewData,
  ReviewFile,
  ReviewPick,
  ReviewRequest,
  ReviewSound,
  ReviewTake,
  ReviewTrack,
} from './data.js';

export interface ReviewInput {
  /** Absent if the manifest has none, or cannot be read. */
  readonly title: string | undefined;
  readonly manifest: string;
  readonly sandbox: boolean;
  /** Whether `rows` come from the manifest, and not only from the lockfile. */
  readonly manifestRead: boolean;
  /** Of the wanted takes, in the manifest's order. */
  readonly rows: readonly PlanRow[];
  readonly attempts: readonly Attempt[];
  /** Attempts whose file exists, by attempt id. */
  readonly holdings: ReadonlyMap<string, Holding>;
  readonly picks: Picks;
  /** By SHA-256. Files that are not in it have not been analysed yet. */
  readonly sounds: ReadonlyMap<string, ReviewSound>;
  /** The URL at which the page finds the audio of a file. */
  urlOf(file: { readonly sha256: string; readonly path: string }): string;
}

/** Builds the page's data from everything that is known about an album. */
export function buildReview(input: ReviewInput): ReviewData {
  const { title, manifest, sandbox, rows } = input;
  const byTrack = grouped(rows, ({ take }) => take.track);
  const takes = rows.map(({ take }) => take);
  const picks = picksOf(input.picks, takes, input.attempts);
  const attemptsByTrack = grouped([...input.attempts].sort(compareNewest), ({ track }) => track);
  return {
    title: title ?? manifest,
    manifest,
    sandbox,
    tracks: [...byTrack].map(([id, own]) => ({
      ...trackOf(id, own, attemptsByTrack.get(id) ?? [], input),
      ...pickOf(picks.get(id)),
    })),
  };
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}

function trackOf(
  id: string,
  rows: readonly PlanRow[],
  attempts: readonly Attempt[],
  input: ReviewInput,
): ReviewTrack {
  const { take } = rows[0]!;
  const current = rows.map((row) => currentTake(row, attempts, input));
  const shown = new Set(current.flatMap(({ file }) => file?.sha256 ?? []));
  const earlier = attempts.flatMap((attempt) => earlierTake(attempt, shown, input));
  return {
    id,
    ...(take.title === undefined ? {} : { title: take.title }),
    ...(input.manifestRead ? { request: requestOf(take) } : {}),
    takes: [...current, ...earlier],
  };
}

function pickOf(found: TrackPick | undefined): { readonly pick?: ReviewPick } {
  if (found === undefined || found.kind === 'none') return {};
  const { sha256, note } = found.pick;
  return { pick: { sha256, ...(note === undefined ? {} : { note }), state: found.kind } };
}

function requestOf({ request }: Take): ReviewRequest {
  const { model, prompt, lyrics_prompt, ...rest } = request;
  return {
    model,
    prompt,
    ...(lyrics_prompt === undefined ? {} : { lyrics: lyrics_prompt }),
    settings: Object.entries(rest).map(([name, value]) => [name, value === true ? 'yes' : String(value)]),
  };
}

function currentTake(row: PlanRow, attempts: readonly Attempt[], input: ReviewInput): ReviewTake {
  const { take, decision } = row;
  const name = `Take ${take.take}`;
  const attempt = attemptOf(row, attempts);
  if (attempt === undefined)
    return {
      key: `new ${takeId(take)}`,
      name,
      state: 'absent',
      stateText: 'not made yet',
      model: take.request.model,
    };
  const file =
    attempt.digest === take.digest || decision.kind === 'done' ? fileOf(attempt, input) : undefined;
  const inFlight = decision.kind === 'collect' || decision.kind === 'in_doubt';
  return {
    ...bought(attempt),
    key: `${takeId(take)} ${attempt.attempt}`,
    name,
    state: file !== undefined ? 'ready' : inFlight ? 'in_flight' : 'absent',
    stateText:
      file !== undefined
        ? stateName(attempt.state)
        : input.holdings.get(attempt.attempt)?.state === 'changed'
          ? 'its file was changed since it was stored'
          : stateTextOf(decision, attempt),
    ...(file === undefined ? {} : { file }),
  };
}

/** The attempt of a row. A take that failed but had been made before is shown as it was made. */
function attemptOf({ take, decision }: PlanRow, attempts: readonly Attempt[]): Attempt | undefined {
  if (decision.kind === 'held' && decision.kept !== undefined) return decision.kept;
  if ('attempt' in decision) return decision.attempt;
  return attempts.find((one) => takeId(one) === takeId(take) && one.digest === take.digest);
}

function stateTextOf(decision: Decision, attempt: Attempt): string {
  if (decision.kind === 'held' && decision.because === 'missing') return 'missing';
  if (decision.kind === 'buy' || decision.kind === 'excluded') return 'not made yet';
  return fatePhrase(stateName(attempt.state), decision.kind === 'collect' ? undefined : attempt.reason);
}

/** Files made for earlier versions of the track, or for a larger number of takes. */
function earlierTake(attempt: Attempt, shown: Set<string>, input: ReviewInput): readonly ReviewTake[] {
  const file = fileOf(attempt, input);
  if (file === undefined || shown.has(file.sha256)) return [];
  shown.add(file.sha256);
  return [
    {
      ...bought(attempt),
      key: `earlier ${attempt.attempt}`,
      name: `Take ${attempt.take}, earlier version`,
      state: 'ready',
      stateText: stateName(attempt.state),
      file,
    },
  ];
}

function bought(attempt: Attempt): Pick<ReviewTake, 'model' | 'price' | 'boughtAt'> {
  const { model, at, quote_micro_usd } = attempt;
  const boughtAt = at.queued ?? at.intent;
  return {
    model,
    ...(countsAsSpent(attempt) ? { price: formatUsd(quote_micro_usd) } : {}),
    ...(boughtAt === undefined ? {} : { boughtAt }),
  };
}

function fileOf(attempt: Attempt, { holdings, sounds, urlOf }: ReviewInput): ReviewFile | undefined {
  const holding = holdings.get(attempt.attempt);
  if (holding?.state !== 'present' || !isStored(attempt)) return undefined;
  const { sha256, media_type: mediaType } = attempt.file;
  const { path } = holding;
  const sound = sounds.get(sha256);
  return { sha256, url: urlOf({ sha256, path }), path, mediaType, ...(sound === undefined ? {} : { sound }) };
}
