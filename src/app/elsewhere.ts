import path from 'node:path';
import type { Diagnostic } from '../core/diagnostic.js';
import { EXIT, type ExitCode, isSystemFault } from '../core/errors.js';
import type { Files, Ports } from '../core/ports.js';
import { shellWord } from '../core/shell.js';
import type { Attempt } from '../lockfile/attempt.js';
import { isLive } from '../lockfile/bought-twice.js';
import { parseLock } from '../lockfile/lock-text.js';
import { decode, LOCK_BYTES_MAX, readLock } from '../lockfile/read.js';
import { holderOf, shareLock } from '../lockfile/run-lock.js';
import type { Take } from '../manifest/take.js';
import type { FileOwner } from '../plan/occupied-files.js';
import { takeWord } from '../plan/selection.js';
import { knownLockfiles, rememberLockfile } from './known-lockfiles.js';
import { checkBeforeForcing, forcing, holderName } from './open-lockfile.js';

/** Absolute paths where other lockfiles of the same manifest may be. */
export interface Neighbourhood {
  readonly lockfilePath: string;
  readonly endpoint: string;
  /** The folders of the manifest, the lockfile and the output. */
  readonly folders: readonly string[];
  /** The manifest and the lockfile that belongs to it by name; absent if the manifest is not a file. */
  readonly manifest?: { readonly path: string; readonly lockfile: string };
}

/** Why nothing may be bought. */
export interface Elsewhere {
  readonly diagnostic: Diagnostic;
  readonly refusal: ExitCode;
  /** The command that the hint suggests. */
  readonly next?: string;
}

/** Maximum number of names checked in a folder; those that look like lockfiles come first. */
const NAMES_MAX = 5_000;
const LIKELY = /lock|\.jsonl$/i;
const LOCKFILE_BEGINS = '{"format":"venice-batch-lock"';

/** Takes that another lockfile has. */
export interface Bought {
  /** Absolute. */
  readonly lockfile: string;
  readonly takes: readonly Take[];
}

/**
 * Finds another lockfile of the same manifest that already has some of these takes: the same track, take and request.
 * With two lockfiles, one manifest would be bought twice.
 *
 * @param own the attempts of the lockfile in use. A copy of it, such as a backup, has nothing that is not known
 */
export async function boughtElsewhere(
  files: Files,
  around: Neighbourhood,
  takes: readonly Take[],
  own: readonly Attempt[],
): Promise<Bought | undefined> {
  const revOf = new Map(own.map(({ attempt, rev }) => [attempt, rev]));
  const wanted = new Map(takes.map((take) => [keyOf(take), take]));
  for (const lockfile of await otherLockfiles(files, around)) {
    const found = new Set<Take>();
    for (const attempt of await attemptsIn(files, lockfile, around.endpoint)) {
      if (attempt.rev <= (revOf.get(attempt.attempt) ?? 0)) continue;
      const take = wanted.get(keyOf(attempt));
      if (take !== undefined && isLive(attempt)) found.add(take);
    }
    if (found.size > 0) return { lockfile, takes: [...found] };
  }
  return undefined;
}

/** The other lockfile that names each of these files, if one does. */
export async function ownersOf(
  files: Files,
  around: Neighbourhood,
  places: readonly string[],
): Promise<ReadonlyMap<string, FileOwner>> {
  const owners = new Map<string, FileOwner>();
  if (places.length === 0) return owners;
  const wanted = new Set(places);
  for (const lockfile of await otherLockfiles(files, around)) {
    const owner = { lockfile, ...(await manifestBeside(files, lockfile, around)) };
    for (const { file, move_to } of await attemptsIn(files, lockfile, around.endpoint))
      for (const place of [file?.path, move_to])
        if (place !== undefined && wanted.has(place) && !owners.has(place)) owners.set(place, owner);
  }
  return owners;
}

/** The manifest, not this one, that a lockfile belongs to by its name. */
async function manifestBeside(
  files: Files,
  lockfile: string,
  { manifest: own }: Neighbourhood,
): Promise<Pick<FileOwner, 'manifest'>> {
  for (const ending of ['.yaml', '.yml']) {
    const manifest = lockfile.replace(/\.lock\.jsonl$/, ending);
    const isOther = manifest !== lockfile && manifest !== own?.path;
    const facts = !isOther ? undefined : await files.facts(manifest).catch(unlessUnreadable);
    if (facts?.kind === 'file') return { manifest };
  }
  return {};
}

/**
 * Checks whether a run of the same manifest is active under another lockfile, because what it will buy is not in its
 * lockfile yet. Requires the run lock. Two runs that begin at once both see each other: each is remembered before it
 * looks.
 */
