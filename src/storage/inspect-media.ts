import { Readable } from 'node:stream';
import type { InspectMedia, MediaFinding } from '../core/ports.js';
import { isAiff, scanAiff } from './containers/aiff.js';
import { isFlac, scanFlac } from './containers/flac.js';
import { isMp4, scanMp4 } from './containers/mp4.js';
import { scanFrames } from './containers/mpeg.js';
import { isOgg, scanOgg } from './containers/ogg.js';
import { type Cursor, runScan, type Scan } from './containers/scan.js';
import { TAG_HEAD_BYTES, tagBytes } from './containers/skip-tags.js';
import { isWav, scanWav } from './containers/wav.js';
import { isEbml, scanWebm } from './containers/webm.js';

interface Container {
  readonly mediaType: string;
  matches(head: Uint8Array): boolean;
  scan(cursor: Cursor): Scan<MediaFinding>;
}

const CONTAINERS: readonly Container[] = [
  { mediaType: 'audio/wav', matches: isWav, scan: scanWav },
  { mediaType: 'audio/flac', matches: isFlac, scan: scanFlac },
  { mediaType: 'audio/mp4', matches: isMp4, scan: scanMp4 },
  { mediaType: 'audio/ogg', matches: isOgg, scan: scanOgg },
  { mediaType: 'audio/webm', matches: isEbml, scan: scanWebm },
  { mediaType: 'audio/aiff', matches: isAiff, scan: scanAiff },
];
/** Frames have no file header, so anything that no other container matches is searched for them. */
const FRAMES: Container = { mediaType: 'audio/mpeg', matches: () => true, scan: scanFrames };

const HEAD_BYTES = TAG_HEAD_BYTES;
/** The library holds covers and tags in memory while it reads, so it is not used for larger files. */
const LIBRARY_BYTES_MAX = 256 * 1024 * 1024;
/** Unknown to the library. */
const UNKNOWN_TO_LIBRARY = ['RF64', 'BW64'];

/**
 * Reads the container to its end, and then runs a library on it too. Our result decides; if the library cannot read the
 * file, that is only a warning, because a player may still play it. The library gets no damaged file: it trusts the
 * counts in it, and one that is wrong fills the memory until the process dies. Errors of reading are rethrown.
 */
export const inspectMedia: InspectMedia = async (read, sizeBytes) => {
  const finding = await scanned(read(), sizeBytes);
  return finding.kind === 'whole' && !(await isReadable(read(), sizeBytes, finding.mediaType))
    ? { ...finding, warning: 'a second parser (music-metadata) cannot read it' }
    : finding;
};

async function scanned(bytes: AsyncIterable<Uint8Array>, sizeBytes: number): Promise<MediaFinding> {
  const running = runScan(scan, sizeBytes);
  let total = 0;
  for await (const piece of bytes) {
    total += piece.byteLength;
    running.feed(piece);
    const early = running.early();
    // After a rejection, or beyond the declared length, the rest does not matter.
    if (total > sizeBytes || (early !== undefined && early.kind !== 'whole')) break;
  }
  const finding = running.end();
  // A file of a different size than declared is not the one that was inspected.
  if (total === sizeBytes || finding.kind !== 'whole') return finding;
  return { kind: 'incomplete', mediaType: finding.mediaType };
}

function* scan(cursor: Cursor): Scan<MediaFinding> {
  // Some writers put ID3 in front of any format. In front of MPEG audio, its own scan skips it.
  for (let length = tagBytes(yield HEAD_BYTES); length > 0; length = tagBytes(yield HEAD_BYTES))
    cursor.at += length;
  const head = yield HEAD_BYTES;
  const container = CONTAINERS.find(({ matches }) => matches(head)) ?? FRAMES;
  try {
    return yield* container.scan(cursor);
  } catch (error) {
    // A field extends beyond its box.
    if (!(error instanceof RangeError)) throw error;
    return { kind: 'incomplete', mediaType: container.mediaType };
  }
}

/** Whether music-metadata, with limited memory, finds audio in it. */
async function isReadable(
  bytes: AsyncIterable<Uint8Array>,
  sizeBytes: number,
  mimeType: string,
): Promise<boolean> {
  const pieces = bytes[Symbol.asyncIterator]();
  try {
    const first = await pieces.next();
    const start = first.done === true ? new Uint8Array() : first.value;
    const magic = String.fromCharCode(...start.subarray(0, 4));
    if (sizeBytes > LIBRARY_BYTES_MAX || UNKNOWN_TO_LIBRARY.includes(magic)) return true;
    return await parses(start, pieces, { mimeType, size: sizeBytes });
  } finally {
    await pieces.return?.();
  }
}

let library: Promise<typeof import('music-metadata')> | undefined;

async function parses(
  start: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
  fileInfo: { readonly mimeType: string; readonly size: number },
): Promise<boolean> {
  library ??= import('music-metadata');
  const { parseBuffer, parseStream } = await library;
  const wanted = { duration: false, skipCovers: true, skipPostHeaders: true };
  let fault: { readonly reason: unknown } | undefined;
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    yield start;
    try {
      for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
    } catch (error) {
      fault = { reason: error };
    }
  };
  // A stream costs as much again as the parse itself.
  const stream =
    start.byteLength === fileInfo.size ? undefined : Readable.from(pieces(), { objectMode: false });
  const parsed =
    stream === undefined ? parseBuffer(start, fileInfo, wanted) : parseStream(stream, fileInfo, wanted);
  const metadata = await parsed.catch(() => undefined);
  stream?.destroy();
  // The library takes an error of the source for the end of the file.
  if (fault !== undefined) throw fault.reason;
  return (metadata?.format.sampleRate ?? 0) > 0;
}
