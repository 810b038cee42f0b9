import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { PRIVATE_FOLDER } from '../../src/lockfile/private-folder.js';
import { readLock } from '../../src/lockfile/read.js';
import { systemFiles } from '../../src/node/files.js';

/** A job in the ledger of the simulated service: one charge. */
export interface ServedJob {
  readonly id: string;
  readonly prompt: string;
}

/** The wanted takes by track id. The prompt of each track contains the id. */
export type Wanted = ReadonlyMap<string, number>;

export const LOCKFILE = 'album.lock.jsonl';

/** The jobs of the service whose prompt contains a tag. */
export function servedJobs(ledger: string, tag: string): readonly ServedJob[] {
  const file = path.join(ledger, 'ledger.jsonl');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { type: string; id: string; prompt: string })
    .filter(({ type, prompt }) => type === 'queued' && prompt.includes(tag));
}

/** The contents of the lockfile, or a fault if a killed run left an unusable one. */
export async function attemptsOf(cwd: string): Promise<readonly Attempt[] | string> {
  const read = await readLock(systemFiles, path.join(cwd, LOCKFILE));
  return read.ok ? [...read.attempts.values()] : `the lockfile is unusable: ${read.problems[0].kind}`;
}

export function isOpen({ state }: Attempt): boolean {
  return state === 'intent' || state === 'in_doubt';
}

/** Charges missing from the lockfile: neither an id there nor an attempt that may have been charged. */
export function lostJobs(attempts: readonly Attempt[], jobs: readonly ServedJob[]): readonly ServedJob[] {
  const known = new Set(attempts.map(({ queue_id }) => queue_id));
  const open = attempts.filter(isOpen).map(({ track }) => track);
  return jobs.filter(({ id, prompt }) => {
    if (known.has(id)) return false;
    const at = open.indexOf(trackIn(prompt));
    if (at < 0) return true;
    open.splice(at, 1);
    return false;
  });
}

/** Charges beyond one per wanted take. */
export function doubleCharges(wanted: Wanted, jobs: readonly ServedJob[]): number {
  let beyond = 0;
  for (const [track, takes] of wanted)
    beyond += Math.max(0, jobs.filter(({ prompt }) => trackIn(prompt) === track).length - takes);
  return beyond;
}

/** What is wrong with the files of an album that counts as finished. */
export function fileFaults(cwd: string, attempts: readonly Attempt[], wanted: Wanted): readonly string[] {
  const faults: string[] = [];
  const done = attempts.filter(({ state }) => state === 'done');
  const takes = [...wanted.values()].reduce((sum, count) => sum + count, 0);
  if (done.length !== takes) faults.push(`${done.length} of ${takes} takes are done`);
  for (const { track, file } of done) {
    const there = file === undefined ? undefined : path.join(cwd, file.path);
    if (there === undefined || !existsSync(there)) faults.push(`the file of ${track} is missing`);
    else if (createHash('sha256').update(readFileSync(there)).digest('hex') !== file?.sha256)
      faults.push(`the file of ${track} is not what was stored`);
  }
  const known = new Set([
    ...done.map(({ file }) => file?.path),
    LOCKFILE,
    'album.yaml',
    `${PRIVATE_FOLDER}/.gitignore`,
    `${PRIVATE_FOLDER}/${LOCKFILE}.runs`,
    `${PRIVATE_FOLDER}/${LOCKFILE}.entries`,
  ]);
  // Cached measurements of the audio, in a folder that git ignores.
  const measured = new RegExp(`^${PRIVATE_FOLDER}/audio/[0-9a-f]{64}\\.[a-z0-9-]+\\.json$`);
  const copy = new RegExp(`^${PRIVATE_FOLDER}/${LOCKFILE}\\.[0-9a-f]{8}\\.copy$`);
  for (const name of filesIn(cwd))
    if (!known.has(name) && !measured.test(name) && !copy.test(name)) faults.push(`${name} was left behind`);
  return faults;
}

function filesIn(cwd: string): readonly string[] {
  return readdirSync(cwd, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/[\\/]\.git(?:[\\/]|$)/.test(entry.parentPath))
    .map((entry) => path.relative(cwd, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}

export function trackIn(prompt: string): string {
  return /^Track (\S+),/.exec(prompt)?.[1] ?? '';
}
