import { posix } from 'node:path';
import { foldName } from '../core/file-name.js';
import type { Attempt } from '../lockfile/attempt.js';
import { type History, type Holding, takeId } from './history.js';
import type { FileMove, PlanRow } from './plan.js';
import { supersededPaths } from './superseded-paths.js';

/** The folder, beside the files of the takes, for what is neither current nor picked. */
const SUPERSEDED_FOLDER = '.superseded';

export interface TidyInput {
  /** Rows of the manifest's takes. Files of other takes are neither current nor wanted. */
  readonly rows: readonly PlanRow[];
  readonly history: History;
  isPicked(attempt: Attempt): boolean;
  /** The path of an untracked file `<stem>.<any extension>`. */
  readonly occupied: (stem: string) => string | undefined;
  /** Brings everything back instead. */
  readonly undo: boolean;
}

export interface TidyPlan {
  readonly moves: readonly FileMove[];
  /** Files that would be moved, but were changed since they were stored. */
  readonly changed: readonly string[];
}

/**
 * The moves that put aside what is neither current nor picked, and bring back what is. A take that is yet to be made
 * keeps its newest file in place. Never replaces a file; a file that was changed since it was stored stays.
 */
export function planTidy(input: TidyInput): TidyPlan {
  const { history, rows, undo } = input;
  const kept = keptFiles(input);
  const stems = new Map(rows.map(({ take }) => [takeId(take), take.stem]));
  const wanted = new Set(rows.map(({ take }) => foldName(take.stem)));
  const taken = new Set([...history.holdings.values()].map(({ path }) => foldName(path)));
  const moves: FileMove[] = [];
  const changed: string[] = [];
  for (const holding of history.holdings.values()) {
    const { attempt, path, state } = holding;
    const isSettled = attempt.state === 'done' || attempt.state === 'stored';
    if (!isSettled || path !== attempt.file?.path) continue;
    const stem = stems.get(takeId(attempt)) ?? attempt.stem;
    const away = !undo && !kept.has(attempt.attempt);
    if (isSuperseded(path, stem) === away) continue;
    if (state === 'changed') {
      changed.push(path);
      continue;
    }
    const isFree = (place: string) =>
      !taken.has(foldName(place)) && input.occupied(stemOf(place)) === undefined;
    // Its first name, unless a take of the manifest is entitled to it.
    const first = away || wanted.has(foldName(stem)) ? [] : [stem + posix.extname(path)];
    const to = [...first, ...targets(holding, stem, away)].find(isFree);
    if (to === undefined) continue;
    taken.add(foldName(to));
    moves.push({ attempt: attempt.attempt, from: path, to });
  }
  return { moves: moves.sort((a, b) => (a.from < b.from ? -1 : 1)), changed: changed.sort() };
}

/** By attempt: files that takes use, the ones they have until they are made, and picked ones. */
function keptFiles({ rows, history, isPicked }: TidyInput): ReadonlySet<string> {
  const kept = new Set<string>();
  for (const { take, decision } of rows) {
    if ('attempt' in decision) kept.add(decision.attempt.attempt);
    const made =
      decision.kind === 'done' || (decision.kind === 'collect' && decision.attempt.state === 'stored');
    const newest = (history.byTake.get(takeId(take)) ?? []).find(({ attempt }) =>
      history.holdings.has(attempt),
    );
    if (!made && newest !== undefined) kept.add(newest.attempt);
  }
  for (const { attempt } of history.holdings.values()) if (isPicked(attempt)) kept.add(attempt.attempt);
  return kept;
}

function targets({ attempt, path }: Holding, stem: string, away: boolean): readonly string[] {
  const aside = supersededPaths(attempt, stem, posix.extname(path));
  return away ? aside.map(supersededPath) : aside;
}

/** `out/.superseded/01-opening.ab12cd34.mp3` for `out/01-opening.ab12cd34.mp3`. */
export function supersededPath(path: string): string {
  return posix.join(posix.dirname(path), SUPERSEDED_FOLDER, posix.basename(path));
}

/** Whether `tidy` moved it there. It did not if the manifest itself names that folder for the take. */
export function isSuperseded(path: string, stem: string): boolean {
  const folder = posix.dirname(path);
  return posix.basename(folder) === SUPERSEDED_FOLDER && folder !== posix.dirname(stem);
}

/** The path without its extension. */
export function stemOf(path: string): string {
  return path.slice(0, path.length - posix.extname(path).length);
}