export async function runningElsewhere(
  { files, processes, clock, random }: Ports,
  { lockfilePath, endpoint, manifest }: Neighbourhood,
): Promise<Elsewhere | undefined> {
  if (manifest === undefined) return undefined;
  const own = await files.real(lockfilePath);
  const real = await files.real(manifest.path);
  // Not resolved: a link in its place may lead elsewhere next time.
  const named = path.join(
    await files.real(path.dirname(manifest.lockfile)),
    path.basename(manifest.lockfile),
  );
  if (own !== named) await rememberLockfile(files, random, { manifest: real, lockfile: own, endpoint });
  const known = (await knownLockfiles(files, real)).filter(
    (one) => one.manifest === real && one.endpoint === endpoint,
  );
  for (const place of new Set([await files.real(named), ...known.map(({ lockfile }) => lockfile)])) {
    if (place === own) continue;
    const held = await holderOf(files, processes, clock, random, place).catch(unlessUnreadable);
    if (held === undefined || (await shareLock(files, own, place).catch(unlessUnreadable)) === true) continue;
    const lockfile = shellWord(place);
    return {
      diagnostic: {
        code: 'locked',
        severity: 'error',
        message: `another run of this manifest ${held.alive === true ? 'is' : 'may be'} active under another lockfile, ${lockfile} (${holderName(held)})`,
        hint:
          held.alive === true
            ? 'wait for it to end, or stop it: two runs could buy the same takes'
            : `${checkBeforeForcing(held)}: venice-batch unlock ${shellWord(manifest.path)} --lockfile ${lockfile} ${forcing(held).join(' ')}`,
      },
      refusal: EXIT.locked,
    };
  }
  return undefined;
}

function unlessUnreadable(fault: unknown): undefined {
  if (!isSystemFault(fault)) throw fault;
}

function keyOf({ track, take, digest }: Pick<Attempt, 'track' | 'take' | 'digest'>): string {
  return `${track} ${take} ${digest}`;
}

/** What a lockfile says, even a damaged one. */
async function attemptsIn(files: Files, place: string, endpoint: string): Promise<Iterable<Attempt>> {
  const read = await readLock(files, place);
  if (read.ok) return read.header?.endpoint === endpoint ? read.attempts.values() : [];
  const bytes = await files.read(place, LOCK_BYTES_MAX).catch(unlessUnreadable);
  const { header, attempts } = parseLock(bytes === undefined ? '' : decode(bytes));
  return header?.endpoint === endpoint ? attempts.values() : [];
}

const NAMED_MAX = 5;

/** Refuses to buy takes again that another lockfile has. */
export function refuseBought(
  { lockfile, takes }: Bought,
  of: number,
  command: (verb: string, ...words: string[]) => string,
): Elsewhere {
  const named = takes.slice(0, NAMED_MAX).map(({ key }) => key);
  const more = takes.length > NAMED_MAX ? `, and ${takes.length - NAMED_MAX} more` : '';
  const next = command('plan', '--lockfile', lockfile);
  const again =
    takes.length > NAMED_MAX
      ? 'to buy them again on purpose, name them with --force'
      : `to buy ${takes.length === 1 ? 'it' : 'them'} again on purpose: ${command('run', ...takes.flatMap((take) => ['--force', takeWord(take)]))}`;
  return {
    diagnostic: {
      code: 'bought-elsewhere',
      severity: 'error',
      message: `${takes.length} of ${of} takes to buy were already bought under another lockfile, ${shellWord(lockfile)}: ${named.join(', ')}${more}`,
      hint: `to use that lockfile with this manifest: ${next}; ${again}`,
    },
    refusal: EXIT.invalid,
    next,
  };
}

async function otherLockfiles(
  files: Files,
  { lockfilePath, folders, manifest }: Neighbourhood,
): Promise<readonly string[]> {
  const own = (await files.facts(lockfilePath))?.id;
  const places = manifest === undefined ? [] : await knownLockfiles(files, await files.real(manifest.path));
  const found = new Map<string, string>();
  for (const place of [...places.map(({ lockfile }) => lockfile), ...(await filesIn(files, folders))]) {
    const facts = await files.facts(place).catch(unlessUnreadable);
    if (facts?.kind !== 'file' || facts.bytes > LOCK_BYTES_MAX || facts.id === own) continue;
    if (!found.has(facts.id) && (await isLockfile(files, place))) found.set(facts.id, place);
  }
  return [...found.values()];
}

async function filesIn(files: Files, folders: readonly string[]): Promise<readonly string[]> {
  const places: string[] = [];
  for (const folder of new Set(folders)) {
    const names = [...(await files.list(folder).catch(() => []))];
    names.sort((a, b) => Number(LIKELY.test(b)) - Number(LIKELY.test(a)));
    places.push(...names.slice(0, NAMES_MAX).map((name) => path.join(folder, name)));
  }
  return places;
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
