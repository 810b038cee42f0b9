import type { AttemptState } from '../../src/lockfile/attempt.js';
import type { Disk } from './disk.js';
import { createInode, folderOf, syncInode } from './disk.js';
import { HOME, RESCUE } from './places.js';
import type { Rng } from './random.js';
import { createRng, drawRates } from './random.js';
import type { Incarnation, SimWorld } from './world.js';
import { isWorn } from './worn.js';

/** Rare events other than faults of disk, network and service, each with its chance per run, request or response. */
const TROUBLES = [
  /** A file in the output folder is removed during a run. */
  'removed',
  /** The bytes of a file change, but not their number. */
  'changed',
  /** The clock jumps ahead. */
  'leap',
  /** The process is suspended for hours. */
  'sleep',
  /** A suspension, or Ctrl-C, at the very moment a record is written. */
  'sleepAtRecord',
  'stopAtRecord',
  /** A job that takes hours. */
  'longJob',
  /** A proxy answers a submit with an earlier response. */
  'replayed',
  /** A cut body ends without an error, although its length was declared. */
  'silentCut',
  /** Invalid times. */
  'oddNumbers',
  /** The user mistypes a queue_id. */
  'mistyped',
] as const;

export type TroubleRates = Record<(typeof TROUBLES)[number], number>;

/** A separate stream, so that other seeds play as before. */
export interface Trouble {
  readonly rng: Rng;
  rates: TroubleRates;
}

export function createTrouble(seed: number): Trouble {
  const rng = createRng(seed, 'trouble');
  const rates = drawRates(rng, TROUBLES, { share: 0.25, low: 0.05, high: 0.9 });
  // It is rare that an id has to be typed.
  return { rng, rates: { ...rates, mistyped: rng.chance(0.6) ? 0.5 : 0 } };
}

export function noTrouble(): TroubleRates {
  return Object.fromEntries(TROUBLES.map((name) => [name, 0])) as TroubleRates;
}

const HOURS_MS_MAX = 16 * 3_600_000;

/** Applies these events to this run. */
export function beset(world: SimWorld, incarnation: Incarnation): void {
  const { rates } = world.trouble;
  const rng = createRng(world.seed, `${incarnation.name} trouble`);
  const later = (rate: number, action: () => void) => {
    if (rng.chance(rate))
      world.timeline.after(Math.ceil(120_000 ** rng.next()), () => !incarnation.over && action());
  };
  for (let times = 0; times < 4; times++) {
    later(rates.removed, () => spoilFile(world, rng, 'remove'));
    later(rates.changed, () => spoilFile(world, rng, 'change'));
  }
  later(rates.leap, () => {
    // Quoted prices are old now.
    if (rng.chance(0.7)) world.server.priceFactor = 1.2;
    incarnation.leapMs += rng.between(60_000, HOURS_MS_MAX);
    world.trace(`the clock of ${incarnation.name} leaps`);
  });
  later(rates.sleep, () => {
    pauseProcess(world, incarnation, rng);
  });
}

function pauseProcess(world: SimWorld, incarnation: Incarnation, rng: Rng): void {
  // Once per run, so that it ends some day.
  if (incarnation.sleptMs > 0) return;
  const forMs = rng.between(60_000, HOURS_MS_MAX);
  world.trace(`${incarnation.name} stands still`);
  incarnation.sleptMs += forMs;
  incarnation.process.pause(forMs);
}

/** While a record is on its way to the disk. */
export function besetRecord(world: SimWorld): void {
  const { rng, rates } = world.trouble;
  for (const incarnation of world.running) {
    if (rng.chance(rates.sleepAtRecord / 4)) pauseProcess(world, incarnation, rng);
    if (rng.chance(rates.stopAtRecord / 4))
      world.timeline.after(rng.next(), () => {
        incarnation.witness.stopped = true;
        incarnation.stop.abort();
      });
  }
}

