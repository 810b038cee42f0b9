import { createHash } from 'node:crypto';
import { faultCode } from '../core/errors.js';
import type { FileHandle, FolderFiles, MediaFinding, Ports } from '../core/ports.js';
import type { Retrieved } from '../venice/client.js';
import { removeLeftover } from './link-into-place.js';
import { isMediaType, isNamed } from './media-names.js';

/** The longest audio of any model is ten minutes: 173 MB as 24-bit 48 kHz stereo WAV. */
const AUDIO_BYTES_MAX = 1024 * 1024 * 1024;
/** Size of one write. A minute of MP3 fits, and is then inspected in memory. */
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
  /** The transfer was interrupted. The same request may succeed when repeated. */
  | { readonly kind: 'broken'; readonly code: string }
  /**
   * The transfer is complete, but the content is not audio that can be trusted. Bytes are kept in the part file.
   */
  | {
      readonly kind: 'mismatch';
      readonly code: 'empty' | 'not_audio' | 'incomplete' | 'too_long';
      /** Present if the transfer was complete. */
      readonly received?: { readonly bytes: number; readonly sha256: string; readonly mediaType: string };
    }
  /** The local disk reported an error. */
  | { readonly kind: 'disk'; readonly code: string };

type Audio = Retrieved & { kind: 'audio' };

/**
 * Streams the audio into `partPath` (an absolute path, recreated), hashes and inspects it on the way, and makes it
 * durable under that name. Holds only one buffer in memory.
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
    if (received.bytes === 0) {
      await removeLeftover(files, partPath);
      return { kind: 'mismatch', code: 'empty' };
    }
    const { whole } = received;
    const read = () => (whole === undefined ? files.stream(partPath) : once(whole));
    return await inspect(inspectMedia, audio, read, received);
  } finally {
    spare.push(buffer);
  }
}

/**
 * Buffers not in use, at most as many as there were simultaneous downloads. Reusing them halves the memory of a run.
 */
const spare: Uint8Array[] = [];

/** An existing file is removed, not truncated: after a crash it may be a second link to a published file. */
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
  /** The whole file, if it fits in the buffer and need not be read back. */
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

/** Syncs what is worth keeping, and closes the file. Returns the error code, if any. */
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
  read: () => AsyncIterable<Uint8Array>,
  received: Received,
): Promise<Download> {
  let finding: MediaFinding;
  try {
    finding = await inspectMedia(read, received.bytes);
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
  // A record with anything else that a server may send would not be read again.
  const named = isMediaType(statedType) ? statedType : 'application/octet-stream';
  const received = { bytes, sha256, mediaType: known ? finding.mediaType : named };
  return { kind: 'mismatch', code: known ? 'incomplete' : 'not_audio', received };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
