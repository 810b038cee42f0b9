import { dirname, join } from 'node:path';
import { faultCode } from '../errors.js';
import type { Files } from '../ports.js';
import type { Attempt } from './attempt.js';
import { parseLock, serialiseLock } from './format.js';
import { createInPlace, removeQuietly } from './publish.js';
import { decode } from './read.js';
import type { LockHeader, LockStore } from './store.js';

/*
 * When an answer has arrived and the lockfile's disk does not take its record, the record goes into a small
 * lockfile of its own on any disk that does. The next run brings it home.
 */

const RESCUE_BYTES_MAX = 1024 * 1024;
/** Files tried in one folder before it is given up: names may be taken by earlier rescues. */
const NAMES_MAX = 20;

/**
 * Makes the attempt durable in the first of the folders that takes it.
 *
 * @param directories absolute, the best first; they must exist
 * @returns the file's path, or `undefined` where no folder took it
 */
export async function writeRescue(
  files: Files,
  directories: readonly string[],
  header: LockHeader,
  attempt: Attempt,
): Promise<string | undefined> {
  const bytes = new TextEncoder().encode(serialiseLock(header, [attempt]));
  for (const directory of directories) {
    for (let number = 1; number <= NAMES_MAX; number += 1) {
      const name = `${prefix(header)}${attempt.attempt.slice(0, 8)}${number === 1 ? '' : `-${number}`}.jsonl`;
      const path = join(directory, name);
      const code = await tryWrite(files, path, bytes);
      if (code === undefined) return path;
      if (code !== 'EEXIST') break;
    }
  }
  return undefined;
}

/**
 * Records what earlier runs had to put elsewhere, and removes each rescue file once its records are durable in
 * the lockfile. Files of other lockfiles and damaged ones are left alone. Throws the fault of a failing record.
 *
 * @returns how many records were news
 */
export async function adoptRescues(
  files: Files,
  directories: readonly string[],
  store: LockStore,
): Promise<number> {
  let adopted = 0;
  for (const path of await findRescues(files, directories, store.header)) {
    const attempts = await readRescue(files, path, store.header);
    if (attempts === undefined) continue;
    for (const attempt of attempts) {
      if (isKnown(store, attempt)) continue;
      await store.record(attempt);
      adopted += 1;
    }
    await removeQuietly(files, path);
  }
  return adopted;
}

function prefix(header: LockHeader): string {
  return `venice-batch-rescue-${header.lineage.slice(0, 8)}-`;
}

/** The code of what failed. */
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
  const paths: string[] = [];
  for (const directory of new Set(directories)) {
    const names = await files.list(directory).catch(() => []);
    const ours = names.filter((name) => name.startsWith(prefix(header)) && name.endsWith('.jsonl'));
    paths.push(...ours.map((name) => join(directory, name)));
  }
  return paths.sort();
}

/** `undefined`: not for this lockfile, or not readable. */
async function readRescue(
  files: Files,
  path: string,
  header: LockHeader,
): Promise<readonly Attempt[] | undefined> {
  const bytes = await files.read(path, RESCUE_BYTES_MAX).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const parsed = parseLock(decode(bytes));
  const fits = parsed.header?.lineage === header.lineage && parsed.header.endpoint === header.endpoint;
  return fits && parsed.problems.length === 0 ? [...parsed.attempts.values()] : undefined;
}

function isKnown(store: LockStore, attempt: Attempt): boolean {
  const known = store.attempts.get(attempt.attempt);
  if (known === undefined) return false;
  if (known.queue_id === attempt.queue_id) return known.rev >= attempt.rev;
  return attempt.queue_id === undefined;
}
