import { dirname, join } from 'node:path';
import { faultCode } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import { createInPlace, removeQuietly } from './atomic-write.js';
import type { Attempt } from './attempt.js';
import { compareRecords } from './fold-attempts.js';
import { isRelated, type LockHeader, lineagesOf } from './lock-header.js';
import type { LockStore } from './lock-store.js';
import { parseLock, serialiseLock } from './lock-text.js';
import { decode } from './read.js';
import { type RescueKey, type RescuePlaces, signed, unsigned } from './rescue-key.js';

/*
 * If a response has arrived and its record cannot be written to the lockfile's disk, the record goes into a small
 * separate lockfile on any disk that works. The next run takes it from there. It is trusted only in a private folder
 * and if it is signed with this user's key, because a file of that name is easily planted.
 */

const RESCUE_BYTES_MAX = 1024 * 1024;
/** Names tried in one folder: some may be taken by earlier rescues. */
const NAMES_MAX = 20;

export interface Rescue {
  readonly places: RescuePlaces;
  /** Absent if there is no usable key. Then nothing can be rescued. */
  readonly key: RescueKey | undefined;
}

/**
 * Makes the attempt durable in the first folder that accepts it.
 *
 * @returns the file's path, or `undefined` if every folder failed
 */
export async function writeRescue(
  files: Files,
  { places, key }: Rescue,
  header: LockHeader,
  attempt: Attempt,
): Promise<string | undefined> {
  if (key === undefined) return undefined;
  const text = signed(key, serialiseLock(header, [attempt]));
  for (const directory of places.directories) {
    if (!(await isReady(files, directory))) continue;
    for (let number = 1; number <= NAMES_MAX; number += 1) {
      const name = `${prefix(header.lineage)}${attempt.attempt.slice(0, 8)}${number === 1 ? '' : `-${number}`}.jsonl`;
      const path = join(directory, name);
      const code = await tryWrite(files, path, new TextEncoder().encode(text));
      if (code === undefined) return path;
      if (code !== 'EEXIST') break;
    }
  }
  return undefined;
}

/** Creates the folder if needed. Returns whether it is private to this user. */
async function isReady(files: Files, directory: string): Promise<boolean> {
  try {
    await files.makeDirectory(directory, 'private');
    return (await files.facts(directory))?.isPrivate === true;
  } catch {
    return false;
  }
}

export interface Adopted {
  /** Number of new records. */
  readonly count: number;
  /** Paths of files named like a rescue that this user did not write. They are not touched. */
  readonly ignored: readonly string[];
}

/**
 * Records what earlier runs had to store elsewhere, and removes each rescue file once its records are durable in the
 * lockfile. Files of other lockfiles, damaged ones and those of other users are not touched. Throws the fault of a
 * failed record.
 *
 * @param open folders that others can write to: rescue files there are never trusted, but reported
 */
export async function adoptRescues(
  files: Files,
  { places, key }: Rescue,
  open: readonly string[],
  store: LockStore,
): Promise<Adopted> {
  let count = 0;
  const ignored = [...(await findRescues(files, open, store.header))];
  for (const directory of places.directories) {
    const paths = await findRescues(files, [directory], store.header);
    const closed = paths.length > 0 && (await files.facts(directory))?.isPrivate === true;
    for (const path of paths) {
      const attempts = closed && key ? await readRescue(files, path, key, store.header) : 'foreign';
      if (attempts === 'foreign') ignored.push(path);
      if (typeof attempts === 'string') continue;
      for (const attempt of attempts) {
        if (isKnown(store, attempt)) continue;
        await store.record(afterKnown(store, attempt));
        count += 1;
      }
      await removeQuietly(files, path);
    }
  }
  return { count, ignored };
}

function prefix(lineage: string): string {
  return `venice-batch-rescue-${lineage.slice(0, 8)}-`;
}

/** Returns the error code, if any. */
async function tryWrite(files: Files, path: string, bytes: Uint8Array): Promise<string | undefined> {
  try {
    await createInPlace(files, path, bytes);
  } catch (fault) {
    return faultCode(fault) || 'unknown';
  }
  try {
    await files.syncDirectory(dirname(path));
    return undefined;
  } catch (fault) {
    await removeQuietly(files, path);
    return faultCode(fault) || 'unknown';
  }
}

async function findRescues(
  files: Files,
  directories: readonly string[],
  header: LockHeader,
): Promise<readonly string[]> {
  const prefixes = lineagesOf(header).map(prefix);
  const paths: string[] = [];
  for (const directory of new Set(directories)) {
    const names = await files.list(directory).catch(() => []);
    const ours = names.filter(
      (name) => prefixes.some((one) => name.startsWith(one)) && name.endsWith('.jsonl'),
    );
    paths.push(...ours.map((name) => join(directory, name)));
  }
  return paths.sort();
}

/** `foreign`: not signed with the key. `other`: for another lockfile, or not readable. */
async function readRescue(
  files: Files,
  path: string,
  key: RescueKey,
  header: LockHeader,
): Promise<readonly Attempt[] | 'foreign' | 'other'> {
  const bytes = await files.read(path, RESCUE_BYTES_MAX).catch(() => undefined);
  if (bytes === undefined) return 'other';
  const text = unsigned(key, decode(bytes));
  if (text === undefined) return 'foreign';
  const parsed = parseLock(text);
  const fits =
    parsed.header !== undefined &&
    isRelated(parsed.header, header) &&
    parsed.header.endpoint === header.endpoint;
  return fits && parsed.problems.length === 0 ? [...parsed.attempts.values()] : 'other';
}

/**
 * A record that wins although it is not newer: only it names the file, or it is at a later state of the same revision.
 * What is recorded has to come after what is known.
 */
function afterKnown(store: LockStore, attempt: Attempt): Attempt {
  const known = store.attempts.get(attempt.attempt);
  if (known === undefined || known.queue_id !== attempt.queue_id || known.rev < attempt.rev) return attempt;
  return { ...attempt, rev: known.rev + 1 };
}

function isKnown(store: LockStore, attempt: Attempt): boolean {
  const known = store.attempts.get(attempt.attempt);
  if (known === undefined) return false;
  if (known.queue_id === attempt.queue_id) return compareRecords(known, attempt) >= 0;
  return attempt.queue_id === undefined;
}
