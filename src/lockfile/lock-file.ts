import { BatchError, EXIT, faultCode } from '../core/errors.js';
import type { FileFacts, FileHandle, Files, Random } from '../core/ports.js';
import { shellWord } from '../core/shell.js';
import { createFile, replaceFile } from './atomic-write.js';
import type { Attempt } from './attempt.js';
import { createFold, type Fold } from './fold-attempts.js';
import {
  appendToJournal,
  bytesOf,
  closeJournal,
  isSame,
  type Journal,
  letGoOfJournal,
  removeJournals,
} from './journal.js';
import { ledAway, movedAway } from './led-away.js';
import { attemptLine } from './line.js';
import { lockError, type NextCommand } from './lock-error.js';
import { type FolderIdentity, requireInPlace } from './lock-folder.js';
import { isRelated, joinHeaders, type LockHeader } from './lock-header.js';
import { canonicalLines } from './lock-text.js';
import { makePrivateFolder, scratchPath } from './private-folder.js';
import { LOCK_BYTES_MAX, readLockAlone } from './read.js';

/**
 * A lockfile open for writing: its state on disk and the records known. Functions run one at a time. After any fault
 * the file is never appended to again, because a torn line must not end up in the middle and the effect of a failed
 * sync is unknown: it is replaced from memory.
 */
export interface LockFile {
  readonly files: Files;
  readonly random: Random;
  /** Absolute, links resolved. */
  readonly path: string;
  /** Absolute, as the user named it. */
  readonly named: string;
  /** Its folder when it was opened: see `LockFolder`. */
  readonly folder: FolderIdentity | undefined;
  readonly command: NextCommand;
  /** Gains lineages if a merged lockfile replaces the file during the run. */
  header: LockHeader;
  /** All durable records. */
  readonly fold: Fold;
  /** A second copy of everything, in case the lockfile is replaced, truncated or deleted. */
  readonly journal: Journal;
  end: FileEnd;
  /** The file after our last write; absent before the first. */
  seen?: FileFacts | undefined;
  /** Set while the file at the path cannot be this run's. Nothing is written to it then. */
  displaced?: BatchError | undefined;
  /** It was displaced, and records are only in the journal: if it is back, it is written again. */
  behind?: boolean;
  /** The file was replaced by one with attempts that were not known. */
  grown: boolean;
  handle?: FileHandle | undefined;
}

const PIECE_LENGTH = 64 * 1024;

/** What is known about the end of the file on disk. */
export type FileEnd =
  | { readonly kind: 'absent' }
  /** Everything recorded is in it and durable, and it ends with a complete line at `bytes`. */
  | { readonly kind: 'sound'; readonly bytes: number }
  /**
   * A write was torn or failed, so nothing may be appended. Our own writes explain a size from `bytesMin` to
   * `bytesMax`.
   */
  | { readonly kind: 'unsound'; readonly bytesMin: number; readonly bytesMax: number };

/**
 * Makes the records durable, all or none: in the journal, and in the lockfile unless it was replaced by another. Throws
 * the fault; the file can then still be parsed, and written again. Without records, only checks that the path still
 * names the file that holds everything.
 */
export async function writeRecords(file: LockFile, records: readonly Attempt[]): Promise<void> {
  const lines = encode(records.map((attempt) => `${attemptLine(attempt)}\n`).join(''));
  const written = await Promise.allSettled([
    records.length === 0 ? undefined : appendToJournal(file.journal, lines, () => canonical(file, file.fold)),
    writeUnlessDisplaced(file, records, lines),
  ]);
  for (const one of written) {
    if (one.status === 'fulfilled') continue;
    // A record that was not acknowledged must not come back from the journal.
    file.journal.seen = undefined;
    throw one.reason;
  }
  for (const record of records) file.fold.add(record);
}

