import type { Attempt } from '../lockfile/attempt.js';

/** State of a path in the lockfile. `changed`: a file with other bytes than were stored. */
export type FileState = 'present' | 'missing' | 'changed';

/** A file of ours on disk. */
export interface Holding {
  readonly attempt: Attempt;
  /** Relative to the output root. */
  readonly path: string;
  readonly state: 'present' | 'changed';
}

/** What the lockfile and the disk say, arranged for decisions. Independent of the order of attempts. */
export interface History {
  /** All attempts, newest first. */
  readonly attempts: readonly Attempt[];
  /** By `takeId`, newest first. */
  readonly byTake: ReadonlyMap<string, readonly Attempt[]>;
  /** Attempts whose file is there, by attempt id. */
  readonly holdings: ReadonlyMap<string, Holding>;
}

/** One name for a (track, take): ids hold no `#`. */
export function takeId(of: { readonly track: string; readonly take: number }): string {
  return `${of.track}#${of.take}`;
}

/** Newest first, by the time of the intent; the random id settles ties, the same way each time. */
export function compareNewest(a: Attempt, b: Attempt): number {
  const timeA = a.at.intent ?? '';
  const timeB = b.at.intent ?? '';
  if (timeA !== timeB) return timeA < timeB ? 1 : -1;
  return a.attempt < b.attempt ? 1 : a.attempt > b.attempt ? -1 : 0;
}

/**
 * @param files by path relative to the output root; a path that is not in it counts as missing
 * @param owners the attempt whose bytes stand at a path that several attempts name
 */
export function readHistory(
  attempts: Iterable<Attempt>,
  files: ReadonlyMap<string, FileState>,
  owners: ReadonlyMap<string, string> = new Map(),
): History {
  const sorted = [...attempts].sort(compareNewest);
  const byTake = new Map<string, Attempt[]>();
  const holdings = new Map<string, Holding>();
  const claimed = new Set<string>();
  for (const attempt of sorted) {
    const id = takeId(attempt);
    const known = byTake.get(id);
    if (known === undefined) byTake.set(id, [attempt]);
    else known.push(attempt);
    const holding = locate(attempt, files);
    // A path is named twice when a file went missing and another one took its place. Where the bytes do not
    // tell whose it is, it is the newest attempt's.
    if (holding === undefined || claimed.has(holding.path)) continue;
    if ((owners.get(holding.path) ?? attempt.attempt) !== attempt.attempt) continue;
    claimed.add(holding.path);
    holdings.set(attempt.attempt, holding);
  }
  return { attempts: sorted, byTake, holdings };
}

/** A move that a crash cut short leaves the file at either place. */
function locate(attempt: Attempt, files: ReadonlyMap<string, FileState>): Holding | undefined {
  if (attempt.file === undefined) return undefined;
  const places = attempt.move_to === undefined ? [attempt.file.path] : [attempt.file.path, attempt.move_to];
  for (const path of places) {
    const state = files.get(path);
    if (state !== undefined && state !== 'missing') return { attempt, path, state };
  }
  return undefined;
}

/** Paid for and not yet in custody or cleaned up. */
export function isInFlight(attempt: Attempt): boolean {
  return attempt.state === 'queued' || attempt.state === 'stored' || attempt.state === 'unverified';
}

/**
 * May have been paid for. An intent without a recorded outcome counts too, unless another run may
 * still record one.
 */
export function isInDoubt(attempt: Attempt): boolean {
  return attempt.state === 'in_doubt' || (attempt.state === 'intent' && attempt.run === undefined);
}

/** An intent in a shared log: the run that made it, and no other, says what came of it. */
export function isClaimed(attempt: Attempt): boolean {
  return attempt.state === 'intent' && attempt.run !== undefined;
}

/**
 * Every submit is answered or given up long before: the process behind an older intent may be gone.
 */
const CLAIM_AGE_MS_MAX = 15 * 60_000;

/** True if a claim is so old that its run is probably gone. Changes the advice, never the state. */
export function isStaleClaim(attempt: Attempt, nowMs: number): boolean {
  return isClaimed(attempt) && nowMs - Date.parse(attempt.at.intent ?? '') > CLAIM_AGE_MS_MAX;
}
