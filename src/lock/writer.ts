import { dirname } from 'node:path';
import { BatchError, EXIT, unreachable } from '../errors.js';
import type { FileHandle, Files } from '../ports.js';
import type { Attempt } from './attempt.js';
import { attemptFault } from './check.js';
import { createFold, type Fold } from './fold.js';
import { serialiseLock } from './format.js';
import { attemptLine, headerLine } from './line.js';
import { lockError } from './problem.js';
import { createFile, replaceFile } from './publish.js';
import { LOCK_BYTES_MAX, readLock } from './read.js';
import type { LockHeader, LockStore } from './store.js';

/** What is known of the file on disk. */
export type FileEnd =
  | { readonly kind: 'absent' }
  /** All that was recorded is in it and durable, and it ends with a whole line at `bytes`. */
  | { readonly kind: 'sound'; readonly bytes: number }
  /** Nothing may be appended: a write was torn or failed. Our own writes explain a size from `bytesMin` to `bytesMax`. */
  | { readonly kind: 'unsound'; readonly bytesMin: number; readonly bytesMax: number };

export interface WriterStart {
  readonly files: Files;
  /** Absolute, links resolved. */
  readonly path: string;
  readonly header: LockHeader;
  readonly fold: Fold;
  readonly end: FileEnd;
}

interface Waiter {
  readonly attempt: Attempt;
  readonly done: () => void;
  readonly failed: (fault: unknown) => void;
}

/**
 * A `LockStore` over a file in a known state. Records are appended, many with one sync. After any fault the
 * file is not appended to again (a torn line must never get into its middle, and what a failed sync left
 * behind is not known) but replaced by a new one, from memory.
 */
