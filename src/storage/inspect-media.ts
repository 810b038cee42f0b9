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
 * Reads the container to its end, and runs a library on it too. Our result decides; if the library cannot read the
 * file, that is only a warning, because a player may still play it. Errors of `bytes` itself are rethrown.
 */
export const inspectMedia: InspectMedia = async (bytes, sizeBytes) => {
  const source = openSource(bytes, sizeBytes);
  try {
    const start = await source.readStart();
    const readable = await isReadable(source, start, sizeBytes);
    const finding = await source.finish();
    return finding.kind === 'whole' && !readable
      ? { ...finding, warning: 'a second parser (music-metadata) cannot read it' }
      : finding;
  } finally {
    await source.close();
  }
};

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

let library: Promise<typeof import('music-metadata')> | undefined;

/** Whether music-metadata, with limited memory, finds audio in it. */
async function isReadable(source: Source, start: Uint8Array, sizeBytes: number): Promise<boolean> {
  const magic = String.fromCharCode(...start.subarray(0, 4));
  if (sizeBytes > LIBRARY_BYTES_MAX || UNKNOWN_TO_LIBRARY.includes(magic)) return true;
  library ??= import('music-metadata');
  const { parseBuffer, parseStream } = await library;
  const wanted = { duration: false, skipCovers: true, skipPostHeaders: true };
  const mediaType = (CONTAINERS.find(({ matches }) => matches(start)) ?? FRAMES).mediaType;
  const fileInfo = { mimeType: mediaType, size: sizeBytes };
  // A stream costs as much again as the parse itself.
  const stream =
    start.byteLength === sizeBytes ? undefined : Readable.from(source.pieces(), { objectMode: false });
  try {
    const { format } = await (stream === undefined
      ? parseBuffer(start, fileInfo, wanted)
      : parseStream(stream, fileInfo, wanted));
    return format.sampleRate !== undefined && format.sampleRate > 0;
  } catch {
    return false;
  } finally {
    stream?.destroy();
  }
}

type Source = ReturnType<typeof openSource>;

/** Passes the bytes to the library, shows each to the scan on the way, and continues where a reader stopped. */
function openSource(bytes: AsyncIterable<Uint8Array>, sizeBytes: number) {
  const iterator = bytes[Symbol.asyncIterator]();
  const running = runScan(scan, sizeBytes);
  const held: Uint8Array[] = [];
  let total = 0;
  let done = false;
  let fault: { readonly reason: unknown } | undefined;

  const pull = async (): Promise<Uint8Array | undefined> => {
    const early = running.early();
    // After a rejection, or beyond the declared length, the rest does not matter.
    if (done || total > sizeBytes || (early !== undefined && early.kind !== 'whole')) return undefined;
    try {
      const next = await iterator.next();
      if (next.done === true) {
        done = true;
        return undefined;
      }
      total += next.value.byteLength;
      running.feed(next.value);
      return next.value;
    } catch (error) {
      done = true;
      fault = { reason: error };
      throw error;
    }
  };
  return {
    /** The first bytes, or all of them if they come in one piece. They are passed on again. */
    readStart: async (): Promise<Uint8Array> => {
      for (let bytesHeld = 0; bytesHeld < HEAD_BYTES; ) {
        const piece = await pull();
        if (piece === undefined) break;
        held.push(piece);
        bytesHeld += piece.byteLength;
      }
      return held.length === 1 ? held[0]! : Buffer.concat(held);
    },
    pieces: async function* (): AsyncGenerator<Uint8Array> {
      while (held.length > 0) yield held.shift()!;
      for (let piece = await pull(); piece !== undefined; piece = await pull()) yield piece;
    },
    /** After the last byte. A file of a different size than declared is not the one that was inspected. */
    finish: async (): Promise<MediaFinding> => {
      while ((await pull()) !== undefined);
      // The library takes an error of the source for the end of the file.
      if (fault !== undefined) throw fault.reason;
      const finding = running.end();
      if (total === sizeBytes || finding.kind !== 'whole') return finding;
      return { kind: 'incomplete', mediaType: finding.mediaType };
    },
    close: async (): Promise<void> => {
      if (!done) await iterator.return?.();
    },
  };
}
