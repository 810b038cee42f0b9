import path from 'node:path';
import pLimit from 'p-limit';
import { faultCode, isSystemFault } from '../core/errors.js';
import { foldName } from '../core/file-name.js';
import type { FileFacts, FolderFiles } from '../core/ports.js';
import { type Attempt, type AttemptState, isGivenUpByUser } from '../lockfile/attempt.js';
import type { Take } from '../manifest/take.js';
import { type FileState, takeId } from '../plan/history.js';
import { type HashOf, hashedNow, hashedOnce } from '../storage/link-into-place.js';
import { EXTENSIONS } from '../storage/media-names.js';
import type { MoveContext } from '../storage/move.js';
import { findWhereStored, otherPlace, settleMove, unlessStuck } from '../storage/move.js';
import { advance, type Observation } from './transition.js';

/** A run ended between the intent and its outcome: it is unknown whether the submit was sent and charged. */
const CUT_SHORT: Observation = {
  kind: 'submitted',
  outcome: { kind: 'in_doubt', code: 'run_ended', message: 'the run ended before the response was recorded' },
};

/**
 * Makes lockfile and disk consistent before anything is decided: intents without an outcome become in doubt (except
 * those of other runs, which settle them), moves in progress are finished, and files that were given up and are here
 * are stored. (Stored files are checked before their remote copy is deleted.) Throws the `FileFault` of a disk that
 * cannot be read or written.
 *
 * @param known where else a stored file may be
 */
export async function recover(context: MoveContext, nowMs: number, known: KnownPlaces = {}): Promise<void> {
  const placesOf = createPlaces(known);
  const look = hashedOnce(context.output.files);
  /** What came to a place by a move, by its hash. */
  const arrived = new Map<string, string>();
  for (const { attempt: id } of [...context.store.attempts.values()]) {
    // As it is now: recording the one before may have brought in what another machine recorded.
    const attempt = context.store.newest(id);
    if (attempt === undefined) continue;
    if (attempt.state === 'intent' && isOurs(context.store, attempt))
      await context.store.record(advance(attempt, CUT_SHORT, nowMs));
    const { file, move_to: to } = attempt;
    if (to === undefined) await unlessStuck(findWhereStored(context, attempt, placesOf(attempt), look));
    // A file that just arrived is another attempt's. Lines that pass one on and on would read it for each move.
    else if (file === undefined || arrived.get(foldName(file.path)) !== file.sha256) {
      const isMoved = await unlessStuck(settleMove(context, attempt, look));
      if (isMoved && file !== undefined) arrived.set(foldName(to), file.sha256);
    }
    await unlessStuck(findGivenUp(context, attempt, nowMs, look));
  }
}

/**
 * For commands that record nothing: the attempts, each with its file where `recover` would find it. What cannot be read
 * stays as it is recorded.
 */
export async function withPlacesFound(
  { output }: DiskView,
  attempts: readonly Attempt[],
  known: KnownPlaces,
): Promise<readonly Attempt[]> {
  const placesOf = createPlaces(known);
  const look = hashedOnce(output.files);
  const limit = pLimit(16);
  return Promise.all(
    attempts.map((attempt) =>
      limit(async () => {
        const { file, move_to: isMoving } = attempt;
        if (file === undefined || isMoving !== undefined) return attempt;
        const place = await otherPlace(output, attempt, placesOf(attempt), look).catch(unlessSystemFault);
        return place === undefined ? attempt : { ...attempt, file: { ...file, path: place } };
      }),
    ),
  );
}

function unlessSystemFault(fault: unknown): undefined {
  if (!isSystemFault(fault)) throw fault;
}

export interface KnownPlaces {
  /** Takes of the manifest, which name the path that each file should have. */
  readonly takes?: readonly Take[] | undefined;
  /** By attempt: what the lockfile said before newer records were restored. */
  readonly former?: ReadonlyMap<string, string> | undefined;
}

function createPlaces({ takes = [], former }: KnownPlaces): (attempt: Attempt) => readonly string[] {
  const stems = new Map(takes.map((take) => [takeId(take), take.stem]));
  return (attempt) => {
    const stem = stems.get(takeId(attempt));
    const present = stem === undefined ? undefined : stem + path.posix.extname(attempt.file?.path ?? '');
    return [present, former?.get(attempt.attempt)].filter((place) => place !== undefined);
  };
}

/**
 * Audio that is here is stored, even if it was gone for a while, or if a machine without it could not get it and gave
 * the job up. What the user decided stays.
 */
async function findGivenUp(
  context: MoveContext,
  before: Attempt,
  nowMs: number,
  look: HashOf,
): Promise<boolean> {
  const attempt = context.store.newest(before.attempt) ?? before;
  const { state, reason, file } = attempt;
  if (file === undefined || attempt.queue_id === undefined) return false;
  if (!GIVEN_UP.has(state) || isGivenUpByUser(reason?.code)) return false;
  if ((await stateOf(context, attempt, 'hash', file.path, look)) !== 'present') return false;
  // A run may have been killed before it synced the file's name, and the remote copy is deleted next.
  const { root, files } = context.output;
  await files.syncDirectory(path.dirname(path.join(root, file.path)));
  await context.store.record(advance(attempt, { kind: 'stored', file }, nowMs));
  return true;
}

const GIVEN_UP: ReadonlySet<AttemptState> = new Set(['queued', 'unverified', 'failed', 'lost']);
/** Whether a run of this machine made it. That run has ended, because this one holds its lock. */
function isOurs({ sharing }: MoveContext['store'], attempt: Attempt): boolean {
  return sharing?.holderOf(attempt).kind !== 'elsewhere';
}

