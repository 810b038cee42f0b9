import type { Disk } from './disk.js';
import { createInode, folderOf, syncInode } from './disk.js';
import { LOCKFILE } from './places.js';
import { createRng, type Rng } from './random.js';
import { durableJournals, hasRescued, removeCopies } from './tamper.js';
import type { SimWorld } from './world.js';
import { needsRepair } from './world.js';

/** A lockfile damaged by something other than the program: a sync client, a partial copy, a bad disk. */
export interface Damage {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** A line does not match its checksum, so that no run may treat the file as complete. */
  readonly flipped: boolean;
}

/** Between two runs, the lockfile is cut, its end is zeroed, or one bit of it is flipped. */
export function damageLockfile(world: SimWorld): void {
  const rng = createRng(world.seed, `damage before run ${world.runs + 1}`);
  if (world.damaged || needsRepair(world) || !rng.chance(world.outside.rates.damaged)) return;
  const bytes = lockfileOf(world.disk);
  if (bytes === undefined || bytes.lastIndexOf(LINE_FEED) <= 0) return;
  const how = rng.pick(['cut', 'cut at a line end', 'zeros', 'flip'] as const);
  const marked = how === 'flip' || endsWithItsMark(bytes);
  if (!marked && !canDetect(world.disk, bytes)) return;
  // Then nothing but checksum and end mark shows the damage.
  if (marked && addsNothing(world.disk, bytes) && rng.chance(0.5)) removeCopies(world.disk);
  const after = bytes.slice();
  if (how === 'zeros') after.fill(0, -rng.between(1, Math.min(200, bytes.length)));
  else if (how === 'flip') flip(rng, after);
  const ends = [...bytes.keys()].filter((at) => bytes[at] === LINE_FEED);
  const length =
    how === 'cut' ? rng.below(bytes.length) : how === 'cut at a line end' ? rng.pick(ends) + 1 : bytes.length;
  world.outside.damage = { before: bytes, after: after.subarray(0, length), flipped: how === 'flip' };
  world.trace(`the lockfile is damaged: ${how}, ${length} of ${bytes.length} bytes`);
  putLockfile(world, world.outside.damage.after);
  // What was cut may be in a journal.
  world.tampered = true;
}

/**
 * Flips any bit, or one that leaves the line a valid but different record. Not in an incomplete last line, which the
 * program drops in any case.
 */
function flip(rng: Rng, bytes: Uint8Array): void {
  const end = bytes.lastIndexOf(LINE_FEED);
  const values = [...Buffer.from(bytes.subarray(0, end)).toString('latin1').matchAll(MEANINGFUL_VALUE)];
  if (values.length === 0 || rng.chance(0.5)) {
    bytes[rng.below(end)]! ^= 1 << rng.below(8);
    return;
  }
  const { 0: text, 1: value, index } = rng.pick(values);
  bytes[index + text.length - value!.length + rng.below(value!.length)]! ^= 1;
}

/** The fields that money and audio depend on. Flipping the lowest bit of a digit or letter gives another one. */
const MEANINGFUL_VALUE = /"(?:queue_id|digest|track|quote_micro_usd)":"?([0-9a-z]+)/g;

/**
 * If a run refuses the file, it leaves it alone and the user restores it. If a run accepts it, it must have lost
 * nothing.
 */
export function settleDamage(world: SimWorld): void {
  const { damage } = world.outside;
  if (damage === undefined) return;
  world.outside.damage = undefined;
  const now = lockfileOf(world.disk);
  if (now !== undefined && Buffer.compare(now, damage.after) === 0) putLockfile(world, damage.before);
  world.judge.look();
}

/** Between two runs, version control puts back an older lockfile. All that it lacks is in a journal or in the copy. */
export function putBackLockfile(world: SimWorld): void {
  const rng = createRng(world.seed, `put back before run ${world.runs + 1}`);
  const { damaged, outside, oldLockfiles, disk } = world;
  if (damaged || outside.damage !== undefined || needsRepair(world)) return;
  const bytes = lockfileOf(disk);
  if (bytes === undefined || oldLockfiles.length === 0 || !rng.chance(outside.rates.putBack)) return;
  if (!isCopied(disk, bytes)) return;
  world.trace('an older lockfile is put back');
  putLockfile(world, rng.pick(oldLockfiles));
  world.tampered = true;
}

/**
 * Whether the loss can be noticed: by the one end mark, or by a journal. A merge leaves several end marks, and a record
 * after the last of them that no journal has would take two accidents.
 */
function canDetect(disk: Disk, bytes: Uint8Array): boolean {
  const lines = linesOf(bytes);
  const marks = lines.flatMap((line, at) => (line.startsWith(END_MARK) ? [at] : []));
  if (marks.length !== 1) return false;
  return areJournaled(disk, lines.slice(marks[0]! + 1));
}

/** Whether the one end mark is the last line. */
function endsWithItsMark(bytes: Uint8Array): boolean {
  const lines = linesOf(bytes);
  return lines.findIndex((line) => line.startsWith(END_MARK)) === lines.length - 1;
}

/** Whether the lockfile has every line of the journals and the copy, and no record is kept elsewhere. */
function addsNothing(disk: Disk, bytes: Uint8Array): boolean {
  const known = new Set(linesOf(bytes));
  return (
    !hasRescued(disk) &&
    durableJournals(disk)
      .flatMap(linesOf)
      .every((line) => known.has(line))
  );
}

/** Whether a journal or the copy of the last clean end has every record. */
export function isCopied(disk: Disk, bytes: Uint8Array): boolean {
  return areJournaled(disk, linesOf(bytes).slice(1));
}

function areJournaled(disk: Disk, lines: readonly string[]): boolean {
  const journaled = new Set(durableJournals(disk).flatMap(linesOf));
  return lines.every((line) => line.startsWith(END_MARK) || journaled.has(line));
}

function linesOf(bytes: Uint8Array): readonly string[] {
  return Buffer.from(bytes).toString().trimEnd().split('\n');
}

const END_MARK = '{"end":true,';
const LINE_FEED = 0x0a;

function lockfileOf(disk: Disk): Uint8Array | undefined {
  const entry = disk.entries.get(LOCKFILE);
  return entry === 'directory' ? undefined : entry?.bytes;
}

function putLockfile({ disk, timeline }: SimWorld, bytes: Uint8Array): void {
  const inode = createInode(timeline.nowMs());
  inode.bytes = bytes;
  syncInode(inode);
  disk.change([[LOCKFILE, inode]]);
  disk.syncDirectory(folderOf(LOCKFILE));
}