/** Removes or changes a file soon after it was stored, while its remote copy still exists. */
export function besetStored(world: SimWorld, attempt: string, place: string | undefined): void {
  const { rng, rates } = world.trouble;
  for (const [rate, how] of [
    [rates.removed, 'remove'],
    [rates.changed, 'change'],
  ] as const)
    if (place !== undefined && rng.chance(rate))
      world.timeline.after(rng.below(30), () => {
        // Its record may not be in the lockfile.
        world.waived.add(attempt);
        spoilFile(world, rng, how, `${HOME}/${place}`);
      });
}

/** Somebody tidies up, or an editor saves. The remote copy, if it still exists, is then the only one. */
function spoilFile(world: SimWorld, rng: Rng, how: 'remove' | 'change', chosen?: string): void {
  const { disk, judge, waived, timeline } = world;
  const paths = [...disk.entries].flatMap(([path, entry]) =>
    entry !== 'directory' && path.startsWith(`${HOME}/`) && AUDIO.test(path) ? [path] : [],
  );
  // With a damaged lockfile, the attempts to excuse cannot be determined.
  if (paths.length === 0 || world.outside.damage !== undefined || world.damaged || isWorn(world)) return;
  const path = chosen ?? rng.pick(paths);
  const entry = disk.entries.get(path);
  if (entry === undefined || entry === 'directory') return;
  world.trace(`somebody ${how}s ${path}`);
  // All attempts that name this path are excused from having it.
  for (const { latest } of judge.seen().attempts.values())
    if ([latest.file?.path, latest.move_to].some((place) => `${HOME}/${place}` === path))
      waived.add(latest.attempt);
  for (const attempt of attemptsElsewhere(disk, path.slice(HOME.length + 1))) waived.add(attempt);
  for (const attempt of notYetRecorded(world, path)) waived.add(attempt);
  if (how === 'remove') disk.change([[path, undefined]]);
  else {
    const inode = createInode(timeline.nowMs());
    inode.bytes = entry.bytes.map((byte, at) => (at === entry.bytes.length - 1 ? byte ^ 1 : byte));
    syncInode(inode);
    disk.change([[path, inode]]);
  }
  disk.syncDirectory(folderOf(path));
}

/** Attempts whose file may be at this path already, while its record is still being written. */
function notYetRecorded({ album, judge }: SimWorld, path: string): readonly string[] {
  const tracks = album.tracks.filter(({ stem }) => path.startsWith(`${HOME}/${stem}`)).map(({ id }) => id);
  return (
    [...judge.seen().attempts.values()]
      .filter(({ latest }) => NOT_STORED.has(latest.state))
      // The manifest may have changed since it was bought.
      .filter(({ latest }) => tracks.includes(latest.track) || path.startsWith(`${HOME}/${latest.stem}`))
      .map(({ latest }) => latest.attempt)
  );
}

const NOT_STORED: ReadonlySet<AttemptState> = new Set(['queued', 'unverified']);

/** Attempts whose record of a file at this path is in a rescue file, a journal or the copy, and may not be in the lockfile. */
function attemptsElsewhere({ entries }: Disk, place: string): readonly string[] {
  return [...entries].flatMap(([path, entry]) => {
    if (entry === 'directory' || !(path.startsWith(`${RESCUE}/`) || SECOND.test(path))) return [];
    const lines = Buffer.from(entry.bytes).toString().split('\n');
    const naming = lines.filter((line) => line.includes(JSON.stringify(place)));
    return naming.flatMap((line) => line.match(/(?<="attempt":")[0-9a-f]+/) ?? []);
  });
}

const SECOND = /\.(?:journal|copy)$/;

const AUDIO = /\.(?:mp3|wav|flac|part)$/;

/** Numbers as JSON has them, at and beyond the limits of times, ms. */
export const ODD_NUMBERS = [
  '0',
  '-0',
  '-1',
  '1e-10',
  '5e-324',
  '0.5',
  '1e15',
  '1e300',
  '1e999',
  'null',
  '"9"',
];
