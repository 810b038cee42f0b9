import type { MediaFinding } from '../../core/ports.js';
import { ascii, viewOf } from './bytes.js';
import type { Cursor, Scan } from './scan.js';
import { isPaddingToEnd } from './skip-tags.js';

/** Info and tracks elements are read up to this size. */
const LOOK_BYTES_MAX = 1024 * 1024;
/** The longest ID and size of an element. */
const ELEMENT_HEAD_BYTES = 12;

const ID = {
  ebml: 0x1a45dfa3,
  docType: 0x4282,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  duration: 0x4489,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackType: 0x83,
  cluster: 0x1f43b675,
} as const;
const AUDIO_TRACK = 2;
const DEFAULT_SCALE_NS = 1_000_000;

const mediaType = 'audio/webm';
const INCOMPLETE: MediaFinding = { kind: 'incomplete', mediaType };

/** Whether it is EBML. Only its header shows whether it is WebM (or Matroska). */
export function isEbml(head: Uint8Array): boolean {
  return head.byteLength >= 4 && viewOf(head).getUint32(0) === ID.ebml;
}

interface Element {
  readonly id: number;
  readonly headBytes: number;
  /** Absent: unknown, up to the next element of the same or a higher level. */
  readonly length?: number;
}

/**
 * The file is complete if the elements fill it to its last byte (padding may follow). A writer that cannot seek back
 * leaves the segment's length open; then the segment extends to the end of the file. Source: RFC 8794, RFC 9559.
 */
export function* scanWebm(cursor: Cursor): Scan<MediaFinding> {
  const [found, state] = [
    { segment: false, clusters: 0 },
    { audio: false, scaleNs: DEFAULT_SCALE_NS, ticks: 0 },
  ];
  let segmentEnd = cursor.sizeBytes;
  while (cursor.at < segmentEnd) {
    const element = readElement(yield ELEMENT_HEAD_BYTES);
    if (element === undefined) return INCOMPLETE;
    const { id, headBytes, length } = element;
    cursor.at += headBytes;
    const end = length === undefined ? undefined : cursor.at + length;
    if (end !== undefined && end > segmentEnd) return INCOMPLETE;
    if (id === ID.cluster) {
      // What is in it is read next, as if it were behind it: each block has to be one.
      found.clusters += 1;
    } else if (id === ID.segment) {
      // A second segment is not expected.
      if (found.segment) return INCOMPLETE;
      found.segment = true;
      segmentEnd = end ?? segmentEnd;
    } else if (end === undefined) {
      return INCOMPLETE;
    } else {
      if (id === ID.info || id === ID.tracks || id === ID.ebml) {
        const body = (yield Math.min(length!, LOOK_BYTES_MAX)).subarray(0, length);
        if (id === ID.ebml && !isWebm(body)) return { kind: 'unknown' };
        if (id === ID.info) Object.assign(state, readInfo(body));
        if (id === ID.tracks) state.audio = hasAudio(body);
      }
      cursor.at = end;
    }
  }
  if (!found.segment || found.clusters === 0 || !state.audio) return INCOMPLETE;
  if (!(yield* isPaddingToEnd(cursor))) return INCOMPLETE;
  const durationSeconds = (state.ticks * state.scaleNs) / 1e9;
  return { kind: 'whole', mediaType, ...(durationSeconds > 0 && { durationSeconds }) };
}

/** Both numbers encode their own length in leading zeros, which are not part of the value of a size. */
function readElement(bytes: Uint8Array): Element | undefined {
  const idBytes = Math.clz32(bytes[0] ?? 0) - 23;
  const sizeBytes = Math.clz32(bytes[idBytes] ?? 0) - 23;
  if (idBytes > 4 || sizeBytes > 8 || idBytes + sizeBytes > bytes.byteLength) return undefined;
  const id = bytes.subarray(0, idBytes).reduce((value, byte) => value * 256 + byte, 0);
  const [first = 0, ...more] = bytes.subarray(idBytes, idBytes + sizeBytes);
  const mask = 0xff >> sizeBytes;
  const open = (first & mask) === mask && more.every((byte) => byte === 0xff);
  const length = more.reduce((value, byte) => value * 256 + byte, first & mask);
  const headBytes = idBytes + sizeBytes;
  if (open) return { id, headBytes };
  return Number.isSafeInteger(length) ? { id, headBytes, length } : undefined;
}

function* childrenOf(body: Uint8Array): Generator<{ id: number; value: Uint8Array }> {
  for (let at = 0; at < body.byteLength; ) {
    const element = readElement(body.subarray(at, at + ELEMENT_HEAD_BYTES));
    if (element?.length === undefined) return;
    const from = at + element.headBytes;
    at = from + element.length;
    yield { id: element.id, value: body.subarray(from, at) };
  }
}

function isWebm(header: Uint8Array): boolean {
  for (const { id, value } of childrenOf(header))
    if (id === ID.docType) return /^(webm|matroska)\0*$/.test(ascii(value, 0, 20));
  return false;
}

function readInfo(body: Uint8Array): { scaleNs: number; ticks: number } {
  let [scaleNs, ticks] = [DEFAULT_SCALE_NS, 0];
  for (const { id, value } of childrenOf(body)) {
    if (id === ID.timestampScale) scaleNs = value.reduce((sum, byte) => sum * 256 + byte, 0);
    if (id === ID.duration && value.byteLength === 4) ticks = viewOf(value).getFloat32(0);
    if (id === ID.duration && value.byteLength === 8) ticks = viewOf(value).getFloat64(0);
  }
  return { scaleNs, ticks };
}

function hasAudio(tracks: Uint8Array): boolean {
  for (const { id, value } of childrenOf(tracks))
    if (id === ID.trackEntry)
      for (const field of childrenOf(value))
        if (field.id === ID.trackType && field.value[0] === AUDIO_TRACK) return true;
  return false;
}
