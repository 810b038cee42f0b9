import { runLockPath } from '../../src/lockfile/run-lock.js';
import type { Inode } from './disk.js';
import { LOCKFILE, PROJECT } from './places.js';
import { createRng } from './random.js';
import type { Incarnation, SimWorld } from './world.js';

/**
 * The folder of the lockfile is renamed or unmounted during a run, and put back later, or before the next run. The
 * model turns it round: the folder stays where the judge looks, and the run's paths lead to where nothing is, or another
 * folder. Only open files lead into the folder itself.
 */
export interface MovedFolder {
  /** Where paths into the folder lead, as long as it is away. */
  to?: string | undefined;
}

const OPERATIONS_MAX = 3_000;
const AWAY_MS_MAX = 300_000;
/** What a run leaves there is lost, and nothing there counts. */
export const GHOSTS = '/ghost';

/** Draws whether and when it is moved. Returns what to call before each operation of the run. */
export function movesDuring(
  world: SimWorld,
  name: string,
): (operation: number, incarnation: Incarnation) => void {
  const rng = createRng(world.seed, `${name} moved folder`);
  // Others that share the log have their own folders.
  const moves = world.shared === undefined && rng.chance(world.outside.rates.moved);
  let done = false;
  // An ended run of the same pid may have left its own.
  const earlier = world.disk.entries.get(runLockPath(LOCKFILE));
  const at = Math.ceil(OPERATIONS_MAX ** rng.next());
  const [isReplaced, isPutBack, forMs] = [rng.chance(0.5), rng.chance(0.5), AWAY_MS_MAX ** rng.next()];
  return (operation, incarnation) => {
    if (!moves || done || operation < at || !hasLock(world, incarnation, earlier)) return;
    done = true;
    world.timeline.after(0, () => {
      // A second run would begin in another folder.
      if (incarnation.over || world.running.size > 1) return;
      const to = `${GHOSTS}/${name}`;
      world.trace(
        `somebody moves the folder of the lockfile${isReplaced ? ', and creates another one' : ''}`,
      );
      world.movedFolder.to = to;
      world.tampered = true;
      if (isReplaced) world.disk.makeDirectory(to);
      if (isPutBack) world.timeline.after(forMs, () => putFolderBack(world));
    });
  };
}

/** Before that it would begin in the other folder, as if it had been started there. */
function hasLock(
  { disk }: SimWorld,
  { process: { identity } }: Incarnation,
  earlier: Inode | 'directory' | undefined,
): boolean {
  const guard = disk.entries.get(runLockPath(LOCKFILE));
  if (guard === undefined || guard === 'directory' || guard === earlier) return false;
  return Buffer.from(guard.bytes).toString().includes(`"pid":${identity.pid},`);
}

export function putFolderBack({ movedFolder, trace }: SimWorld): void {
  if (movedFolder.to === undefined) return;
  trace('the folder of the lockfile is put back');
  movedFolder.to = undefined;
}

/** Where a path leads at the moment. */
export function led({ to }: MovedFolder, path: string): string {
  const isInside = path === PROJECT || path.startsWith(`${PROJECT}/`);
  return to !== undefined && isInside ? to + path.slice(PROJECT.length) : path;
}
