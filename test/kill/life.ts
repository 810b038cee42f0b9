import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { type Ended, type Env, launchProgram } from '../e2e/launch.js';
import { launchService, type Service } from '../e2e/service.js';
import {
  attemptsOf,
  doubleCharges,
  fileFaults,
  isOpen,
  LOCKFILE,
  lostJobs,
  servedJobs,
  trackIn,
  type Wanted,
} from './judge.js';
import { describe, type Killed, runAndKill, type Way } from './way.js';

/** A service for one life at a time, and the ledger of what it charged. */
export interface Place {
  readonly service: Service;
  readonly ledger: string;
}

/** Faster than the real service: a job is ready long before its first poll. */
const SPEED = 20_000;

export async function openPlace(folder: string): Promise<Place> {
  const service = await launchService(folder, SPEED);
  return { service, ledger: service.ledger };
}

/** What became of an album whose runs were killed. */
export interface Life {
  /** The moments that were reached. */
  readonly reached: readonly Way[];
  readonly doubleCharges: number;
  readonly lostIds: number;
  /** Attempts left in doubt, settled by the user afterwards. */
  readonly inDoubt: number;
  /** Whether an ordinary run finished every take and file. */
  readonly finished: boolean;
  /** Everything that broke the promise, with the moments that led to it. */
  readonly faults: readonly string[];
}

export const WANTED: Wanted = new Map([
  ['bell', 2],
  ['piano', 1],
]);

/** Runs until it no longer says "run again to collect", at most this often. */
const RUNS_MAX = 5;

export function writeAlbum(cwd: string, tag: string): void {
  const prompt = (track: string, what: string) => `"Track ${track}, ${what}, ${tag}"`;
  writeFileSync(
    path.join(cwd, 'album.yaml'),
    `version: 1
budget: 5
tracks:
  - { id: bell, model: elevenlabs-sound-effects-v2, takes: 2, prompt: ${prompt('bell', 'a small bell')} }
  - { id: piano, model: stable-audio-25, prompt: ${prompt('piano', 'slow piano')} }
`,
  );
}

export function runArgs({ flags }: Pick<Machine, 'flags'>): readonly string[] {
  return ['run', 'album.yaml', '--yes', ...flags];
}

/** Where a run takes place. */
export interface Machine {
  readonly cwd: string;
  /** Of every command. */
  readonly flags: readonly string[];
  readonly env: Env;
}

/**
 * The life of one album: a run killed at the first moment, another killed at the second, and so on; then ordinary runs
 * until they have nothing to collect, and a user who settles what is in doubt.
 *
 * @param tag identifies this life in its prompts, and so in the ledger
 */
export async function live(place: Place, cwd: string, tag: string, ways: readonly Way[]): Promise<Life> {
  writeAlbum(cwd, tag);
  const { service, ledger } = place;
  const machine: Machine = { cwd, flags: service.flags, env: service.env };
  const reported = ways.map(describe).join(', then ');
  const faults: string[] = [];
  const fault = (text: string) => faults.push(`[${reported}] ${text}`);
  const before = await service.chargesStated();
  const reached: Way[] = [];
  for (const way of ways) {
    const killed = await runAndKill(way, runArgs(machine), cwd, service.env);
    if (killed.reached) reached.push(way);
    await afterKill(place, cwd, tag, killed, fault);
  }
  const ended = await runToTheEnd(machine, fault);
  const open = await openAttempts(cwd, fault);
  if (ended.code !== (open.length > 0 ? 8 : 0))
    fault(`exit ${ended.code}, ${open.length} in doubt:\n${ended.stderr}`);
  const lostIds = (await lost(place, cwd, tag)).length;
  if (open.length > 0) await settle(machine, ledger, tag, open, fault);
  const jobs = servedJobs(ledger, tag);
  const charges = (await service.chargesStated()) - before;
  if (charges !== jobs.length) fault(`${charges} charges in the history, ${jobs.length} jobs in the ledger`);
  const attempts = await attemptsOf(cwd);
  if (typeof attempts === 'string') fault(attempts);
  const files = typeof attempts === 'string' ? [attempts] : fileFaults(cwd, attempts, WANTED);
  for (const text of files) fault(text);
  return {
    reached,
    doubleCharges: doubleCharges(WANTED, jobs),
    lostIds,
    inDoubt: open.length,
    finished: files.length === 0,
    faults,
  };
}

export type Fault = (text: string) => void;

/** Right after a kill: the lockfile can be read and has every charge. */
async function afterKill(
  place: Place,
  cwd: string,
  tag: string,
  { ended }: Killed,
  fault: Fault,
): Promise<void> {
  const attempts = await attemptsOf(cwd);
  if (typeof attempts === 'string') fault(attempts);
  for (const { id } of await lost(place, cwd, tag)) fault(`job ${id} is charged and not in the lockfile`);
  if (/^bug|internal/m.test(ended.stderr)) fault(ended.stderr);
}

async function lost(place: Place, cwd: string, tag: string) {
  const attempts = await attemptsOf(cwd);
  return lostJobs(typeof attempts === 'string' ? [] : attempts, servedJobs(place.ledger, tag));
}

export async function runToTheEnd(machine: Machine, fault: Fault): Promise<Ended> {
  const { cwd, env } = machine;
  for (let runs = 1; ; runs += 1) {
    const held = existsSync(path.join(cwd, `${LOCKFILE}.guard`));
    const args = [...runArgs(machine), '--progress', 'plain'];
    const ended = await launchProgram(args, cwd, env).ended;
    if (held && !ended.stderr.includes('it is taken over')) fault(`took over in silence:\n${ended.stderr}`);
    if (ended.code !== 11 || runs === RUNS_MAX) return ended;
  }
}

export async function openAttempts(cwd: string, fault: Fault): Promise<readonly Attempt[]> {
  const attempts = await attemptsOf(cwd);
  if (typeof attempts !== 'string') return attempts.filter(isOpen);
  fault(attempts);
  return [];
}

/** A user with access to the service settles each attempt in doubt, then the album is finished. */
export async function settle(
  machine: Machine,
  ledger: string,
  tag: string,
  open: readonly Attempt[],
  fault: Fault,
): Promise<void> {
  const { cwd, flags, env } = machine;
  const known = new Set<string>();
  const attempts = await attemptsOf(cwd);
  for (const { queue_id } of typeof attempts === 'string' ? [] : attempts) known.add(queue_id ?? '');
  for (const { attempt, track } of open) {
    const job = servedJobs(ledger, tag).find(({ id, prompt }) => trackIn(prompt) === track && !known.has(id));
    const word = job === undefined ? ['--not-charged'] : ['--queue-id', job.id];
    if (job !== undefined) known.add(job.id);
    const args = ['resolve', 'album.yaml', attempt, ...word, ...flags];
    const resolved = await launchProgram(args, cwd, env).ended;
    if (resolved.code !== 0) fault(`resolve ended with ${resolved.code}:\n${resolved.stderr}`);
  }
  const ended = await runToTheEnd(machine, fault);
  if (ended.code !== 0) fault(`exit ${ended.code} after resolve:\n${ended.stderr}`);
}
