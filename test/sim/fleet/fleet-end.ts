import { EXIT } from '../../../src/core/errors.js';
import type { Attempt } from '../../../src/lockfile/attempt.js';
import { promptOf } from '../album.js';
import { isLeftToUser } from '../end.js';
import { exitCodeOf } from '../incarnation.js';
import { sha256 } from '../media.js';
import { doubtful } from '../person.js';
import { HOME } from '../places.js';
import type { Incarnation, SimWorld } from '../world.js';
import { isFor, isSalvaged } from '../worn.js';
import type { Fleet } from './fleet.js';

/** The exit code of a run, also of one that ended with an error. */
export function codeOf({ report, error }: Incarnation): number | undefined {
  return report?.exitCode ?? exitCodeOf(error);
}

const IN_FLIGHT: ReadonlySet<string> = new Set(['queued', 'stored', 'unverified']);
const EXCUSES: ReadonlySet<string> = new Set(['failed', 'lost', 'rejected', 'in_doubt', 'intent']);

export function judgeEnd(fleet: Fleet, machine: SimWorld, last: Incarnation): void {
  const { judge, draw, bucket, deleted } = fleet;
  const code = codeOf(last);
  const attempts = [...judge.logReader.view.attempts.values()].map(({ latest }) => latest);
  if (bucket.kind !== 'strict' || deleted !== undefined) {
    // Buying is over, which is checked at each submit.
    if (code === EXIT.ok && unmade(fleet).length > 0) judge.blame('l', 'exit 0, and not everything is made');
    return;
  }
  for (const one of attempts) {
    // A job that a repair read wrong is another job of the attempt, and its own is recorded under another id.
    const newest = judge.logReader.view.jobs.get(one.queue_id ?? '') ?? one;
    if (IN_FLIGHT.has(newest.state) && !isLeftToUser(one))
      judge.blame('l', `${one.attempt} is still ${one.state} (exit ${code})`);
  }
  // A repair may have read a job that never was: it is recorded beside the attempt's own.
  const salvaged = [...judge.logReader.view.jobs.values()].some(isSalvaged);
  const missing = unmade(fleet);
  if (code === EXIT.ok && missing.length > 0) judge.blame('l', `exit 0, and ${missing.join(', ')} not made`);
  const excused =
    salvaged || fleet.waived.size > 0 || attempts.some((one) => EXCUSES.has(one.state) || isLeftToUser(one));
  if (code === EXIT.lockfile) judge.blame('l', `the log is refused: ${String(last.error)}`);
  if (code !== EXIT.ok && missing.length === 0 && !excused && draw.keepsAudio)
    judge.blame('l', `everything is made, and the run ends with ${code}`);
  if (code === EXIT.inDoubt && doubtful(machine).length === 0 && !salvaged)
    judge.blame('l', 'exit 8, and nothing is in doubt');
  if (draw.keepsAudio) judgeFilesHere(fleet, machine);
}

const GIVEN_UP: ReadonlySet<string> = new Set(['lost', 'failed', 'unverified']);
/** Downloads that no run has finished or could check. */
const UNFINISHED = /\.(?:part|unverified)$/;

/**
 * Whether an attempt is given up although this machine, which has run since, has exactly what the service served. A run
 * that is killed between placing and recording a file leaves one that no record names. If the service then no longer has
 * the job, nobody can tell whose file it is: it stays where it is, and nothing is bought in its place.
 */
export function judgeGivenUp({ judge, server, bucket }: Fleet, machine: SimWorld): void {
  if (bucket.kind !== 'strict') return;
  const here = filesOn(machine, (path) => !UNFINISHED.test(path));
  for (const { latest, queueIds } of judge.logReader.view.attempts.values())
    for (const queueId of GIVEN_UP.has(latest.state) ? queueIds : []) {
      const job = server.jobs.get(queueId);
      // The user may have named the job of another attempt.
      const newest = judge.logReader.view.jobs.get(queueId)?.state ?? latest.state;
      if (job === undefined || !here.has(job.sha256) || !GIVEN_UP.has(newest)) continue;
      if (isNamed(job.sha256, machine, bucket))
        judge.blame(
          'L',
          `${latest.attempt} is ${latest.state}, and ${machine.machines[0].name} has its file`,
        );
    }
}

/** Whether any record names a file with this hash, on the machine or in the log. */
function isNamed(hash: string, { disk }: SimWorld, { objects }: Fleet['bucket']): boolean {
  const named = new RegExp(`"file":\\{[^}]*${hash}`);
  const texts = [...disk.entries.values()].flatMap((entry) => (entry === 'directory' ? [] : [entry.bytes]));
  return [...texts, ...objects.values()].some((bytes) => named.test(Buffer.from(bytes).toString()));
}

/** The hashes of the files in the output folder. */
function filesOn({ disk }: SimWorld, counts: (path: string) => boolean = () => true): ReadonlySet<string> {
  return new Set(
    [...disk.entries].flatMap(([path, entry]) =>
      entry !== 'directory' && path.startsWith(`${HOME}/`) && counts(path) ? [sha256(entry.bytes)] : [],
    ),
  );
}

/** Whether every finished file is on the machine. */
export function judgeFilesHere({ judge }: Fleet, machine: SimWorld): void {
  const here = filesOn(machine);
  for (const { latest } of judge.logReader.view.attempts.values())
    if (latest.state === 'done' && !here.has(latest.file?.sha256 ?? ''))
      judge.blame('I', `the file of ${latest.attempt} is not here`);
}

/** By attempt, or by job: one that a repair read wrong is recorded under the id of the attempt it was read from. */
function unmade({ judge, album }: Fleet): readonly string[] {
  const { attempts, jobs } = judge.logReader.view;
  const made = (prompt: string) => {
    const isMade = (record: Attempt) => record.state === 'done' && isFor({ album }, record, prompt);
    const byAttempt = [...attempts.values()].filter(({ latest }) => isMade(latest)).length;
    return Math.max(byAttempt, [...jobs.values()].filter(isMade).length);
  };
  return album.tracks.filter((track) => made(promptOf(track)) < track.takes).map(promptOf);
}
