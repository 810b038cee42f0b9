import pLimit from 'p-limit';
import type { Attempt } from '../lockfile/attempt.js';
import { compareNewest, type FileState, takeId } from '../plan/history.js';
import { isElsewhere, machineOf } from '../plan/latest-attempts.js';
import type { PlanRow } from '../plan/plan.js';
import { takeWord } from '../plan/selection.js';
import { type DiskView, stateOf } from '../run/recover.js';
import { hashedOnce } from '../storage/link-into-place.js';
import type { TakeStatuses } from './take-status.js';

const HASHES_AT_ONCE = 4;

/** A stored file, hashed again. */
export interface CheckedFile {
  readonly attempt: Attempt;
  readonly path: string;
  /**
   * `elsewhere`: the file is missing, but the manifest says that it is kept somewhere else, or another machine has it.
   */
  readonly state: FileState | 'elsewhere';
  /** Name of that machine; untrusted text. */
  readonly machine?: string | undefined;
  /** Name of the take that uses this file. Absent if a newer file replaced it or the take was removed from the manifest. */
  readonly word: string | undefined;
}

/** Whether a take needs this file and the file is missing or changed. */
export function isBad({ state, word }: CheckedFile): boolean {
  return state !== 'present' && state !== 'elsewhere' && word !== undefined;
}

/** Hashes every stored file again and compares it with the lockfile. Changes nothing. */
export async function checkFiles(
  view: DiskView,
  attempts: readonly Attempt[],
  { rows, stored }: TakeStatuses,
): Promise<readonly CheckedFile[]> {
  const words = new Map(
    rows.flatMap((row) =>
      restsOn(row, attempts).map(({ attempt }) => [attempt, takeWord(row.take)] as const),
    ),
  );
  const away = new Map(
    rows
      .filter(isElsewhere)
      .map((row) => ['attempt' in row.decision ? row.decision.attempt.attempt : '', machineOf(row)]),
  );
  const limit = pLimit(HASHES_AT_ONCE);
  const hashOf = hashedOnce(view.output.files);
  return Promise.all(
    attempts.flatMap((attempt) => {
      const { file, state } = attempt;
      if (file === undefined || (state !== 'stored' && state !== 'done')) return [];
      // If two attempts name a path, it is checked against the one whose file it is now.
      if ((stored.owners.get(file.path) ?? attempt.attempt) !== attempt.attempt) return [];
      const word = words.get(attempt.attempt);
      return limit(async () => {
        const found = await stateOf(view, attempt, 'hash', file.path, hashOf);
        const state = found === 'missing' && away.has(attempt.attempt) ? ('elsewhere' as const) : found;
        return { attempt, path: file.path, word, state, machine: away.get(attempt.attempt) };
      });
    }),
  );
}

/** Includes the earlier attempt as long as the outcome of the attempt to make it again is unknown. */
function restsOn({ take, decision }: PlanRow, attempts: readonly Attempt[]): readonly Attempt[] {
  if (!('attempt' in decision)) return [];
  if (decision.kind !== 'collect' && decision.kind !== 'in_doubt' && decision.kind !== 'elsewhere')
    return [decision.attempt];
  const [before] = attempts
    .filter((one) => one.state === 'done' && one.digest === take.digest && takeId(one) === takeId(take))
    .sort(compareNewest);
  return before === undefined ? [decision.attempt] : [decision.attempt, before];
}
