import type { Attempt } from '../lockfile/attempt.js';
import type { Take } from '../manifest/take.js';
import type { Pick, Picks } from './pick-types.js';

/** The pick of a track, matched with its files. */
export type TrackPick =
  | { readonly kind: 'none' }
  /** A take of the track as it is in the manifest now. */
  | { readonly kind: 'current'; readonly pick: Pick; readonly attempt: Attempt }
  /** The track has changed or was made again since. The pick stays until the user picks again. */
  | { readonly kind: 'superseded'; readonly pick: Pick; readonly attempt: Attempt }
  /** The lockfile has no file of this track with that hash. */
  | { readonly kind: 'unknown'; readonly pick: Pick };

/**
 * The pick of each track.
 *
 * @param takes of the manifest, in order
 * @param attempts all of the lockfile
 * @returns one entry for each track of the manifest, in order
 */
export function picksOf(
  picks: Picks,
  takes: readonly Take[],
  attempts: Iterable<Attempt>,
): ReadonlyMap<string, TrackPick> {
  const byHash = new Map<string, Attempt[]>();
  for (const attempt of attempts) {
    if (attempt.file === undefined) continue;
    const key = `${attempt.track} ${attempt.file.sha256}`;
    byHash.set(key, [...(byHash.get(key) ?? []), attempt]);
  }
  const wanted = new Set(takes.map(({ track, take, digest }) => `${track} ${take} ${digest}`));
  const formerly = new Set(takes.map(({ track, take, formerDigest }) => `${track} ${take} ${formerDigest}`));
  const isCurrent = ({ track, take, digest }: Attempt) =>
    wanted.has(`${track} ${take} ${digest}`) || formerly.has(`${track} ${take} ${digest}`);
  const found = new Map<string, TrackPick>();
  for (const { track } of takes) {
    if (found.has(track)) continue;
    const pick = picks.get(track);
    const made = pick && (byHash.get(`${track} ${pick.sha256}`) ?? []);
    found.set(track, trackPick(pick, made?.find(isCurrent), made?.[0]));
  }
  return found;
}

function trackPick(
  pick: Pick | undefined,
  current: Attempt | undefined,
  any: Attempt | undefined,
): TrackPick {
  if (pick === undefined) return { kind: 'none' };
  if (current !== undefined) return { kind: 'current', pick, attempt: current };
  return any === undefined ? { kind: 'unknown', pick } : { kind: 'superseded', pick, attempt: any };
}

/** Picks of tracks that are not in the manifest, sorted by id. */
export function picksWithoutTrack(picks: Picks, takes: readonly Take[]): readonly string[] {
  const tracks = new Set(takes.map(({ track }) => track));
  return [...picks.keys()].filter((track) => !tracks.has(track)).sort();
}
