import type { MediaFinding } from '../../core/ports.js';
import { ascii } from './bytes.js';
import { readBoxHead } from './mp4-box.js';
import { type Fragment, promisedBytes, readFragment } from './mp4-fragment.js';
import { type Movie, readMovie } from './mp4-movie.js';
import { findZeros, hasBlankSample, NEVER_ZERO, type Place } from './mp4-zeros.js';
import type { Cursor, Scan } from './scan.js';
import { isPaddingToEnd, TAG_HEAD_BYTES, tagBytes } from './skip-tags.js';

/** Size limit for `moov`, `moof` and `sidx`, which are read into memory. Ten minutes of audio take some 200 KB. */
const TABLE_BYTES_MAX = 16 * 1024 * 1024;
const BOXES_MAX = 200_000;
const FRAGMENTS_MAX = 1_000_000;
/** How far fragments may fall short of the declared duration, in seconds: rounding, and silence cut off by an edit. */
const SHORT_SECONDS_MAX = 0.1;

const mediaType = 'audio/mp4';
const INCOMPLETE: MediaFinding = { kind: 'incomplete', mediaType };

/** Recognises MP4, M4A and related formats by the box that names the kind. */
export function isMp4(head: Uint8Array): boolean {
  return ascii(head, 4, 4) === 'ftyp';
}

interface Seen {
  movie: Movie | undefined;
  /** Where samples may be, in file order. */
  readonly media: Place[];
  /** Where these are zeros. */
  readonly zeros: Place[];
  /** The fragment before the next `mdat`. */
  fragment: Fragment | undefined;
  /** Where samples of fragments are, with adjacent ranges merged. */
  readonly fragments: { readonly from: number; to: number }[];
  fragmentSeconds: number;
  /** Where the media end according to the `sidx` before all fragments; 0 without one. */
  indexedTo: number;
  /** Whether there is an `mfra`, which ends a file. */
  ended: boolean;
}

/**
 * The file is complete if boxes fill it to its last byte (padding may follow), there is one `moov`, and every sample
 * that it or a fragment lists lies within an `mdat` and is not blank. For fragments, a declared duration or an index must
 * show that none is missing. Source: ISO/IEC 14496-12.
 */
export function* scanMp4(cursor: Cursor): Scan<MediaFinding> {
  const seen: Seen = {
    movie: undefined,
    media: [],
    zeros: [],
    fragment: undefined,
    fragments: [],
    fragmentSeconds: 0,
    indexedTo: 0,
    ended: false,
  };
  for (let boxes = 0; cursor.at < cursor.sizeBytes; boxes++) {
    const bytes = yield TAG_HEAD_BYTES;
    const head = tagBytes(bytes) > 0 ? undefined : readBoxHead(bytes);
    const start = cursor.at;
    const end = start + (head?.bytes ?? cursor.sizeBytes - start);
    // Zeros before text look like a box of unknown type with an open end.
    const isOpen = head?.bytes === undefined && !['mdat', 'moov'].includes(head?.type ?? '');
    if (head === undefined || isOpen || end > cursor.sizeBytes)
      return (yield* isPaddingToEnd(cursor)) ? judge(seen) : INCOMPLETE;
    if (boxes >= BOXES_MAX) return INCOMPLETE;
    const from = start + head.headBytes;
    if (head.type === 'mdat') {
      seen.media.push({ from, to: end });
      cursor.at = from;
      yield* findZeros(cursor, end, seen.zeros);
      const extents = (seen.fragment?.extents ?? []).filter(({ codec }) => NEVER_ZERO.includes(codec));
      if (hasBlankSample(seen.zeros, extents)) return INCOMPLETE;
      seen.fragment = undefined;
    } else if (TABLES.includes(head.type)) {
      if (end - from > TABLE_BYTES_MAX) return INCOMPLETE;
      cursor.at = from;
      const body = yield end - from;
      if (!take(seen, { type: head.type, body, start, end }, cursor.sizeBytes)) return INCOMPLETE;
    } else if (head.type === 'mfra') {
      seen.ended = true;
    }
    cursor.at = end;
  }
  return judge(seen);
}

const TABLES = ['moov', 'moof', 'sidx'];

/** @returns whether the table is consistent */
function take(
  seen: Seen,
  box: { type: string; body: Uint8Array; start: number; end: number },
  sizeBytes: number,
): boolean {
  if (box.type === 'sidx') {
    const to = box.end + promisedBytes(box.body);
    if (seen.fragments.length === 0) seen.indexedTo = Math.max(seen.indexedTo, to);
    return to <= sizeBytes;
  }
  if (box.type === 'moov') {
    // The standard wants exactly one: a second is that of another file behind this one.
    if (seen.movie !== undefined) return false;
    seen.movie = readMovie(box.body);
    return seen.movie !== undefined;
  }
  const fragment = seen.movie && readFragment(box.body, box.start, seen.movie);
  if (fragment === undefined) return false;
  seen.fragment = fragment;
  seen.fragmentSeconds += fragment.audioSeconds;
  for (const { from, bytes } of fragment.extents) {
    const last = seen.fragments.at(-1);
    if (last?.to === from) last.to += bytes;
    else seen.fragments.push({ from, to: from + bytes });
  }
  return seen.fragments.length <= FRAGMENTS_MAX;
}

function judge({ movie, media, zeros, fragments, fragmentSeconds, indexedTo, ended }: Seen): MediaFinding {
  const audio = movie?.tracks.filter(({ isAudio }) => isAudio) ?? [];
  const samples = audio.reduce((sum, { chunks }) => sum + chunks.samples, 0);
  if (movie === undefined || (samples === 0 && fragmentSeconds === 0)) return INCOMPLETE;
  if (
    !areWithin(media, fragments) ||
    !movie.tracks.every(({ chunks }) => areWithin(media, placesOf(chunks)))
  ) {
    return INCOMPLETE;
  }
  for (const { codec, chunks } of movie.tracks)
    if (NEVER_ZERO.includes(codec) && hasBlankSample(zeros, chunks.extents())) return INCOMPLETE;
  // An index of the first fragments only does not show that there are no others.
  const indexed = ended || media.at(-1)?.to === indexedTo;
  const there = samples === 0 ? fragmentSeconds : movie.seconds + fragmentSeconds;
  const declared = movie.secondsInAll || (samples === 0 ? movie.seconds : 0);
  const mayMiss = fragments.length > 0 && (declared > 0 ? there < declared - SHORT_SECONDS_MAX : !indexed);
  if (mayMiss || there <= 0) return INCOMPLETE;
  return { kind: 'whole', mediaType, durationSeconds: there };
}

function* placesOf(chunks: Movie['tracks'][number]['chunks']): Generator<Place> {
  for (const { from, bytes } of chunks.extents()) yield { from, to: from + bytes };
}

/** Whether each place lies in one of the ranges, which are sorted. */
function areWithin(ranges: readonly Place[], places: Iterable<Place>): boolean {
  for (const { from, to } of places) {
    let [low, high] = [0, ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ranges[middle]!.to < to) low = middle + 1;
      else high = middle;
    }
    const range = ranges[low];
    if (range === undefined || from < range.from || to > range.to) return false;
  }
  return true;
}
