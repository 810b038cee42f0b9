import path from 'node:path';
import type { Files, FolderFiles, Processes } from '../core/ports.js';
import { hashFile } from '../storage/link-into-place.js';
import { INDEX, isIndex, readSums, SUMS } from './documents.js';
import { DATE } from './zip.js';

/** What is needed to put a release in place. */
export interface FolderPorts {
  readonly files: Files;
  readonly processes: Pick<Processes, 'self' | 'startTimeOf'>;
  /** Removes a folder and its content. Does nothing if it does not exist. */
  removeFolder(path: string): Promise<void>;
}

/** A release is built in `folder`, next to its target, and then moved there in one step. */
export interface Stage {
  /** Absolute. Becomes the release. */
  readonly folder: string;
  /** Absolute. Scratch files, which are removed. */
  readonly work: string;
  /**
   * Moves the release to its target, and the archive `zip` next to it, where it replaces another. Durable when resolved.
   * Throws `InTheWayError`, and changes nothing, if anything else was put there in the meantime.
   */
  publish(zip: string | undefined): Promise<void>;
  /** Removes everything. */
  discard(): Promise<void>;
}

/** Describes the obstacle; completes a sentence that starts with the folder name. */
export interface InTheWay {
  readonly path: string;
  readonly what: string;
}

export class InTheWayError extends Error {
  readonly obstacle: InTheWay;

  constructor(obstacle: InTheWay) {
    super(`${obstacle.path} ${obstacle.what}`);
    this.obstacle = obstacle;
  }
}

const DOCUMENT_BYTES_MAX = 64 * 1024 * 1024;
const FILES_MAX = 100_000;

const WHAT_IT_IS = {
  file: 'is a file',
  directory: 'is a folder',
  other: 'is a pipe or a device',
} as const;

/**
 * What prevents the folder from being replaced: anything but a release of ours with all files unchanged.
 *
 * @param target absolute
 */
export async function obstacleAt(files: Files, target: string): Promise<InTheWay | undefined> {
  const facts = await files.facts(target);
  if (facts === undefined) return undefined;
  if (facts.kind !== 'directory') return { path: target, what: WHAT_IT_IS[facts.kind] };
  const inside = await files.below(target);
  const found = await filesIn(inside, target, target);
  if (found.length === 0) return undefined;
  const text = async (name: string) =>
    found.includes(path.join(target, name))
      ? Buffer.from(await inside.read(path.join(target, name), DOCUMENT_BYTES_MAX)).toString('utf8')
      : '';
  if (!isIndex(await text(INDEX))) return { path: target, what: 'is a folder without a release' };
  const sums = readSums(await text(SUMS));
  for (const file of found) {
    const name = path.relative(target, file).split(path.sep).join('/');
    if (name === SUMS) continue;
    const sha256 = sums.get(name);
    if (sha256 === undefined) return { path: file, what: 'is not part of the release in it' };
    if ((await hashFile(inside, file))?.sha256 !== sha256)
      return { path: file, what: 'was changed since it was released' };
  }
  return undefined;
}

/**
 * Whether a dangling symbolic link is in the way: through it, the folder would be made at a place that someone else chose.
 *
 * @param named absolute, as the user named it
 */
export async function linkObstacleAt(files: Files, named: string): Promise<InTheWay | undefined> {
  if ((await files.facts(named)) !== undefined) return undefined;
  const [real, folder] = [await files.real(named), await files.real(path.dirname(named))];
  return real === path.join(folder, path.basename(named))
    ? undefined
    : { path: named, what: 'is a symbolic link to nothing' };
}

/** Like `obstacleAt`, for the archive next to the folder. */
export async function zipObstacleAt(files: Files, target: string): Promise<InTheWay | undefined> {
  const facts = await files.facts(target);
  if (facts === undefined) return undefined;
  if (facts.kind !== 'file') return { path: target, what: WHAT_IT_IS[facts.kind] };
  return (await isReleaseZip(files, target))
    ? undefined
    : { path: target, what: 'is not the archive of a release' };
}

/** Size of a ZIP file's first header, up to the name of the first entry. */
const ZIP_HEADER_BYTES = 30;

/** Whether there is an archive that `release` wrote: it begins with the index, which has the fixed date. */
export async function isReleaseZip(files: Files, target: string): Promise<boolean> {
  if ((await files.facts(target))?.kind !== 'file') return false;
  const begin = Buffer.from((await firstBytes(files, target)) ?? []);
  if (begin.byteLength < ZIP_HEADER_BYTES || begin.toString('latin1', 0, 4) !== 'PK\u0003\u0004')
    return false;
  const name = begin.toString('utf8', ZIP_HEADER_BYTES, ZIP_HEADER_BYTES + begin.readUInt16LE(26));
  return begin.subarray(10, 14).equals(DATE) && name.split('/').slice(1).join('/') === INDEX;
}

