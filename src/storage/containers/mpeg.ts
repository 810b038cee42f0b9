import type { MediaFinding } from '../../core/ports.js';
import { FRAME_HEAD_BYTES, type Frame, type Note, readFrame } from './mpeg-frame.js';
import type { Cursor, Scan } from './scan.js';
import { skipPadding, tagBytes } from './skip-tags.js';

/** How many foreign bytes a player skips before the first frame. */
const JUNK_BYTES_MAX = 1024 * 1024;
/** This many consecutive frames cannot be a coincidence. */
const FRAMES_SURE = 3;

interface Walk {
  mediaType: Frame['mediaType'] | undefined;
  stream: string;
  seconds: number;
  /** Bytes that are neither frame nor tag, before the first frame. */
  junkInFront: number;
  /** Bytes that are neither frame, tag nor padding follow a frame. */
  foreign: boolean;
  /** A frame or tag extends beyond the end of the file. */
  cut: boolean;
  /** The frames that one note describes. Concatenated files have one note each. */
  section: Section;
  /** Whether each finished section is as long as its note says. */
  sectionsWhole: boolean;
}

interface Section {
  readonly note: Note | undefined;
  frames: number;
  bytes: number;
}

/**
 * MPEG audio and AAC in ADTS: a sequence of frames, with tags before, between and after them. Only an encoder's note
 * states the length of such a file. With a note, the file is complete if everything noted is there, and padding may
 * follow; without one, if it ends with the end of a frame. The duration is that of the frames, whatever the note says.
 */
export function* scanFrames(cursor: Cursor): Scan<MediaFinding> {
  const walk: Walk = {
    mediaType: undefined,
    stream: '',
    seconds: 0,
    junkInFront: 0,
    foreign: false,
    cut: false,
    section: { note: undefined, frames: 0, bytes: 0 },
    sectionsWhole: true,
  };
  let synced = false;
  while (cursor.at < cursor.sizeBytes && !walk.foreign && walk.junkInFront <= JUNK_BYTES_MAX) {
    const bytes = yield FRAME_HEAD_BYTES;
    const frame = readFrame(bytes);
    if (frame !== undefined && (synced ? isSameKind(walk, frame) : yield* isSure(cursor, walk, frame))) {
      synced = true;
      take(walk, frame, cursor);
      continue;
    }
    synced = false;
    if (walk.mediaType === undefined) skipInFront(walk, cursor, tagBytes(bytes));
    else yield* skipBehind(walk, cursor);
  }
  return judge(walk);
}

/** @param tag length of the tag that begins here */
function skipInFront(walk: Walk, cursor: Cursor, tag: number): void {
  cursor.at += tag || 1;
  if (tag === 0) walk.junkInFront += 1;
}

function* skipBehind(walk: Walk, cursor: Cursor): Scan<void> {
  const from = cursor.at;
  // Without a note that says so, the sound need not end here: the zeros may have replaced frames.
  yield* skipPadding(cursor, { zeros: isNoted(walk.section) && isAsNoted(walk.section) });
  walk.foreign = cursor.at === from;
  walk.cut ||= cursor.at > cursor.sizeBytes;
}

function isSameKind({ mediaType }: Walk, frame: Frame): boolean {
  return mediaType === undefined || frame.mediaType === mediaType;
}

function take(walk: Walk, frame: Frame, cursor: Cursor): void {
  const isFirst = walk.mediaType === undefined;
  walk.mediaType = frame.mediaType;
  walk.stream = frame.stream;
  walk.cut = cursor.at + frame.bytes > cursor.sizeBytes;
  cursor.at += frame.bytes;
  if (frame.note !== undefined) {
    walk.sectionsWhole &&= isAsNoted(walk.section);
    walk.section = { note: frame.note, frames: 0, bytes: frame.bytes };
    // A player skips only the first one.
    if (isFirst) return;
  } else {
    walk.section.frames += 1;
    walk.section.bytes += frame.bytes;
  }
  walk.seconds += frame.samples / frame.samplesPerSecond;
}

/**
 * Whether frames of the same stream follow, or the file or a tag ends the sequence. Behind foreign bytes, a single frame
 * at the end may be a coincidence.
 */
function* isSure(cursor: Cursor, walk: Walk, first: Frame): Scan<boolean> {
  if (!isSameKind(walk, first)) return false;
  let ahead = first.bytes;
  for (let frames = 1; frames < FRAMES_SURE; frames++) {
    const isEnough = frames > 1 || walk.junkInFront === 0;
    if (cursor.at + ahead === cursor.sizeBytes) return isEnough;
    const bytes = (yield ahead + FRAME_HEAD_BYTES).subarray(ahead);
    if (tagBytes(bytes) > 0) return isEnough;
    const next = readFrame(bytes);
    if (next?.stream !== first.stream) return false;
    ahead += next.bytes;
  }
  return true;
}

function isNoted({ note }: Section): boolean {
  return note?.frames !== undefined || note?.bytes !== undefined;
}

/** Encoders differ in whether they count the frame with the note: one matching number is enough. */
function isAsNoted(section: Section): boolean {
  const { note, frames, bytes } = section;
  if (!isNoted(section)) return true;
  return frames >= (note?.frames ?? Infinity) || bytes >= (note?.bytes ?? Infinity);
}

function judge(walk: Walk): MediaFinding {
  const { mediaType, section, seconds } = walk;
  if (mediaType === undefined) return { kind: 'unknown' };
  const whole = !walk.cut && !walk.foreign && walk.sectionsWhole && isAsNoted(section) && seconds > 0;
  return whole ? { kind: 'whole', mediaType, durationSeconds: seconds } : { kind: 'incomplete', mediaType };
}
