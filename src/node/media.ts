import { Readable } from 'node:stream';
import type { InspectMedia, MediaFacts } from '../ports.js';
import type { Ends } from './media/ends.js';
import { isFlac, isFlacCut } from './media/flac.js';
import { isMpeg, isMpegCut } from './media/mpeg.js';
import { isWav, wavSeconds } from './media/wav.js';

const HEAD_BYTES = 64 * 1024;
/** Longer than any FLAC frame of up to 24 bits and two channels. */
const TAIL_BYTES = 512 * 1024;

const CONTAINERS = [
  { mediaType: 'audio/wav', container: 'WAVE', matches: isWav },
  { mediaType: 'audio/flac', container: 'FLAC', matches: isFlac },
  { mediaType: 'audio/mpeg', container: 'MPEG', matches: isMpeg },
] as const;

type Container = (typeof CONTAINERS)[number];

/**
 * By the first bytes, then by a parse of the container, then by whether its end is where the file says. A fault of
 * `bytes` itself is thrown on; everything else that is wrong with them gives `undefined`.
 */
export const inspectMedia: InspectMedia = async (bytes, sizeBytes) => {
  const source = openSource(bytes);
  try {
    await source.readHead();
    const container = CONTAINERS.find(({ matches }) => matches(source.ends(sizeBytes).head));
    if (container === undefined) return undefined;
    const durationSeconds = await parse(source, container, sizeBytes);
    const totalBytes = await source.readRest();
    if (totalBytes !== sizeBytes || durationSeconds === 'damaged') return undefined;
    return judge(container, source.ends(sizeBytes), durationSeconds);
  } finally {
    await source.close();
  }
};

function judge(container: Container, ends: Ends, parsedSeconds: number | undefined): MediaFacts | undefined {
  const { mediaType } = container;
  if (mediaType === 'audio/wav') {
    const durationSeconds = wavSeconds(ends);
    return durationSeconds === undefined ? undefined : { mediaType, durationSeconds };
  }
  if (mediaType === 'audio/flac' ? isFlacCut(ends) : isMpegCut(ends)) return undefined;
  return parsedSeconds === undefined ? { mediaType } : { mediaType, durationSeconds: parsedSeconds };
}

let library: Promise<typeof import('music-metadata')> | undefined;

/** Seconds as music-metadata finds them. */
async function parse(
  source: Source,
  { mediaType, container }: Container,
  sizeBytes: number,
): Promise<number | undefined | 'damaged'> {
  library ??= import('music-metadata');
  const { parseBuffer, parseStream } = await library;
  const told = { mimeType: mediaType, size: sizeBytes };
  const wanted = { duration: true, skipCovers: true, skipPostHeaders: true };
  const whole = source.whole(sizeBytes);
  // A stream costs as much again as the parse itself.
  const stream = whole === undefined ? Readable.from(source.pieces(), { objectMode: false }) : undefined;
  try {
    const { format } = await (stream === undefined
      ? parseBuffer(whole ?? new Uint8Array(), told, wanted)
      : parseStream(stream, told, wanted));
    if (format.container !== container || !format.sampleRate) return 'damaged';
    return format.duration !== undefined && format.duration > 0 ? format.duration : undefined;
  } catch {
    return 'damaged';
  } finally {
    stream?.destroy();
  }
}

type Source = ReturnType<typeof openSource>;

/** Hands the bytes on, keeps both ends, and goes on where a reader stopped. */
function openSource(bytes: AsyncIterable<Uint8Array>) {
  const iterator = bytes[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  const tail: Uint8Array[] = [];
  let head: Uint8Array = new Uint8Array();
  let tailBytes = 0;
  let total = 0;
  let done = false;
  let fault: { readonly reason: unknown } | undefined;

  const pull = async (): Promise<Uint8Array | undefined> => {
    if (done) return undefined;
    try {
      const next = await iterator.next();
      if (next.done === true) {
        done = true;
        return undefined;
      }
      keep(next.value);
      return next.value;
    } catch (error) {
      done = true;
      fault = { reason: error };
      throw error;
    }
  };
  const keep = (piece: Uint8Array) => {
    total += piece.byteLength;
    const room = HEAD_BYTES - head.byteLength;
    if (room > 0)
      head = head.byteLength === 0 ? piece.subarray(0, room) : Buffer.concat([head, piece.subarray(0, room)]);
    tail.push(piece);
    tailBytes += piece.byteLength;
    while (tailBytes - tail[0]!.byteLength >= TAIL_BYTES) tailBytes -= tail.shift()!.byteLength;
  };
  return {
    readHead: async () => {
      while (head.byteLength < HEAD_BYTES) {
        const piece = await pull();
        if (piece === undefined) return;
        held.push(piece);
      }
    },
    /** All of it, where what was read as the head is all of it. */
    whole: (sizeBytes: number): Uint8Array | undefined =>
      total !== sizeBytes ? undefined : held.length === 1 ? held[0] : Buffer.concat(held),
    pieces: async function* (): AsyncGenerator<Uint8Array> {
      while (held.length > 0) yield held.shift()!;
      for (let piece = await pull(); piece !== undefined; piece = await pull()) yield piece;
    },
    /** Returns how many bytes there were in all. */
    readRest: async (): Promise<number> => {
      while ((await pull()) !== undefined);
      // The parser takes a fault of ours for the end of the file.
      if (fault !== undefined) throw fault.reason;
      return total;
    },
    ends: (sizeBytes: number): Ends => ({
      head,
      tail: tail.length === 1 ? tail[0]! : Buffer.concat(tail),
      sizeBytes,
    }),
    close: async (): Promise<void> => {
      if (!done) await iterator.return?.();
    },
  };
}
