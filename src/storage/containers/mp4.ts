import type { MediaFinding } from '../../core/ports.js';
import { ascii } from './bytes.js';
import { readBoxHead } from './mp4-box.js';
import { promisedBytes, readFragment } from './mp4-fragment.js';
import { type Movie, readMovie } from './mp4-movie.js';
import type { Cursor, Scan } from './scan.js';
import { isPaddingToEnd, TAG_HEAD_BYTES, tagBytes } from './skip-tags.js';

/** Size limit for `moov`, `moof` and `sidx`, which are read into memory. Ten minutes of audio take some 200 KB. */
const TABLE_BYTES_MAX = 16 * 1024 * 1024;
const BOXES_MAX = 200_000;
const FRAGMENTS_MAX = 1_000_000;
/** Codings that have no all-zero samples. Such a sample means that a cut file was padded to its length. */
const NEVER_ZERO = ['mp4a', 'alac', 'fLaC', 'Opus'];
const LAST_SAMPLE_BYTES_MAX = 1024 * 1024;
/** How far fragments may fall short of the declared duration, in seconds: rounding, and silence cut off by an edit. */
const SHORT_SECONDS_MAX = 0.1;

const mediaType = 'audio/mp4';
const INCOMPLETE: MediaFinding = { kind: 'incomplete', mediaType };

/** Recognises MP4, M4A and related formats by the box that names the kind. */
export function isMp4(head: Uint8Array): boolean {
  return ascii(head, 4, 4) === 'ftyp';
}

interface Place {
  readonly from: number;
  readonly to: number;
}

interface Seen {
  movie: Movie | undefined;
  /** The last sample in the file, in a coding that has no all-zero samples. */
  lastSample: Place | undefined;
  /** Where samples may be, in file order. */
  readonly media: Place[];
  /** Where samples of fragments are, with adjacent ranges merged. */
  readonly fragments: { readonly from: number; to: number }[];
  fragmentSeconds: number;
  /** Whether an index shows that no fragment is missing: `sidx` at the front, or `mfra` at the end. */
  indexed: boolean;
}

/**
 * The file is complete if boxes fill it to its last byte (tags and zeros may follow), `moov` is there, and every sample
 * that it or a fragment lists lies within an `mdat`. For fragments, a declared duration or an index must show that none
 * is missing. Source: ISO/IEC 14496-12.
 */
export function* scanMp4(cursor: Cursor): Scan<MediaFinding> {
  const seen: Seen = {
    movie: undefined,
    lastSample: undefined,
    media: [],
    fragments: [],
    fragmentSeconds: 0,
    indexed: false,
  };
  for (let boxes = 0; cursor.at < cursor.sizeBytes; boxes++) {
    const bytes = yield TAG_HEAD_BYTES;
    const head = tagBytes(bytes) > 0 ? undefined : readBoxHead(bytes);
    const start = cursor.at;
    if (head === undefined) return (yield* isPaddingToEnd(cursor)) ? judge(seen) : INCOMPLETE;
    const end = start + (head.bytes ?? cursor.sizeBytes - start);
    if (end > cursor.sizeBytes || boxes >= BOXES_MAX) return INCOMPLETE;
    const from = start + head.headBytes;
    if (head.type === 'mdat') {
      seen.media.push({ from, to: end });
      if (yield* isFilledUp(cursor, seen.lastSample, end)) return INCOMPLETE;
    } else if (TABLES.includes(head.type)) {
      if (end - from > TABLE_BYTES_MAX) return INCOMPLETE;
      cursor.at = from;
      const body = yield end - from;
      if (!take(seen, { type: head.type, body, start }, cursor.sizeBytes - end)) return INCOMPLETE;
    } else if (head.type === 'mfra') {
      seen.indexed = true;
    }
    cursor.at = end;
  }
  return judge(seen);
}

const TABLES = ['moov', 'moof', 'sidx'];

/** @returns whether the table is consistent */
function take(
  seen: Seen,
  box: { type: string; body: Uint8Array; start: number },
  restBytes: number,
): boolean {
  if (box.type === 'sidx') {
    seen.indexed = true;
    return promisedBytes(box.body) <= restBytes;
  }
  if (box.type === 'moov') {
    seen.movie ??= readMovie(box.body);
    seen.lastSample ??= seen.movie && lastSample(seen.movie);
    return seen.movie !== undefined;
  }
  const fragment = seen.movie && readFragment(box.body, box.start, seen.movie);
  if (fragment === undefined) return false;
  seen.fragmentSeconds += fragment.audioSeconds;
  for (const { from, bytes } of fragment.extents) {
    const last = seen.fragments.at(-1);
    if (last?.to === from) last.to += bytes;
    else seen.fragments.push({ from, to: from + bytes });
  }
  return seen.fragments.length <= FRAGMENTS_MAX;
}

function lastSample({ tracks }: Movie): Place | undefined {
  let last: Place | undefined;
  for (const { codec, chunks } of tracks) {
    if (!NEVER_ZERO.includes(codec)) continue;
    for (const { from, bytes, lastBytes } of chunks.extents()) {
      const to = from + bytes;
      if (lastBytes > 0 && to > (last?.to ?? 0)) last = { from: to - lastBytes, to };
    }
  }
  return last;
}

/** Whether that sample lies ahead, before `end`, and is all zeros. Known only if `moov` is at the front. */
function* isFilledUp(cursor: Cursor, sample: Place | undefined, end: number): Scan<boolean> {
  if (sample === undefined || sample.from < cursor.at || sample.to > end) return false;
  cursor.at = Math.max(sample.from, sample.to - LAST_SAMPLE_BYTES_MAX);
  return (yield sample.to - cursor.at).every((byte) => byte === 0);
}

function judge({ movie, media, fragments, fragmentSeconds, indexed }: Seen): MediaFinding {
  const audio = movie?.tracks.filter(({ isAudio }) => isAudio) ?? [];
  const samples = audio.reduce((sum, { chunks }) => sum + chunks.samples, 0);
  if (movie === undefined || (samples === 0 && fragmentSeconds === 0)) return INCOMPLETE;
  if (
    !areWithin(media, fragments) ||
    !movie.tracks.every(({ chunks }) => areWithin(media, placesOf(chunks)))
  ) {
    return INCOMPLETE;
  }
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