export function createWriter({ files, path, header, fold, end: start }: WriterStart): LockStore {
  const scratch = `${path}.tmp`;
  let end = start;
  let handle: FileHandle | undefined;
  const waiting: Waiter[] = [];
  let writing: Promise<void> | undefined;
  let closed = false;

  function record(attempt: Attempt): Promise<void> {
    const fault = closed ? 'comes after the end' : (attemptFault(attempt) ?? orderFault(fold, attempt));
    if (fault !== undefined) return Promise.reject(new Error(`bug: lock record ${fault}`));
    return new Promise((done, failed) => {
      waiting.push({ attempt, done, failed });
      writing ??= writeAll();
    });
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH_MAX);
      try {
        await write(batch.map(({ attempt }) => attempt));
        for (const { attempt } of batch) fold.add(attempt);
        for (const { done } of batch) done();
      } catch (fault) {
        for (const { failed } of batch) failed(fault);
      }
    }
    writing = undefined;
  }

  async function write(batch: readonly Attempt[]): Promise<void> {
    const bytes = encode(batch.map((attempt) => `${attemptLine(attempt)}\n`).join(''));
    switch (end.kind) {
      case 'absent':
        return create(bytes);
      case 'sound':
        if ((await isOurs()) && end.bytes + bytes.length <= LOCK_BYTES_MAX) return append(bytes, end.bytes);
        return rewrite(batch);
      case 'unsound':
        return rewrite(batch);
      default:
        return unreachable(end);
    }
  }

  async function create(lines: Uint8Array): Promise<void> {
    const bytes = Buffer.concat([encode(`${headerLine(header)}\n`), lines]);
    try {
      await files.makeDirectory(dirname(path));
      await createFile(files, path, bytes, scratch);
    } catch (fault) {
      // The file may be there all the same, and is ours then, but may not outlive a crash.
      const read = await readLock(files, path);
      if (read.ok && read.header?.lineage === header.lineage) {
        end = { kind: 'unsound', bytesMin: bytes.length, bytesMax: bytes.length };
      }
      throw fault;
    }
    end = { kind: 'sound', bytes: bytes.length };
  }

  async function append(bytes: Uint8Array, at: number): Promise<void> {
    end = { kind: 'unsound', bytesMin: at, bytesMax: at + bytes.length };
    try {
      handle ??= await files.open(path, 'append');
      await handle.write(bytes);
      await handle.sync();
    } catch (fault) {
      await letGo();
      throw fault;
    }
    end = { kind: 'sound', bytes: at + bytes.length };
  }

  /** Replaces the file by what is known, and `batch`. */
  async function rewrite(batch: readonly Attempt[]): Promise<void> {
    await letGo();
    if (!(await isOurs())) await takeIn();
    const all = batch.length === 0 ? fold : createFold([...fold.attempts.values(), ...batch]);
    const bytes = encode(serialiseLock(header, all.attempts.values()));
    if (bytes.length > LOCK_BYTES_MAX) {
      throw new BatchError('lockfile-too-large', `${path}: the lockfile would pass ${LOCK_BYTES_MAX} bytes`, {
        exitCode: EXIT.unavailable,
      });
    }
    end = widened(end, bytes.length);
    await replaceFile(files, path, bytes, scratch);
    end = { kind: 'sound', bytes: bytes.length };
  }

  /** Whether the file is as we left it. Version control may replace it while we run. */
  async function isOurs(): Promise<boolean> {
    const bytes = (await files.facts(path))?.bytes;
    const [bytesMin, bytesMax] = sizes(end);
    return bytes !== undefined && bytes >= bytesMin && bytes <= bytesMax;
  }

  /** Folds in what somebody else put in the file's place, so that no paid job in it is lost. */
  async function takeIn(): Promise<void> {
    const read = await readLock(files, path);
    if (!read.ok) throw lockError(read.problems[0], path);
    if (read.header !== undefined && read.header.lineage !== header.lineage) {
      throw new BatchError(
        'lockfile-replaced',
        `${path}: another lockfile has taken its place during the run`,
        {
          exitCode: EXIT.lockfile,
          hint: 'Move that one away and run again',
        },
      );
    }
    for (const attempt of read.attempts.values()) fold.add(attempt);
  }

  /** Closes the file. What it held is synced already, or known to be in doubt. */
  async function letGo(): Promise<void> {
    const open = handle;
    handle = undefined;
    try {
      await open?.close();
    } catch {
      // Nothing depends on it.
    }
  }

  async function settle(): Promise<void> {
    closed = true;
    await writing;
    await letGo();
  }

  return {
    header,
    attempts: fold.attempts,
    record,
    async close() {
      await settle();
      if (end.kind === 'absent') return;
      if (end.kind === 'sound' && (await isOurs()) && (await isCanonical(files, path, header, fold))) return;
      await rewrite([]);
    },
    abandon: settle,
  };
}

const BATCH_MAX = 1000;

/** The smallest and the largest size that our own writes explain. */
function sizes(end: FileEnd): readonly [number, number] {
  if (end.kind === 'unsound') return [end.bytesMin, end.bytesMax];
  return end.kind === 'sound' ? [end.bytes, end.bytes] : [0, 0];
}

/** The end of a file that is being replaced by one of `bytes` bytes: either may be there if that fails. */
function widened(end: FileEnd, bytes: number): FileEnd {
  const [bytesMin, bytesMax] = sizes(end);
  return { kind: 'unsound', bytesMin: Math.min(bytesMin, bytes), bytesMax: Math.max(bytesMax, bytes) };
}

async function isCanonical(files: Files, path: string, header: LockHeader, fold: Fold): Promise<boolean> {
  const bytes = await files.read(path, LOCK_BYTES_MAX);
  return Buffer.compare(bytes, encode(serialiseLock(header, fold.attempts.values()))) === 0;
}

/** A record that the fold would not show is a mistake of the caller: what it says would be lost. */
function orderFault(fold: Fold, attempt: Attempt): string | undefined {
  const known = fold.attempts.get(attempt.attempt);
  if (known === undefined) return undefined;
  if (known.queue_id === attempt.queue_id) {
    return known.rev < attempt.rev ? undefined : `has rev ${attempt.rev}, known is ${known.rev}`;
  }
  return attempt.queue_id === undefined ? 'lacks the queue_id that is known' : undefined;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
