import { createHash, createHmac } from 'node:crypto';
import type { Attempt } from './attempt.js';
import { familyOf } from './fold-attempts.js';

/**
 * Signs what was made with one API key for one lockfile (`Attempt.key`), without revealing the key.
 *
 * A lockfile may come from an attacker, who could list another album's jobs in it, or claim that a file is the audio of
 * a job that was never downloaded. A signature needs the key, and covers the attempt's id, its `queue_id` and the hash
 * of its file, so it cannot be copied to another line.
 */
export interface KeySignature {
  /** The signature of an attempt in its current state, 16 hex digits. */
  of(attempt: Sealed): string;
  /**
   * Whether the line says that it was submitted with this key. In version 1 all lines share one signature that can be
   * copied: enough for conclusions about the line, but not to delete anything.
   */
  isSameKey(attempt: Attempt): boolean;
  /** Whether this key and lockfile made the attempt and received its `queue_id`. */
  isOurs(attempt: Attempt): boolean;
  /** Whether they also downloaded its file. Only then may the remote copy be deleted. */
  isFetched(attempt: Attempt): boolean;
}

export type Sealed = Pick<Attempt, 'attempt' | 'queue_id' | 'file'>;

/**
 * @param lineage of the lockfile; new signatures are made under it
 * @param was of a merged lockfile; signatures made under any of these are valid too
 */
export function createKeySignature(
  lineage: string,
  apiKey: string,
  was: readonly string[] = [],
): KeySignature {
  const own = signatureOfLineage(lineage, apiKey);
  const all = [own, ...was.filter((one) => one !== lineage).map((one) => signatureOfLineage(one, apiKey))];
  return {
    of: own.of,
    isFetched: (attempt) => all.some((seal) => seal.isFetched(attempt)),
    isOurs: (attempt) => all.some((seal) => seal.isOurs(attempt)),
    isSameKey: (attempt) => all.some((seal) => seal.isSameKey(attempt)),
  };
}

function signatureOfLineage(lineage: string, apiKey: string): KeySignature {
  const ofVersion1 = createHash('sha256').update(`${lineage}\0${apiKey}`).digest('hex').slice(0, 16);
  // A merge can give a second job its own id, in the same family.
  const of = ({ attempt, queue_id: queueId = '', file }: Sealed) =>
    createHmac('sha256', apiKey)
      .update(`${lineage}\0${familyOf({ attempt })}\0${queueId}\0${file?.sha256 ?? ''}`)
      .digest('hex')
      .slice(0, 16);
  const isFetched = (attempt: Attempt) => attempt.file !== undefined && attempt.key === of(attempt);
  const isOurs = (attempt: Attempt) =>
    attempt.queue_id !== undefined &&
    (attempt.key === of({ attempt: attempt.attempt, queue_id: attempt.queue_id }) || isFetched(attempt));
  return {
    of,
    isFetched,
    isOurs,
    isSameKey: (attempt) =>
      attempt.key === ofVersion1 || attempt.key === of({ attempt: attempt.attempt }) || isOurs(attempt),
  };
}

/**
 * Signs the next record of an attempt if this key was given its `queue_id` or downloaded its file. A line made with
 * another key keeps its signature: downloading another key's job does not make it ours.
 */
export function sealed(keySignature: KeySignature, before: Attempt, after: Attempt): Attempt {
  const isGiven = before.queue_id !== after.queue_id && keySignature.isSameKey(before);
  const isFetched = before.file !== after.file && keySignature.isOurs(before);
  return isGiven || isFetched ? { ...after, key: keySignature.of(after) } : after;
}
