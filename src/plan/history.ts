import type { Attempt } from '../lockfile/attempt.js';

/** State of a path in the lockfile. `changed`: the file's bytes differ from what was stored. */
export type FileState = 'present' | 'missing' | 'changed';

/** A tracked file on disk. */
export interface Holding {
  readonly attempt: Attempt;
  /** Relative to the output root. */
  readonly path: string;
  readonly state: 'present' | 'changed';
}

/** The state of lockfile and disk, arranged for decisions. Independent of the order of attempts. */
export interface History {
  /** All attempts, newest first. */
  readonly attempts: readonly Attempt[];
  /** By `takeId`, newest first. */
  readonly byTake: ReadonlyMap<string, readonly Attempt[]>;
  /** Attempts whose file exists, by attempt id. */
  readonly holdings: ReadonlyMap<string, Holding>;
}

/** An unambiguous key for a (track, take): ids contain no `#`. */
export function takeId(of: { readonly track: string; readonly take: number }): string {
  return `${of.track}#${of.take}`;
}

/** Newest first, by the time of the intent. Ties are broken by the random id, always in the same way. */
export function compareNewest(a: Attempt, b: Attempt): number {
  const timeA = a.at.intent ?? '';
  const timeB = b.at.intent ?? '';
  if (timeA !== timeB) return timeA < timeB ? 1 : -1;
  return a.attempt < b.attempt ? 1 : a.attempt > b.attempt ? -1 : 0;
}

/**
 * @param files by path relative to the output root; a path that is not listed counts as missing
 * @param owners the attempt whose bytes are at a path that several attempts name
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
    // A path is named twice if a file went missing and another took its place. If the bytes do not show whose it is, it
    // belongs to the newest attempt.
    if (holding === undefined || claimed.has(holding.path)) continue;
    if ((owners.get(holding.path) ?? attempt.attempt) !== attempt.attempt) continue;
    claimed.add(holding.path);
    holdings.set(attempt.attempt, holding);
  }
  return { attempts: sorted, byTake, holdings };
}

/** A move interrupted by a crash leaves the file in either place. */
function locate(attempt: Attempt, files: ReadonlyMap<string, FileState>): Holding | undefined {
  if (attempt.file === undefined) return undefined;
  const places = attempt.move_to === undefined ? [attempt.file.path] : [attempt.file.path, attempt.move_to];
  for (const path of places) {
    const state = files.get(path);
    if (state !== undefined && state !== 'missing') return { attempt, path, state };
  }
  return undefined;
}

/** Paid, and not yet stored or cleaned up. */
export function isInFlight(attempt: Attempt): boolean {
  return attempt.state === 'queued' || attempt.state === 'stored' || attempt.state === 'unverified';
}

/** The service deletes finished audio after about this time. */
const KEPT_MS = 24 * 3_600_000;

/** Whether the service may still have the audio of a finished job, if its copy was not deleted. */
export function mayBeKept({ state, file, queue_id, at }: Attempt, nowMs: number): boolean {
  if (state !== 'done' || file === undefined || queue_id === undefined) return false;
  return Date.parse(at.stored ?? '') >= nowMs - KEPT_MS;
}

/** May have been paid. An intent without a recorded outcome counts too, unless another run may still record one. */
export function isInDoubt(attempt: Attempt): boolean {
  return attempt.state === 'in_doubt' || (attempt.state === 'intent' && attempt.run === undefined);
}

/** An intent in a shared log: only the run that made it records its outcome. */
export function isClaimed(attempt: Attempt): boolean {
  return attempt.state === 'intent' && attempt.run !== undefined;
}

/** Every submit ends long before this age, so the process behind an older intent may be gone. */
const CLAIM_AGE_MS_MAX = 15 * 60_000;

/** Whether a claim is so old that its run is probably gone. Changes the advice, never the state. */
export function isStaleClaim(attempt: Attempt, nowMs: number): boolean {
  return isClaimed(attempt) && nowMs - Date.parse(attempt.at.intent ?? '') > CLAIM_AGE_MS_MAX;
}
