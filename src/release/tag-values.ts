import type { Release } from '../manifest/take.js';
import type { NamedTake } from './name-files.js';
import type { Cover, Tags } from './tags/tags.js';

/** The release that the file is part of. */
interface Tagged {
  readonly release: Release;
  readonly takes: readonly NamedTake[];
  readonly cover?: Cover | undefined;
}

/** What the tags of a file say. Every file says that it is AI-generated. */
export function tagsOf({ release, takes, cover }: Tagged, take: NamedTake, gains: Tags['gains']): Tags {
  const { track, attempt, file, lyrics } = take;
  const { model, digest } = attempt;
  const artist = track.artist ?? release.artist;
  const genre = track.genre ?? release.genre;
  return {
    title: track.title,
    ...(artist === undefined ? {} : { artist }),
    ...(release.album === undefined ? {} : { album: release.album }),
    ...(release.albumArtist === undefined ? {} : { albumArtist: release.albumArtist }),
    track: track.index,
    tracks: takes.length,
    ...(release.date === undefined ? {} : { date: release.date }),
    ...(genre === undefined ? {} : { genre }),
    ...(release.copyright === undefined ? {} : { copyright: release.copyright }),
    comment: track.comment ?? release.comment ?? `AI-generated with ${model}`,
    ...(lyrics === undefined ? {} : { lyrics }),
    ...(cover === undefined ? {} : { cover }),
    aiMark: `yes; model=${model}; request=${digest}; original=sha256:${file.sha256}`,
    gains,
  };
}
