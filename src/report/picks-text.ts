import { takeKey } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { TrackPick } from '../picks/picks-of.js';
import { escapeForeign } from './escape.js';
import { pathText } from './path-text.js';

/** Picks, as shown by status. */
export interface PicksView {
  /** By track of the manifest, in order. */
  readonly tracks: ReadonlyMap<string, TrackPick>;
  /** Tracks with a pick that are not in the manifest. */
  readonly removed: readonly string[];
}

/** One line for each track that has a pick, and the number of tracks without one. */
export function pickLines(
  { tracks, removed }: PicksView,
  placeOf: (file: string) => string,
): readonly string[] {
  const picked = [...tracks].filter(([, { kind }]) => kind !== 'none');
  if (picked.length === 0 && removed.length === 0) return [];
  return [
    `Picks: ${picked.length} of ${tracks.size} tracks`,
    ...picked.map(([track, pick]) => `  ${pickLine(track, pick, placeOf)}`),
    ...removed.map((track) => `  ${escapeForeign(track)}: picked, but no longer in the manifest`),
  ];
}

function pickLine(track: string, one: TrackPick, placeOf: (file: string) => string): string {
  if (one.kind === 'none') return track;
  const note = one.pick.note === undefined ? '' : ` (${escapeForeign(one.pick.note)})`;
  switch (one.kind) {
    case 'current':
      return `${takeKey(one.attempt)}${note}`;
    case 'superseded':
      return `${takeKey(one.attempt)}${note}: an earlier version, ${placeIn(one.attempt, placeOf)}; the pick stays until you pick again`;
    case 'unknown':
      return `${track}${note}: no file in the lockfile has the picked hash ${one.pick.sha256.slice(0, 12)}…; pick again`;
  }
}

function placeIn({ file }: Attempt, placeOf: (file: string) => string): string {
  return pathText(placeOf(file?.path ?? ''));
}

/** Picks for programs: one entry for each track of the manifest. */
export function picksJson({ tracks, removed }: PicksView) {
  return {
    tracks: [...tracks].map(([track, one]) => ({
      track,
      state: one.kind,
      ...(one.kind === 'none' ? {} : one.pick),
      ...('attempt' in one
        ? { key: takeKey(one.attempt), attempt: one.attempt.attempt, path: one.attempt.file?.path }
        : {}),
    })),
    not_in_manifest: removed,
  };
}
