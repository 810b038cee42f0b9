import { basename, dirname, join } from 'node:path';
import { faultCode } from '../core/errors.js';
import type { FileFacts, FileHandle, Files, Random } from '../core/ports.js';
import { removeQuietly, replaceFile } from './atomic-write.js';
import type { Attempt } from './attempt.js';
import { isInPlace, type LockFolder, requireInPlace } from './lock-folder.js';
import { isRelated, type LockHeader } from './lock-header.js';
import { parseLock } from './lock-text.js';
import { makePrivateFolder, privatePath, randomHex, scratchPath } from './private-folder.js';

/*
 * A second copy of what a run records, in the private folder. Version control, a sync client or the user may replace,
 * truncate or delete the lockfile at any time; if the run is killed before it can restore it, the next run does so from
 * here. When a run ends cleanly, a copy of the whole lockfile takes its place: version control may put back an older
 * lockfile later, too.
 */
export interface Journal extends LockFolder {
  readonly random: Random;
  readonly path: string;
  /** Where a clean end leaves a copy of the lockfile. One for each lineage: branches may have unrelated lockfiles. */
  readonly copyPath: string;
  /** Journals of killed runs. They are kept until a clean end, because the lockfile may be replaced until then. */
  readonly earlier: readonly string[];
  /** The file after our last write. Absent: it has to be created. */
  seen?: FileFacts | undefined;
  /** Whether anything was written to it. */
  begun: boolean;
  handle?: FileHandle | undefined;
}

/** @param earlier paths of the journals that were read with the lockfile */
export function createJournal(
  { files, lockPath, folder }: LockFolder,
  random: Random,
  header: LockHeader,
  earlier: readonly string[],
): Journal {
  const lineage = header.lineage.slice(0, 8);
  const name = `.${lineage}.${randomHex(random).slice(0, 8)}.journal`;
  const copyPath = privatePath(lockPath, `.${lineage}${COPY}`);
  const path = privatePath(lockPath, name);
  return { files, random, lockPath, folder, path, copyPath, earlier, begun: false };
}

/**
 * Makes the lines durable in the journal. If its folder was moved, they go where it is now, through the open file.
 *
 * @param whole the text of everything known before, for a journal that has to be created
 */
export async function appendToJournal(
  journal: Journal,
  lines: Uint8Array,
  whole: () => readonly Uint8Array[],
): Promise<void> {
  const { files, random, lockPath, folder, path, seen } = journal;
  journal.seen = undefined;
  journal.begun = true;
  if (seen !== undefined) {
    const after = await append(journal, seen, lines);
    if (after !== undefined) {
      journal.seen = after;
      return;
    }
  }
  await letGoOfJournal(journal);
  await makePrivateFolder(files, random, lockPath, folder);
  const pieces = [...whole(), lines];
  const made = await replaceFile(files, path, pieces, scratchPath(random, lockPath), () =>
    requireInPlace(journal),
  );
  // Opened now: once its folder is moved, its path leads nowhere.
  journal.handle = await openAgain(journal);
  journal.seen = made;
}

/** @returns the file afterwards; `undefined` if the journal has to be created again */
async function append(journal: Journal, seen: FileFacts, lines: Uint8Array): Promise<FileFacts | undefined> {
  const { files, path } = journal;
  const isThere = isSame(await files.facts(path), seen);
  if (!isThere && (journal.handle === undefined || (await isInPlace(journal)))) return undefined;
  journal.handle ??= await openAgain(journal);
  await journal.handle?.write(lines);
  await journal.handle?.sync();
  const now = await files.facts(path);
  const bytes = seen.bytes + lines.length;
  if (now?.id === seen.id && now.bytes === bytes) return now;
  // Its time is not known: if the folder is put back, the journal is written again.
  return journal.handle !== undefined && !(await isInPlace(journal)) ? { ...seen, bytes } : undefined;
}

/** `undefined`: it was deleted in the meantime. */
async function openAgain({ files, path }: Journal): Promise<FileHandle | undefined> {
  try {
    return await files.open(path, 'append');
  } catch (fault) {
    if (faultCode(fault) === 'ENOENT') return undefined;
    throw fault;
  }
}