/** What is needed to read a disk without a lockfile to write to: enough to plan. */
export type DiskView = Pick<MoveContext, 'output'>;

/** What is at the paths that attempts name. */
export interface StoredFiles {
  /** By path. */
  readonly files: ReadonlyMap<string, FileState>;
  /** For a path that several attempts name: the attempt whose bytes these are. */
  readonly owners: ReadonlyMap<string, string>;
  /** For a path that is a symbolic link or behind one: the path of that link, relative to the output root. */
  readonly links: ReadonlyMap<string, string>;
}

/**
 * The state of every path that an attempt names, by existence and size, or by hash. A path is named twice if a file went
 * missing and another took its place: then the bytes show whose it is.
 */
export async function fileStates(
  view: DiskView,
  attempts: Iterable<Attempt>,
  how: 'size' | 'hash' = 'size',
): Promise<StoredFiles> {
  const claims = new Map<string, Attempt[]>();
  for (const attempt of attempts)
    for (const place of attempt.file === undefined ? [] : [attempt.file.path, attempt.move_to])
      if (place !== undefined) {
        const known = claims.get(place);
        if (known === undefined) claims.set(place, [attempt]);
        else known.push(attempt);
      }
  const limit = pLimit(16);
  const hashOf = hashedOnce(view.output.files);
  const files = new Map<string, FileState>();
  const owners = new Map<string, string>();
  const links = new Map<string, string>();
  await Promise.all(
    [...claims].map(([place, claimants]) =>
      limit(async () => {
        const owner = await ownerOf(view, claimants, place, hashOf);
        const state = await stateOf(view, owner, how, place, hashOf);
        files.set(place, state);
        const link = state === 'changed' ? await linkOnTheWay(view, place) : undefined;
        if (link !== undefined) links.set(place, link);
        if (claimants.length > 1) owners.set(place, owner.attempt);
      }),
    ),
  );
  return { files, owners, links };
}

/** The first part of the path that is neither a folder nor a regular file. */
async function linkOnTheWay({ output }: DiskView, place: string): Promise<string | undefined> {
  const parts = place.split('/');
  for (let count = 1; count <= parts.length; count += 1) {
    const way = parts.slice(0, count).join('/');
    const facts = await factsOf(output.files, path.join(output.root, way));
    if (facts?.kind === 'other') return way;
  }
  return undefined;
}

/** Whose bytes these are; if no one's, the newest attempt's. `claimants` has at least one. */
async function ownerOf(
  view: DiskView,
  claimants: readonly Attempt[],
  place: string,
  hashOf: HashOf,
): Promise<Attempt> {
  const newestFirst = [...claimants].sort((a, b) => ((a.at.intent ?? '') < (b.at.intent ?? '') ? 1 : -1));
  if (newestFirst.length > 1)
    for (const attempt of newestFirst)
      if ((await stateOf(view, attempt, 'hash', place, hashOf)) === 'present') return attempt;
  return newestFirst[0]!;
}

/**
 * Finds audio files at the paths of takes that no attempt names. Each folder is listed once; letter case and Unicode
 * composition are ignored, as many file systems do.
 */
export async function untrackedFiles(
  view: DiskView,
  takes: readonly Take[],
  attempts: Iterable<Attempt>,
): Promise<(stem: string) => string | undefined> {
  const known = new Set<string>();
  for (const { file, move_to } of attempts)
    for (const place of [file?.path, move_to]) if (place !== undefined) known.add(foldName(place));
  const extensions = Object.values(EXTENSIONS);
  const found = new Map<string, string>();
  for (const folder of new Set(takes.map(({ stem }) => path.posix.dirname(stem))))
    for (const name of await listIfThere(view.output.files, path.join(view.output.root, folder))) {
      const relative = path.posix.join(folder, name);
      const extension = path.posix.extname(name).slice(1).toLowerCase();
      if (!extensions.includes(extension) || known.has(foldName(relative))) continue;
      found.set(foldName(relative.slice(0, -extension.length - 1)), relative);
    }
  return (stem) => found.get(foldName(stem));
}

async function listIfThere(files: FolderFiles, directory: string): Promise<readonly string[]> {
  try {
    return await files.list(directory);
  } catch (error) {
    // Links are not followed: storing behind one is refused before anything is bought.
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(faultCode(error))) return [];
    throw error;
  }
}

/** @param place where to look; default: the recorded path */
export async function stateOf(
  view: DiskView,
  attempt: Attempt,
  how: 'size' | 'hash',
  place = attempt.file?.path,
  hashOf = hashedNow(view.output.files),
): Promise<FileState> {
  if (attempt.file === undefined || place === undefined) return 'missing';
  const { root, files } = view.output;
  const file = path.join(root, place);
  const facts = await factsOf(files, file);
  if (facts === undefined) return 'missing';
  if (facts.kind !== 'file') return facts.kind === 'directory' ? 'missing' : 'changed';
  if (facts.bytes !== attempt.file.bytes) return 'changed';
  if (how === 'size') return 'present';
  return (await hashOf(file)) === attempt.file.sha256 ? 'present' : 'changed';
}

/** The target of a link is not ours, and nothing is bought again because of it: something else is in place. */
async function factsOf(
  files: FolderFiles,
  file: string,
): Promise<Pick<FileFacts, 'kind' | 'bytes'> | undefined> {
  try {
    return await files.facts(file);
  } catch (error) {
    if (faultCode(error) === 'ELOOP') return { kind: 'other', bytes: 0 };
    throw error;
  }
}
