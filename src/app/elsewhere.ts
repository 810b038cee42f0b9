import path from 'node:path';
import type { Diagnostic } from '../core/diagnostic.js';
import type { Files } from '../core/ports.js';
import { shellWord } from '../core/shell.js';
import type { Attempt } from '../lockfile/attempt.js';
import { isLive } from '../lockfile/bought-twice.js';
import { LOCK_BYTES_MAX, readLock } from '../lockfile/read.js';
import type { Take } from '../manifest/take.js';

/** Absolute paths where other lockfiles of the same manifest may be. */
export interface Neighbourhood {
  readonly lockfilePath: string;
  readonly endpoint: string;
  /** The folders of the manifest, the lockfile and the output. */
  readonly folders: readonly string[];
}

const NAMES_MAX = 500;
const OTHER_KINDS = /\.(?:wav|mp3|flac|ogg|opus|m4a|mp4|aac|aiff?|webm|part|unverified|ya?ml|md|txt)$/i;
const LOCKFILE_BEGINS = '{"format":"venice-batch-lock"';

/**
 * Checks whether another lockfile next to this one already has the takes about to be bought: the same track, take and
 * request. With two lockfiles, one manifest would be bought twice.
 */
export async function boughtElsewhere(
  files: Files,
  around: Neighbourhood,
  takes: readonly Take[],
): Promise<Diagnostic | undefined> {
  const wanted = new Map(takes.map((take) => [keyOf(take), take.key]));
  for (const place of await otherLockfiles(files, around)) {
    const read = await readLock(files, place);
    if (!read.ok || read.header?.endpoint !== around.endpoint) continue;
    const found = new Set<string>();
    for (const attempt of read.attempts.values()) {
      const key = wanted.get(keyOf(attempt));
      if (key !== undefined && isLive(attempt)) found.add(key);
    }
    if (found.size > 0) return diagnosticOf(place, [...found], takes.length);
  }
  return undefined;
}

function keyOf({ track, take, digest }: Pick<Attempt, 'track' | 'take' | 'digest'>): string {
  return `${track} ${take} ${digest}`;
}

const NAMED_MAX = 5;

function diagnosticOf(place: string, keys: readonly string[], of: number): Diagnostic {
  const named = keys.slice(0, NAMED_MAX).join(', ');
  const more = keys.length > NAMED_MAX ? `, and ${keys.length - NAMED_MAX} more` : '';
  return {
    code: 'bought-elsewhere',
    severity: 'error',
    message: `${keys.length} of ${of} takes to buy were already bought under another lockfile, ${place}: ${named}${more}`,
    hint: `use that lockfile with this manifest: --lockfile ${shellWord(place)}; to buy them again on purpose, name them with --force`,
  };
}

async function otherLockfiles(
  files: Files,
  { lockfilePath, folders }: Neighbourhood,
): Promise<readonly string[]> {
  const own = (await files.facts(lockfilePath))?.id;
  const found = new Map<string, string>();
  for (const folder of new Set(folders)) {
    const names = await files.list(folder).catch(() => []);
    for (const name of names.filter((one) => !OTHER_KINDS.test(one)).slice(0, NAMES_MAX)) {
      const place = path.join(folder, name);
      const facts = await files.facts(place).catch(() => undefined);
      if (facts?.kind !== 'file' || facts.bytes > LOCK_BYTES_MAX || facts.id === own) continue;
      if (await isLockfile(files, place)) found.set(facts.id, place);
    }
  }
  return [...found.values()];
}

async function isLockfile(files: Files, place: string): Promise<boolean> {
  try {
    for await (const piece of files.stream(place))
      return Buffer.from(piece.subarray(0, LOCKFILE_BEGINS.length)).toString() === LOCKFILE_BEGINS;
  } catch {
    // A file that cannot be read proves nothing.
  }
  return false;
}
