import { posix } from 'node:path';
import type { Diagnostic } from '../core/diagnostic.js';
import { foldName } from '../core/file-name.js';
import { asOperand, shellWord } from '../core/shell.js';
import type { Take } from '../manifest/take.js';
import { type History, type Holding, takeId } from './history.js';
import type { FileMove, PlanRow } from './plan.js';
import { hasSupersededName, supersededPaths } from './superseded-paths.js';
import { isSuperseded, stemOf, supersededPath } from './tidy.js';

export interface PlannedMoves {
  readonly moves: readonly FileMove[];
  /** A warning for each file that cannot be moved to its path. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Current and wanted path of a tracked file. */
interface Placement {
  readonly holding: Holding;
  readonly to: string;
  /** The take whose audio it is; absent for a file that is only in the way. */
  readonly owner?: Take;
}

type Occupied = (stem: string) => string | undefined;

/**
 * The moves that bring each take's stored file to its wanted path. A file of an earlier request in the way goes to
 * `<stem>.<digest8>.<ext>`. A file that was changed since it was stored stays. Never replaces a file, tracked or not: if
 * the target is taken, the file stays where it is, with a warning. Files of takes that are yet to be bought stay until
 * they are replaced.
 */
export function planMoves(
  rows: readonly PlanRow[],
  history: History,
  occupied: Occupied,
  placeOf: (file: string) => string,
): PlannedMoves {
  const owners = ownersOf(rows, history);
  const placements = place(owners, history, rows, occupied);
  const blocked = blockedBy(placements, history, occupied);
  const going = placements.filter(({ holding }) => !blocked.has(holding.attempt.attempt));
  return {
    moves: ordered(going),
    diagnostics: placements.flatMap(({ holding, to, owner }) => {
      const by = blocked.get(holding.attempt.attempt);
      if (by === undefined || owner === undefined) return [];
      return [blockedMove(placeOf(holding.path), placeOf(to), placeOf(by), owner)];
    }),
  };
}

/** The takes whose audio is here, by the attempt that has the file. */
function ownersOf(rows: readonly PlanRow[], history: History): ReadonlyMap<string, Take> {
  const owners = new Map<string, Take>();
  for (const { take, decision } of rows) {
    if (decision.kind !== 'done' && decision.kind !== 'collect') continue;
    const { attempt, state } = decision.attempt;
    const holding = history.holdings.get(attempt);
    // A file that is stored but damaged is fetched again, straight to its path.
    const whole = state === 'done' || (state === 'stored' && holding?.state === 'present');
    if (holding !== undefined && whole) owners.set(attempt, take);
  }
  return owners;
}

/** Every file that should be at another path: current files first, in the manifest's order, then those in their way. */
function place(
  owners: ReadonlyMap<string, Take>,
  history: History,
  rows: readonly PlanRow[],
  occupied: Occupied,
): readonly Placement[] {
  const owned = new Set([...owners.values()].map((take) => foldName(take.stem)));
  const taken = new Set([...history.holdings.values()].map(({ path }) => foldName(path)));
  const placements: Placement[] = [];
  for (const [attempt, take] of owners) {
    const holding = history.holdings.get(attempt)!;
    const to = take.stem + posix.extname(holding.path);
    taken.add(foldName(to));
    if (to !== holding.path && holding.state === 'present') placements.push({ holding, to, owner: take });
  }
  const stems = new Map(rows.map(({ take }) => [takeId(take), take.stem]));
  for (const holding of history.holdings.values()) {
    if (owners.has(holding.attempt.attempt) || holding.state !== 'present') continue;
    const stem = stems.get(takeId(holding.attempt));
    const targets = supersededTargets(holding, stem, owned.has(foldName(stemOf(holding.path))));
    const free = (path: string) => !taken.has(foldName(path)) && occupied(stemOf(path)) === undefined;
    const to = targets.includes(holding.path) ? undefined : targets.find(free);
    if (to === undefined) continue;
    taken.add(foldName(to));
    placements.push({ holding, to });
  }
  return placements;
}

/**
 * Paths for files of earlier requests: moved aside if in the way of a newer file, or along with their take if already
 * aside. Empty: they stay.
 */
function supersededTargets(
  { attempt, path }: Holding,
  stem: string | undefined,
  inTheWay: boolean,
): readonly string[] {
  const follows = stem !== undefined && attempt.state === 'done' && hasSupersededName(attempt, path);
  if (!inTheWay && !follows) return [];
  const now = stem ?? attempt.stem;
  const aside = supersededPaths(attempt, now, posix.extname(path));
  return isSuperseded(path, now) && !inTheWay ? aside.map(supersededPath) : aside;
}

/** Attempts whose file cannot move, with the path in the way: an untracked file, or a tracked one that stays. */
function blockedBy(
  placements: readonly Placement[],
  history: History,
  occupied: Occupied,
): ReadonlyMap<string, string> {
  const blocked = new Map<string, string>();
  const wantedBy = new Map(placements.map((placement) => [foldName(placement.to), placement]));
  const moving = new Set(placements.map(({ holding }) => holding.attempt.attempt));
  const queue: { readonly placement: Placement; readonly by: string }[] = [];
  for (const placement of placements) {
    const untracked = placement.owner === undefined ? undefined : occupied(placement.owner.stem);
    if (untracked !== undefined) queue.push({ placement, by: untracked });
  }
  for (const { attempt, path } of history.holdings.values()) {
    const placement = wantedBy.get(foldName(path));
    if (placement !== undefined && !moving.has(attempt.attempt)) queue.push({ placement, by: path });
  }
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { holding } = next.placement;
    if (blocked.has(holding.attempt.attempt)) continue;
    blocked.set(holding.attempt.attempt, next.by);
    // It stays, so it blocks the file that wants its path.
    const follower = wantedBy.get(foldName(holding.path));
    if (follower !== undefined) queue.push({ placement: follower, by: holding.path });
  }
  return blocked;
}

