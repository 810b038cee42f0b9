import { createHash, createHmac } from 'node:crypto';
import type { Attempt } from './attempt.js';
import { familyOf } from './merge.js';

/**
 * Marks what was made under one API key for one lockfile (`Attempt.key`), without telling anything of the key.
 *
 * A lockfile may come from a stranger, who may name another album's jobs in it, or call a file the audio of a job that
 * was never fetched. Nobody without the key can make a mark, and none fits another line: it covers the attempt's
 * id, its `queue_id` and the hash of its file.
 */
export interface KeySignature {
  /** The mark of an attempt as it is, 16 hex digits. */
  of(attempt: Sealed): string;
  /**
   * True if the line says that it was submitted under this key. In version 1 all lines share one
   * mark that can be copied: enough to draw conclusions about the line, not to delete anything.
   */
  isSameKey(attempt: Attempt): boolean;
  /** True if this key and lockfile made the attempt and received its `queue_id`. */
  isOurs(attempt: Attempt): boolean;
  /** True if they also fetched its file: only then may the remote copy be deleted. */
  isFetched(attempt: Attempt): boolean;
}

export type Sealed = Pick<Attempt, 'attempt' | 'queue_id' | 'file'>;

/**
 * @param lineage of the lockfile: new marks are made under it
 * @param was of a merged lockfile: marks that were made under any of these hold as well
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
  // A merge can give a second job an id of its own, of the same family.
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
 * The record that follows, with the mark of the key that was given this `queue_id`, or fetched this file. A line that was
 * not made under this key keeps the mark that it has: to fetch a stranger's job does not make it ours.
 */
export function sealed(keySignature: KeySignature, before: Attempt, after: Attempt): Attempt {
  const isGiven = before.queue_id !== after.queue_id && keySignature.isSameKey(before);
  const isFetched = before.file !== after.file && keySignature.isOurs(before);
  return isGiven || isFetched ? { ...after, key: keySignature.of(after) } : after;
}