async function firstBytes(files: Files, file: string): Promise<Uint8Array | undefined> {
  for await (const piece of files.stream(file)) return piece;
  return undefined;
}

/** Everything below a folder. Entries that are neither file nor folder are listed too, and match no checksum. */
async function filesIn(files: FolderFiles, folder: string, root: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await files.list(folder)) {
    const entry = path.join(folder, name);
    const facts = await files.facts(entry);
    if (facts?.kind === 'directory') found.push(...(await filesIn(files, entry, root)));
    else found.push(entry);
    if (found.length > FILES_MAX) break;
  }
  return found;
}

/**
 * Opens the place where a release is built. Removes leftovers of killed releases to the same folder, and restores the
 * earlier release if a kill left it renamed.
 *
 * @param target absolute, without links
 */
export async function openStage(ports: FolderPorts, target: string): Promise<Stage> {
  const { files, processes, removeFolder } = ports;
  const parent = path.dirname(target);
  await files.makeDirectory(parent);
  await sweep(ports, target);
  const home = namesOf(target, processes.self.pid);
  await files.makeDirectory(path.join(home.stage, 'work'));
  await files.makeDirectory(path.join(home.stage, 'release'));
  const folder = path.join(home.stage, 'release');
  return {
    folder,
    work: path.join(home.stage, 'work'),
    async publish(zip) {
      await files.syncDirectory(folder);
      const archive = `${target}.zip`;
      const other = zip === undefined ? undefined : await zipObstacleAt(files, archive);
      if (other !== undefined) throw new InTheWayError(other);
      await allOrNone(files, async (move) => {
        if ((await files.facts(target)) !== undefined) {
          await move(target, home.former);
          await checkFormer(files, target, home.former);
        }
        // If this is interrupted, an earlier archive must not be next to the new folder.
        if (zip !== undefined && (await files.facts(archive)) !== undefined)
          await move(archive, path.join(home.stage, 'former.zip'));
        await move(folder, target);
        if (zip !== undefined) await move(zip, archive);
      });
      await files.syncDirectory(parent);
      await removeFormer(ports, home);
      await removeFolder(home.stage);
    },
    discard: () => removeFolder(home.stage),
  };
}

/** Renames, and undoes every rename if one of them, or a check between them, fails. */
async function allOrNone(
  files: Files,
  steps: (move: (from: string, to: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const moved: { readonly from: string; readonly to: string }[] = [];
  try {
    await steps(async (from, to) => {
      await files.rename(from, to);
      moved.unshift({ from, to });
    });
  } catch (error) {
    // What failed first is what the user has to know; the next release restores what cannot be put back now.
    for (const { from, to } of moved) await files.rename(to, from).catch(() => undefined);
    throw error;
  }
}

/** Checks the earlier release under its new name, because files may still be added under the old one. */
async function checkFormer(files: Files, target: string, former: string): Promise<void> {
  const obstacle = await obstacleAt(files, former);
  if (obstacle === undefined) return;
  throw new InTheWayError({ ...obstacle, path: path.join(target, path.relative(former, obstacle.path)) });
}

interface Names {
  readonly stage: string;
  /** The earlier release, complete. */
  readonly former: string;
  /** What is being removed. */
  readonly trash: string;
}

function namesOf(target: string, pid: number): Names {
  const base = path.join(path.dirname(target), `.${path.basename(target)}.venice-release-${pid}`);
  return { stage: `${base}.part`, former: `${base}.former`, trash: `${base}.trash` };
}

/** Renamed first, so that a folder named `former` is always complete and can be restored. */
async function removeFormer({ files, removeFolder }: FolderPorts, { former, trash }: Names): Promise<void> {
  if ((await files.facts(former)) === undefined) return;
  await files.rename(former, trash);
  await removeFolder(trash);
}

/** Removes leftovers of killed releases. Those of a running process are left alone. */
async function sweep(ports: FolderPorts, target: string): Promise<void> {
  const { files, processes, removeFolder } = ports;
  const parent = path.dirname(target);
  const prefix = `.${path.basename(target)}.venice-release-`;
  for (const name of await files.list(parent)) {
    const [, pid] = name.startsWith(prefix)
      ? (/^(\d+)\.(?:part|former|trash)$/.exec(name.slice(prefix.length)) ?? [])
      : [];
    if (pid === undefined) continue;
    const isOther = Number(pid) !== processes.self.pid;
    if (isOther && (await processes.startTimeOf(Number(pid))) !== undefined) continue;
    const left = path.join(parent, name);
    const names = namesOf(target, Number(pid));
    if (left === names.former && (await files.facts(target)) === undefined) {
      await files.rename(left, target);
      await files.syncDirectory(parent);
    } else if (left === names.former) {
      // A release that was killed may not have checked it yet.
      if ((await obstacleAt(files, left)) === undefined) await removeFormer(ports, names);
    } else await removeFolder(left);
  }
}