function blockedMove(from: string, to: string, by: string, take: Take): Diagnostic {
  return {
    code: 'move-blocked',
    severity: 'warning',
    message: `${shellWord(from)} cannot be moved to ${shellWord(to)}: ${shellWord(by)} is in the way`,
    hint: `move ${shellWord(asOperand(by))} away`,
    span: take.span,
  };
}

/** Orders moves so that each target is freed first. A cycle is broken with a temporary name beside the target. */
function ordered(placements: readonly Placement[]): readonly FileMove[] {
  const at = new Map(placements.map((placement) => [foldName(placement.holding.path), placement]));
  const begun = new Set<Placement>();
  const moves: FileMove[] = [];
  for (const first of placements) {
    if (begun.has(first)) continue;
    const chain: Placement[] = [];
    let next: Placement | undefined = first;
    while (next !== undefined && !begun.has(next)) {
      begun.add(next);
      chain.push(next);
      next = at.get(foldName(next.to));
    }
    // Targets are unique, so a chain can only close at its own start.
    if (next === first) moves.push(...openCircle(first, chain.slice(1)));
    else moves.push(...chain.reverse().map((placement) => move(placement)));
  }
  return moves;
}

function openCircle(first: Placement, rest: readonly Placement[]): readonly FileMove[] {
  const { attempt } = first.holding;
  const extension = posix.extname(first.to);
  const aside = `${stemOf(first.to)}.moving-${attempt.attempt.slice(0, 8)}${extension}`;
  return [
    move(first, first.holding.path, aside),
    ...[...rest].reverse().map((placement) => move(placement)),
    move(first, aside, first.to),
  ];
}

function move({ holding, to }: Placement, from = holding.path, target = to): FileMove {
  return { attempt: holding.attempt.attempt, from, to: target };
}
