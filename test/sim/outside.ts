import type { Damage } from './damage.js';
import { ancestors, folderOf } from './disk.js';
import { ELSEWHERE, HOME, LOCKFILE, PROJECT } from './places.js';
import type { SimProcess } from './process.js';
import { createRng, drawRates } from './random.js';
import type { Incarnation, SimWorld } from './world.js';

/** What people and programs outside the run do, each with its chance per run. */
const OUTSIDE = [
  /** A file or folder is replaced by a symbolic link during a run. */
  'linked',
  /** Lines of a pull request, between runs. */
  'pulled',
  /** The lockfile is cut, zeroed or flipped, between runs. */
  'damaged',
  /** An older lockfile is put back, between runs. */
  'putBack',
  /** The lockfile is damaged without a backup, between runs. */
  'worn',
  /** The lockfile's folder is renamed or unmounted during a run. */
  'moved',
] as const;

export interface Outside {
  rates: Record<(typeof OUTSIDE)[number], number>;
  damage: Damage | undefined;
  /** Jobs of other albums under the same account, by queue_id. */
  readonly foreignJobs: Set<string>;
  /** The user's own files, absolute: nothing may change, move or remove them. */
  readonly ownFiles: Set<string>;
  /** Processes that have resolved the output folder. */
  readonly rooted: Set<SimProcess>;
}

/** Random numbers of its own, so that other seeds play as before. */
export function createOutside(seed: number): Outside {
  return {
    rates: drawRates(createRng(seed, 'outside'), OUTSIDE, { share: 0.25, low: 0.1, high: 0.9 }),
    damage: undefined,
    foreignJobs: new Set(),
    ownFiles: new Set(),
    rooted: new Set(),
  };
}

/** Links to a folder here are followed at the start of a run, as the user's own choice. */
export const LOCKFILE_PLACES: readonly string[] = [PROJECT, LOCKFILE, `${PROJECT}/.venice-batch`];

const LINKS_A_RUN_MAX = 4;
const LINKED_MS_MAX = 300_000;

/** Lets links appear and disappear during this run. */
export function linkDuring(world: SimWorld, incarnation: Incarnation): void {
  const rng = createRng(world.seed, `${incarnation.name} links`);
  const someMs = () => Math.ceil(LINKED_MS_MAX ** rng.next());
  for (let count = 0; count < LINKS_A_RUN_MAX; count++) {
    if (!rng.chance(world.outside.rates.linked)) continue;
    const [afterMs, forMs] = [someMs(), someMs()];
    world.timeline.after(afterMs, () => {
      if (incarnation.over) return;
      const path = rng.pick(placesOf(world));
      if (world.disk.links.has(path)) return;
      world.trace(`${path} is replaced by a link`);
      world.disk.hide(path, ELSEWHERE);
      // What is recorded meanwhile is in the journal.
      if (LOCKFILE.startsWith(`${path}/`)) world.tampered = true;
      world.timeline.after(forMs, () => unlink(world, path));
    });
  }
}

/** Every component of the paths below the output folder; the folder itself only once every run has resolved it. */
function placesOf({ disk, running, outside, album }: SimWorld): readonly string[] {
  const wanted = album.tracks.flatMap(({ stem }) => ancestors(folderOf(`${HOME}/${stem}`)));
  const places = [...disk.entries.keys(), ...wanted].filter((path) => path.startsWith(`${HOME}/`));
  const known = [...running].every(({ process }) => outside.rooted.has(process));
  return [...new Set(known ? [HOME, ...LOCKFILE_PLACES, ...places] : places)];
}

/** A link as output folder at the start of a run is the user's own choice. */
export function unlink({ disk, trace }: SimWorld, path: string): void {
  if (!disk.links.has(path)) return;
  trace(`the link at ${path} is removed`);
  disk.unhide(path);
}

export function unlinkAll(world: SimWorld): void {
  for (const path of [...world.disk.links.keys()]) unlink(world, path);
}