export async function letGoOfJournal(journal: Journal): Promise<void> {
  const { handle } = journal;
  journal.handle = undefined;
  await handle?.close().catch(() => {});
}

/**
 * After a clean end, when the lockfile holds everything: keeps a copy of it, and removes all journals. Nothing depends
 * on the copy, so a disk that does not take it changes nothing.
 */
export async function closeJournal(journal: Journal, pieces: readonly Uint8Array[]): Promise<void> {
  const { files, random, lockPath, folder, copyPath: path } = journal;
  try {
    const found = await files.read(path, bytesOf(pieces)).catch(() => new Uint8Array(0));
    if (Buffer.compare(found, Buffer.concat(pieces)) !== 0) {
      await makePrivateFolder(files, random, lockPath, folder);
      await replaceFile(files, path, pieces, scratchPath(random, lockPath));
    }
  } catch (fault) {
    if (faultCode(fault) === '') throw fault;
  }
  await removeJournals(journal);
}

/** Also removes the journals of earlier runs. */
export async function removeJournals(journal: Journal): Promise<void> {
  await letGoOfJournal(journal);
  journal.seen = undefined;
  journal.begun = false;
  for (const path of [journal.path, ...journal.earlier]) await removeQuietly(journal.files, path);
}

/** Whether the file is unmodified. A different time is enough to assume that it is not. */
export function isSame(now: FileFacts | undefined, seen: FileFacts): boolean {
  return now?.id === seen.id && now.bytes === seen.bytes && now.modifiedMs === seen.modifiedMs;
}

/** What a journal, or the copy of the lockfile that the last clean end left, says. */
export interface JournalText {
  readonly path: string;
  /** Absent if it is damaged. */
  readonly header: LockHeader | undefined;
  readonly records: readonly Attempt[];
  /** No line is damaged or missing. A torn last line was never acknowledged. */
  readonly whole: boolean;
  /** Left by a clean end. */
  readonly copy: boolean;
}

export type Journals =
  | { readonly ok: true; readonly all: readonly JournalText[] }
  | { readonly ok: false; readonly path: string; readonly fault: unknown };

/**
 * Reads the journals of a lockfile. One that cannot be read at all is named: it may hold the only record of a paid job.
 *
 * @param lockPath absolute, links resolved
 * @param same bytes of the lockfile: a copy that equals them says nothing new, and is left out
 */
export async function readJournals(
  files: Files,
  lockPath: string,
  bytesMax: number,
  same?: Uint8Array,
): Promise<Journals> {
  const all: JournalText[] = [];
  for (const path of await journalsOf(files, lockPath)) {
    const copy = path.endsWith(COPY);
    let bytes: Uint8Array;
    try {
      bytes = await files.read(path, bytesMax);
    } catch (fault) {
      // While there is a lockfile, nothing depends on the copy.
      if (copy && same !== undefined) continue;
      return { ok: false, path, fault };
    }
    if (copy && same !== undefined && Buffer.compare(bytes, same) === 0) continue;
    const { header, attempts, problems } = parseLock(new TextDecoder().decode(bytes));
    const records = [...attempts.values()];
    all.push({ path, header, records, whole: problems.length === 0, copy });
  }
  return { ok: true, all };
}

/** Whether the journal is of this lockfile. */
export function belongsTo(header: LockHeader, journal: Pick<JournalText, 'header'>): boolean {
  if (journal.header === undefined) return false;
  return isRelated(journal.header, header) && journal.header.endpoint === header.endpoint;
}

async function journalsOf(files: Files, lockPath: string): Promise<readonly string[]> {
  const folder = dirname(privatePath(lockPath, ''));
  const name = basename(lockPath);
  try {
    return (await files.list(folder))
      .filter((one) => one.startsWith(name) && JOURNAL_OR_COPY.test(one.slice(name.length)))
      .map((one) => join(folder, one));
  } catch (fault) {
    if (faultCode(fault) === 'ENOENT' || faultCode(fault) === 'ENOTDIR') return [];
    throw fault;
  }
}

const JOURNAL_OR_COPY = /^\.[0-9a-f]{8}(?:\.[0-9a-f]{8}\.journal|\.copy)$/;
const COPY = '.copy';

export function bytesOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