async function writeUnlessDisplaced(
  file: LockFile,
  records: readonly Attempt[],
  lines: Uint8Array,
): Promise<void> {
  try {
    const moved = await movedAway(file);
    if (moved !== undefined) throw moved;
    // Before the lines, so that the check of the file itself stays the last before a submit.
    const elsewhere = await ledAway(file);
    await writeLines(file, records, lines);
    file.displaced = elsewhere;
  } catch (error) {
    const fault = (await movedAway(file)) ?? error;
    if (!(fault instanceof BatchError) || fault.exitCode !== EXIT.lockfile) throw fault;
    file.displaced = fault;
    if (records.length > 0) file.behind = true;
  }
}

async function writeLines(file: LockFile, records: readonly Attempt[], lines: Uint8Array): Promise<void> {
  const { end } = file;
  if (end.kind === 'absent') {
    if (records.length > 0 || file.behind === true) await create(file, lines);
    return;
  }
  const fits = end.kind === 'sound' && file.behind !== true && end.bytes + lines.length <= LOCK_BYTES_MAX;
  if (!fits || !(await isOurs(file))) return rewrite(file, records);
  if (records.length > 0) await append(file, records, lines, end.bytes);
}

/** Rewrites the file in canonical form: one line for each attempt, sorted. Does nothing if it already is. */
export async function makeCanonical(file: LockFile): Promise<void> {
  if (file.end.kind === 'absent') return writeLines(file, [], new Uint8Array(0));
  if (!(await isCanonical(file))) await rewrite(file, []);
  await closeJournal(file.journal, canonical(file, file.fold));
}

async function isCanonical(file: LockFile): Promise<boolean> {
  if (file.end.kind !== 'sound' || !(await isOurs(file))) return false;
  const pieces = canonical(file, file.fold);
  if (bytesOf(pieces) !== file.end.bytes) return false;
  const found = await file.files.read(file.path, LOCK_BYTES_MAX);
  return Buffer.compare(found, Buffer.concat(pieces)) === 0;
}

/** Leaves the journal to the next run, without unacknowledged records. */
export async function leaveJournal(file: LockFile): Promise<void> {
  const { journal, fold } = file;
  // The only record was refused: there is nothing to keep.
  if (fold.attempts.size === 0) return removeJournals(journal);
  await letGoOfJournal(journal);
  if (!journal.begun || journal.seen !== undefined) return;
  // If that fails too, the next run takes the unacknowledged record as in doubt.
  await appendToJournal(journal, new Uint8Array(0), () => canonical(file, fold)).catch(() => {});
}

/** Closes the file. Its content is already synced, or known to be unsound. */
export async function closeFile(file: LockFile): Promise<void> {
  const { handle } = file;
  file.handle = undefined;
  try {
    await handle?.close();
  } catch {
    // Nothing depends on this.
  }
}

async function create(file: LockFile, lines: Uint8Array): Promise<void> {
  const { files, random, path, header } = file;
  // Start with an end mark: a file without any was cut off.
  const known = file.behind === true ? file.fold : createFold();
  const bytes = Buffer.concat([...canonical(file, known), lines]);
  try {
    await makePrivateFolder(files, random, path, file.folder);
    await createFile(files, path, bytes, scratch(file));
  } catch (fault) {
    // The file may exist despite the error. It is ours then, but may not survive a crash.
    const read = await readLockAlone(files, path);
    if (read.ok && read.header !== undefined && isRelated(read.header, header)) {
      file.end = { kind: 'unsound', bytesMin: bytes.length, bytesMax: bytes.length };
    }
    throw fault;
  }
  file.end = { kind: 'sound', bytes: bytes.length };
  file.behind = false;
  file.seen = await files.facts(path);
}

/** Appends to the file at the path. If that is a different file by now, everything is written again. */
async function append(
  file: LockFile,
  records: readonly Attempt[],
  bytes: Uint8Array,
  at: number,
): Promise<void> {
  const { seen } = file;
  file.end = { kind: 'unsound', bytesMin: at, bytesMax: at + bytes.length };
  try {
    file.handle ??= await file.files.open(file.path, 'append');
    await file.handle.write(bytes);
    await file.handle.sync();
  } catch (fault) {
    await closeFile(file);
    // It was deleted in the meantime.
    if (faultCode(fault) === 'ENOENT') return rewrite(file, records);
    throw fault;
  }
  const now = await file.files.facts(file.path);
  if (now?.id !== seen?.id || now?.bytes !== at + bytes.length) return rewrite(file, records);
  file.end = { kind: 'sound', bytes: at + bytes.length };
  file.seen = now;
}

