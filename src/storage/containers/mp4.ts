import type { MediaFinding } from '../../core/ports.js';
import { ascii } from './bytes.js';
import { BOX_HEAD_BYTES, readBoxHead } from './mp4-box.js';
import { promisedBytes, readFragment } from './mp4-fragment.js';
import { type Movie, readMovie } from './mp4-movie.js';
import type { Scan, Tape } from './scan.js';

/**
 * Of `moov`, `moof` and `sidx`, which are held in memory while read. Ten minutes of sound take some
 * 200 KB.
 */
const TABLE_BYTES_MAX = 16 * 1024 * 1024;
const BOXES_MAX = 200_000;
const FRAGMENTS_MAX = 1_000_000;
/** Codings none of whose samples is all zeros: where one is, a cut file was filled up to its length. */
const NEVER_ZERO = ['mp4a', 'alac', 'fLaC', 'Opus'];
const LAST_SAMPLE_BYTES_MAX = 1024 * 1024;
/** By how much fragments may fall short of the duration that is told, seconds: rounding, and silence cut off by an edit. */
const SHORT_SECONDS_MAX = 0.1;

const mediaType = 'audio/mp4';
const INCOMPLETE: MediaFinding = { kind: 'incomplete', mediaType };

/** MP4, M4A and their kin, by the box that names the kind. */
export function isMp4(head: Uint8Array): boolean {
  return ascii(head, 4, 4) === 'ftyp';
}

interface Place {
  readonly from: number;
  readonly to: number;
}

interface Seen {
  movie: Movie | undefined;
  /** The sample with the highest place of all that are never all zeros. */
  lastSample: Place | undefined;
  /** Where samples may stand, in the order of the file. */
  readonly media: Place[];
  /** Where samples of fragments do stand, neighbours joined. */
  readonly fragments: { readonly from: number; to: number }[];
  fragmentSeconds: number;
  /** True if an index shows that no fragment is missing: `sidx` in front, or `mfra` at the end. */
  indexed: boolean;
}

/**
 * Whole where boxes fill the file to its last byte, `moov` is there, and every sample that it or a fragment names lies
 * within an `mdat`. Of fragments, a told duration or an index has to say that none is missing. Source: ISO/IEC 14496-12.
 */
export function* scanMp4(tape: Tape): Scan<MediaFinding> {
  const seen: Seen = {
    movie: undefined,
    lastSample: undefined,
    media: [],
    fragments: [],
    fragmentSeconds: 0,
    indexed: false,
  };
  for (let boxes = 0; tape.at < tape.sizeBytes; boxes++) {
    const head = readBoxHead(yield BOX_HEAD_BYTES);
    const start = tape.at;
    const end = head === undefined ? 0 : start + (head.bytes ?? tape.sizeBytes - start);
    if (head === undefined || end > tape.sizeBytes || boxes >= BOXES_MAX) return INCOMPLETE;
    const from = start + head.headBytes;
    if (head.type === 'mdat') {
      seen.media.push({ from, to: end });
      if (yield* isFilledUp(tape, seen.lastSample, end)) return INCOMPLETE;
    } else if (TABLES.includes(head.type)) {
      if (end - from > TABLE_BYTES_MAX) return INCOMPLETE;
      tape.at = from;
      const body = yield end - from;
      if (!take(seen, { type: head.type, body, start }, tape.sizeBytes - end)) return INCOMPLETE;
    } else if (head.type === 'mfra') {
      seen.indexed = true;
    }
    tape.at = end;
  }
  return judge(seen);
}

const TABLES = ['moov', 'moof', 'sidx'];

/** @returns whether the table fits together */
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

/**
 * True if that sample lies ahead, before `end`, and is all zeros. Known only if `moov` is in front.
 */
function* isFilledUp(tape: Tape, sample: Place | undefined, end: number): Scan<boolean> {
  if (sample === undefined || sample.from < tape.at || sample.to > end) return false;
  tape.at = Math.max(sample.from, sample.to - LAST_SAMPLE_BYTES_MAX);
  return (yield sample.to - tape.at).every((byte) => byte === 0);
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

/** True if each place lies in one of the ranges, which are sorted. */
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
