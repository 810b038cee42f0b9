import type { Release } from '../manifest/take.js';
import { formatOf } from './audio-format.js';
import { CREDITS, INDEX, PLAYLIST, type ReleasedTrack, SUMS } from './documents.js';
import { releasedTrack } from './make-release.js';
import type { NamedTake } from './name-files.js';
import { type Cover, coverName } from './tags/tags.js';

/** The tracks as they would be released, without measurements. */
export function plannedTracks({ format }: Release, takes: readonly NamedTake[]): readonly ReleasedTrack[] {
  return takes.map((take) => releasedTrack({ take, ...formatOf(format, take.file.media_type) }));
}

/** All files that would be written, in the order in which they are listed. */
export function plannedFiles(
  tracks: readonly ReleasedTrack[],
  cover: Cover | undefined,
): readonly { readonly path: string }[] {
  const documents = [CREDITS, INDEX, PLAYLIST, ...(cover === undefined ? [] : [coverName(cover)])];
  const sorted = [...tracks.map((track) => track.path), ...documents].sort((a, b) => (a < b ? -1 : 1));
  return [...sorted, SUMS].map((name) => ({ path: name }));
}