/** Replaces the file with everything known plus `records`. */
export async function rewrite(file: LockFile, records: readonly Attempt[]): Promise<void> {
  if (!(await isOurs(file))) await mergeReplacement(file);
  const all = records.length === 0 ? file.fold : createFold([...file.fold.attempts.values(), ...records]);
  await replace(file, canonical(file, all));
}

async function replace(file: LockFile, pieces: readonly Uint8Array[]): Promise<void> {
  await closeFile(file);
  const bytes = bytesOf(pieces);
  if (bytes > LOCK_BYTES_MAX) {
    throw new BatchError(
      'lockfile-too-large',
      `${shellWord(file.path)} would exceed ${LOCK_BYTES_MAX} bytes`,
      {
        exitCode: EXIT.unavailable,
        hint: `start a new manifest for new tracks; to collect what is in flight: ${file.command('collect')}`,
      },
    );
  }
  // If replacing fails, either file may be there.
  const [bytesMin, bytesMax] = sizes(file.end);
  file.end = { kind: 'unsound', bytesMin: Math.min(bytesMin, bytes), bytesMax: Math.max(bytesMax, bytes) };
  const { files, random, path, folder } = file;
  await makePrivateFolder(files, random, path, folder);
  const inPlace = () => requireInPlace({ files, lockPath: path, folder });
  file.seen = await replaceFile(files, path, pieces, scratch(file), inPlace);
  file.end = { kind: 'sound', bytes };
  file.behind = false;
}

/** In pieces: as one string, ten thousand attempts take more memory than the objects do. */
export function canonical({ header }: LockFile, { attempts }: Fold): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let text = '';
  for (const line of canonicalLines(header, attempts.values())) {
    text += line;
    if (text.length < PIECE_LENGTH) continue;
    pieces.push(encode(text));
    text = '';
  }
  return [...pieces, encode(text)];
}

/** Whether the path still names the file as we left it. Other programs may replace or change it during the run. */
async function isOurs({ files, path, seen, end }: LockFile): Promise<boolean> {
  const now = await files.facts(path);
  if (end.kind === 'sound') return seen !== undefined && isSame(now, seen) && now?.bytes === end.bytes;
  const [bytesMin, bytesMax] = sizes(end);
  return now !== undefined && now.id === seen?.id && now.bytes >= bytesMin && now.bytes <= bytesMax;
}

/** Merges a file that replaced ours, so that no paid job in it is lost. */
async function mergeReplacement(file: LockFile): Promise<void> {
  const { files, path, command, header, fold } = file;
  // Nothing is lost by writing an empty file again.
  if ((await files.facts(path))?.bytes === 0) return;
  const read = await readLockAlone(files, path);
  if (!read.ok) {
    const [problem] = read.problems;
    throw lockError(
      problem.kind === 'not_a_lockfile' ? { ...problem, journal: file.journal.path } : problem,
      path,
      command,
    );
  }
  if (read.header !== undefined && !isRelated(read.header, header)) {
    throw new BatchError(
      'lockfile-replaced',
      `${shellWord(path)} was replaced by another lockfile during the run`,
      {
        exitCode: EXIT.lockfile,
        hint: `the records of this run are kept in ${shellWord(file.journal.path)}; move the other lockfile away, then: ${command('run')}`,
      },
    );
  }
  if (read.header !== undefined) file.header = joinHeaders(header, read.header);
  for (const attempt of read.attempts.values()) {
    if (!fold.attempts.has(attempt.attempt)) file.grown = true;
    fold.add(attempt);
  }
}

/** The smallest and the largest size that our own writes explain. */
function sizes(end: FileEnd): readonly [number, number] {
  if (end.kind === 'unsound') return [end.bytesMin, end.bytesMax];
  return end.kind === 'sound' ? [end.bytes, end.bytes] : [0, 0];
}

function scratch({ random, path }: LockFile): string {
  return scratchPath(random, path);
}

export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
