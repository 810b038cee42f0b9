import { ascii } from '../storage/containers/bytes.js';
import {
  boxAt,
  boxesIn,
  type Fields,
  fieldsOf,
  readBoxHead,
  versionOf,
} from '../storage/containers/mp4-box.js';

/** The first audio track of an MP4 file. Source: ISO/IEC 14496-12. */
export interface Mp4Audio {
  /** Type of its sample entry: `mp4a` (AAC), `alac`, … */
  readonly codec: string;
  /** The decoder configuration: content of the box in the sample entry named after the codec. */
  readonly configuration: Uint8Array | undefined;
  readonly frames: readonly Uint8Array[];
}

/** Header of an audio sample entry, before its boxes. */
const ENTRY_HEAD_BYTES = 28;

/** `undefined` if there is no such track, its tables point outside the file, or it is fragmented. */
export function readMp4Audio(bytes: Uint8Array): Mp4Audio | undefined {
  try {
    const movie = topBox(bytes, 'moov');
    for (const track of boxesIn(movie ?? new Uint8Array()) ?? []) {
      if (track.type !== 'trak') continue;
      const media = boxesIn(track.body) ?? [];
      const handler = boxAt(media, 'mdia', 'hdlr');
      const table = boxAt(media, 'mdia', 'minf', 'stbl');
      if (handler === undefined || table === undefined || ascii(handler, 8, 4) !== 'soun') continue;
      return audioOf(bytes, table);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

function topBox(bytes: Uint8Array, wanted: string): Uint8Array | undefined {
  for (let at = 0; at < bytes.byteLength; ) {
    const head = readBoxHead(bytes.subarray(at));
    if (head === undefined) return undefined;
    const end = at + (head.bytes ?? bytes.byteLength - at);
    if (head.type === wanted) return bytes.subarray(at + head.headBytes, end);
    at = end;
  }
  return undefined;
}

function audioOf(file: Uint8Array, table: Uint8Array): Mp4Audio | undefined {
  const boxes = boxesIn(table) ?? [];
  const part = (type: string) => boxAt(boxes, type);
  const descriptions = part('stsd');
  const [sizes, chunks] = [part('stsz'), part('stsc')];
  const chunkOffsets = part('stco') ?? part('co64');
  if (!descriptions || !sizes || !chunks || !chunkOffsets) return undefined;
  const [entry] = boxesIn(descriptions.subarray(8)) ?? [];
  if (entry === undefined) return undefined;
  const inEntry = boxesIn(entry.body.subarray(ENTRY_HEAD_BYTES)) ?? [];
  const offsets = listOf(chunkOffsets, part('stco') === undefined ? 'u64' : 'u32');
  const frames = framesOf(file, sizesOf(sizes), runsOf(chunks), offsets);
  return frames && { codec: entry.type, configuration: boxAt(inEntry, entry.type), frames };
}

function listOf(body: Uint8Array, unit: 'u32' | 'u64'): readonly number[] {
  const fields = fieldsOf(body);
  versionOf(fields);
  return readEntries(fields, (each) => each[unit]());
}

function readEntries<T>(fields: Fields, read: (fields: Fields) => T): readonly T[] {
  const count = fields.u32();
  if (count > fields.left()) throw new RangeError('more entries than bytes');
  return Array.from({ length: count }, () => read(fields));
}

function sizesOf(body: Uint8Array): readonly number[] {
  const fields = fieldsOf(body);
  versionOf(fields);
  const common = fields.u32();
  if (common === 0) return readEntries(fields, (each) => each.u32());
  const count = fields.u32();
  // The count is untrusted: no real file has this many frames.
  return Array.from({ length: Math.min(count, 2 ** 24) }, () => common);
}

interface ChunkRun {
  readonly firstChunk: number;
  readonly framesPerChunk: number;
}

function runsOf(body: Uint8Array): readonly ChunkRun[] {
  const fields = fieldsOf(body);
  versionOf(fields);
  return readEntries(fields, (each) => {
    const run = { firstChunk: each.u32(), framesPerChunk: each.u32() };
    each.skip(4);
    return run;
  });
}

function framesOf(
  file: Uint8Array,
  sizes: readonly number[],
  runs: readonly ChunkRun[],
  offsets: readonly number[],
): readonly Uint8Array[] | undefined {
  const frames: Uint8Array[] = [];
  let run = 0;
  for (const [chunk, offset] of offsets.entries()) {
    while ((runs[run + 1]?.firstChunk ?? Number.POSITIVE_INFINITY) <= chunk + 1) run += 1;
    let at = offset;
    for (let left = runs[run]?.framesPerChunk ?? 0; left > 0 && frames.length < sizes.length; left -= 1) {
      const size = sizes[frames.length]!;
      if (at + size > file.byteLength) return undefined;
      frames.push(file.subarray(at, at + size));
      at += size;
    }
  }
  return frames;
}
