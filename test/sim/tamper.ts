import type { Disk } from './disk.js';
import { createInode, folderOf, syncInode } from './disk.js';
import { LOCKFILE } from './places.js';
import type { SimWorld } from './world.js';

const PRIVATE = `${folderOf(LOCKFILE)}/.venice-batch/`;
const GUARD = `${PRIVATE}album.lock.jsonl.guard`;

/**
 * What happens from outside during a run: version control restores the lockfile, as it is or as it was, or removes it;
 * the guard is deleted. Never both the lockfile and what was written beside it, after which nothing could be known.
 *
 * @returns what was replaced or deleted
 */
export function tamper(world: SimWorld): 'guard' | 'lockfile' | undefined {
  const { rng, scenario } = world;
  const { claims, containers, second } = scenario.systems;
  // Nobody reaches them in a folder that was moved.
  if (world.movedFolder.to !== undefined) return undefined;
  if (rng.chance(0.4)) {
    // Elsewhere the guard is all that keeps other runs out.
    if (!claims || containers || second) return undefined;
    world.trace('somebody deletes the guard');
    put(world, GUARD, undefined);
    return 'guard';
  }
  return tamperLockfile(world) ? 'lockfile' : undefined;
}

/** @returns whether the lockfile was replaced or deleted */
export function tamperLockfile(world: SimWorld): boolean {
  const { rng, disk, oldLockfiles } = world;
  const bytes = disk.entries.get(LOCKFILE);
  // Without a journal nothing was recorded in this run, and the user may want the older lockfile. Once the file has its
  // end mark, this run is done with it.
  if (world.damaged || bytes === undefined || bytes === 'directory') return false;
  if (!hasJournal(disk) || isClosed(bytes.bytes)) return false;
  // A rescued record is in no journal: this would be a second accident.
  if (hasRescued(disk)) return false;
  const to = rng.pick([bytes.bytes, undefined, ...oldLockfiles.slice(-1)]);
  world.trace(`somebody replaces the lockfile: ${to?.length ?? 'deleted'}`);
  world.tampered = true;
  put(world, LOCKFILE, to);
  return true;
}

function put({ disk, timeline }: SimWorld, path: string, bytes: Uint8Array | undefined): void {
  if (bytes === undefined) {
    if (disk.entries.has(path)) disk.change([[path, undefined]]);
  } else {
    const inode = createInode(timeline.nowMs());
    inode.bytes = bytes;
    syncInode(inode);
    disk.change([[path, inode]]);
  }
  if (disk.entries.get(folderOf(path)) === 'directory') disk.syncDirectory(folderOf(path));
}

/** Whether the last line is the mark of a clean end. */
function isClosed(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString();
  return text.slice(text.lastIndexOf('\n', text.length - 2) + 1).startsWith('{"end":true,');
}

export function hasJournal(disk: Disk): boolean {
  return journalPaths(disk).some((path) => disk.possible(path).every((bytes) => bytes !== undefined));
}

function journalPaths({ entries }: Disk): readonly string[] {
  return [...entries.keys()].filter((path) => path.startsWith(PRIVATE) && path.endsWith('.journal'));
}

function copyPaths({ entries }: Disk): readonly string[] {
  return [...entries.keys()].filter((path) => path.startsWith(PRIVATE) && path.endsWith('.copy'));
}

/** Whether a record that the lockfile could not take is kept elsewhere. */
export function hasRescued({ entries }: Disk): boolean {
  return [...entries.keys()].some((path) => path.includes('-rescue-'));
}

/** As when the whole `.venice-batch` folder is deleted. */
export function removeCopies(disk: Disk): void {
  for (const path of [...journalPaths(disk), ...copyPaths(disk)]) {
    disk.change([[path, undefined]]);
    disk.syncDirectory(folderOf(path));
  }
}

/** What a power loss now would certainly leave of the journals, and of the copy from the last clean end. */
export function durableJournals(disk: Disk): readonly Uint8Array[] {
  return [...journalPaths(disk), ...copyPaths(disk)].flatMap((path) => {
    const [first, ...others] = disk.possible(path);
    return first === undefined || others.length > 0 ? [] : [first.subarray(0, first.lastIndexOf(10) + 1)];
  });
}
