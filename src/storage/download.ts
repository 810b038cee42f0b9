import { createHash } from 'node:crypto';
import { faultCode } from '../core/errors.js';
import type { FileHandle, FolderFiles, MediaFinding, Ports } from '../core/ports.js';
import type { Retrieved } from '../venice/client.js';
import { isNamed } from './media-names.js';

/** The longest audio any model makes is ten minutes; as 24-bit 48 kHz stereo WAV that is 173 MB. */
const AUDIO_BYTES_MAX = 1024 * 1024 * 1024;
/** Written at once. A minute of MP3 fits, and need not be read back to be looked at. */
const WRITE_BYTES = 1024 * 1024;

export type Download =
  | {
      readonly kind: 'complete';
      readonly bytes: number;
      readonly sha256: string;
      readonly mediaType: string;
      readonly durationSeconds?: number;
      readonly warning?: string;
    }
  /** The transfer broke off: the same request again may succeed. */
  | { readonly kind: 'broken'; readonly code: string }
  /** All of it came, and it is not audio that can be trusted. The bytes are kept in the part file. */
  | {
      readonly kind: 'mismatch';
      readonly code: 'empty' | 'not_audio' | 'incomplete' | 'too_long';
      /** If all of it arrived. */
      readonly received?: { readonly bytes: number; readonly sha256: string; readonly mediaType: string };
    }
  /** This machine's disk refused. */
  | { readonly kind: 'disk'; readonly code: string };

type Audio = Retrieved & { kind: 'audio' };

/**
 * Streams the audio into `partPath` (an absolute path, started anew), hashes it on the way, checks it, and
 * makes it durable under that name. Never holds more than a piece of it in memory.
 */
export async function downloadAudio(
  files: FolderFiles,
  inspectMedia: Ports['inspectMedia'],
  audio: Audio,
  partPath: string,
  stop: AbortSignal,
): Promise<Download> {
  let handle: FileHandle;
  try {
    handle = await openPart(files, partPath);
  } catch (error) {
    audio.answer.discard();
    return { kind: 'disk', code: faultCode(error) };
  }
  const buffer = spare.pop() ?? new Uint8Array(WRITE_BYTES);
  try {
    const received = await receive(audio, handle, buffer, stop);
    const closed = await finish(handle, received.kind === 'received');
    if (received.kind !== 'received') return received;
    if (closed !== undefined) return { kind: 'disk', code: closed };
    if (audio.contentLength !== undefined && received.bytes !== audio.contentLength)
      return { kind: 'broken', code: 'content_length' };
    if (received.bytes === 0) return { kind: 'mismatch', code: 'empty' };
    const bytes = received.whole === undefined ? files.stream(partPath) : once(received.whole);
    return await inspect(inspectMedia, audio, bytes, received);
  } finally {
    spare.push(buffer);
  }
}

/**
 * Buffers that no download uses now, at most as many as there were downloads at once. What is collected in the
 * same memory again and again need not be cleaned up after: it halves the memory of a run, and its garbage.
 */
const spare: Uint8Array[] = [];

/** What stands there is removed, not truncated: after a crash it can be a second name of a file that is already published. */
async function openPart(files: FolderFiles, partPath: string): Promise<FileHandle> {
  try {
    return await files.open(partPath, 'exclusive');
  } catch (error) {
    if (faultCode(error) !== 'EEXIST') throw error;
    await files.remove(partPath);
    return files.open(partPath, 'exclusive');
  }
}

interface Received {
  readonly kind: 'received';
  readonly bytes: number;
  readonly sha256: string;
  /** All of it, in the buffer, where it fits: it need not be read back to be looked at. */
  readonly whole?: Uint8Array;
}

async function receive(
  audio: Audio,
  handle: FileHandle,
  buffer: Uint8Array,
  stop: AbortSignal,
): Promise<Received | Download> {
  const hash = createHash('sha256');
  let bytes = 0;
  let writtenBytes = 0;
  const flush = async () => {
    const piece = buffer.subarray(0, bytes - writtenBytes);
    if (piece.byteLength === 0) return;
    await handle.write(piece).catch((error) => {
      throw new DiskFault(faultCode(error));
    });
    writtenBytes = bytes;
  };
  try {
    for await (const chunk of audio.answer.body) {
      if (stop.aborted) {
        audio.answer.discard();
        return { kind: 'broken', code: 'stopped' };
      }
      if (bytes + chunk.byteLength > AUDIO_BYTES_MAX) {
        audio.answer.discard();
        return { kind: 'mismatch', code: 'too_long' };
      }
      hash.update(chunk);
      for (let at = 0; at < chunk.byteLength; ) {
        if (bytes - writtenBytes === buffer.byteLength) await flush();
        const part = chunk.subarray(at, at + buffer.byteLength - (bytes - writtenBytes));
        buffer.set(part, bytes - writtenBytes);
        bytes += part.byteLength;
        at += part.byteLength;
      }
    }
    const whole = writtenBytes === 0 ? buffer.subarray(0, bytes) : undefined;
    await flush();
    return { kind: 'received', bytes, sha256: hash.digest('hex'), ...(whole && { whole }) };
  } catch (error) {
    audio.answer.discard();
    if (error instanceof DiskFault) return { kind: 'disk', code: error.code };
    return { kind: 'broken', code: faultCode(error) || 'transfer' };
  }
}

class DiskFault extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** Syncs what is worth keeping and closes. Returns the fault's code, if any. */
async function finish(handle: FileHandle, sync: boolean): Promise<string | undefined> {
  let fault: string | undefined;
  try {
    if (sync) await handle.sync();
  } catch (error) {
    fault = faultCode(error) || 'error';
  }
  try {
    await handle.close();
  } catch (error) {
    fault ??= faultCode(error) || 'error';
  }
  return fault;
}

async function inspect(
  inspectMedia: Ports['inspectMedia'],
  audio: Audio,
  bytes: AsyncIterable<Uint8Array>,
  received: Received,
): Promise<Download> {
  let finding: MediaFinding;
  try {
    finding = await inspectMedia(bytes, received.bytes);
  } catch (error) {
    return { kind: 'disk', code: faultCode(error) };
  }
  if (finding.kind !== 'whole') return refusal(finding, audio.mediaType, received);
  const { mediaType, durationSeconds } = finding;
  const warning = isNamed(mediaType, audio.mediaType)
    ? finding.warning
    : `the server says ${audio.mediaType}, but its bytes are ${mediaType}`;
  return {
    kind: 'complete',
    bytes: received.bytes,
    sha256: received.sha256,
    mediaType,
    ...(durationSeconds === undefined ? {} : { durationSeconds }),
    ...(warning === undefined ? {} : { warning }),
  };
}

function refusal(
  finding: Exclude<MediaFinding, { kind: 'whole' }>,
  statedType: string,
  { bytes, sha256 }: Received,
): Download {
  const known = finding.kind === 'incomplete';
  const received = { bytes, sha256, mediaType: known ? finding.mediaType : statedType };
  return { kind: 'mismatch', code: known ? 'incomplete' : 'not_audio', received };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
