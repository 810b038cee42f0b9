import { type Attempt, spentMicroUsd } from './attempt.js';
import { type BoughtTwice, boughtTwice } from './bought-twice.js';
import { createFold } from './fold-attempts.js';
import {
  joinHeaders,
  LINEAGES_MAX,
  type LockHeader,
  lineagesOf,
  logsOf,
  withVersion,
} from './lock-header.js';

export interface Lock {
  readonly header: LockHeader;
  readonly attempts: ReadonlyMap<string, Attempt>;
}

export type MergedLocks =
  | { readonly ok: true; readonly lock: Lock; readonly report: MergeReport }
  | {
      readonly ok: false;
      readonly why: 'other_endpoint' | 'other_log' | 'too_many_lineages' | 'too_many_jobs';
    };

export interface MergeReport {
  readonly attempts: number;
  /** Attempts that only the first, or only the second lockfile had. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** In integer micro-dollars. */
  readonly spentMicroUsd: number;
  readonly boughtTwice: readonly BoughtTwice[];
}

/**
 * Merges two lockfiles of one manifest, even if they were created separately. Pure. The order and number of merges do
 * not matter, so everyone who merges the same files gets the same result. Every attempt and every `queue_id` is kept.
 *
 * @param log address of the shared log that the result is a copy of, if they name two
 */
export function mergeLocks(first: Lock, second: Lock, log?: string): MergedLocks {
  if (first.header.endpoint !== second.header.endpoint) return { ok: false, why: 'other_endpoint' };
  const logs = logsOf(first.header, second.header);
  if (logs.length > 1 && (log === undefined || !logs.includes(log))) return { ok: false, why: 'other_log' };
  const joined = joinHeaders(first.header, second.header);
  const header = log !== undefined && logs.length > 1 ? withVersion({ ...joined, log }) : joined;
  if (lineagesOf(header).length > LINEAGES_MAX) return { ok: false, why: 'too_many_lineages' };
  const fold = createFold(copied(first, header));
  for (const attempt of copied(second, header)) {
    if (!fold.hasRoom(attempt)) return { ok: false, why: 'too_many_jobs' };
    fold.add(attempt);
  }
  const { attempts } = fold;
  const onlyIn = (one: Lock, other: Lock) =>
    [...one.attempts.keys()].filter((attempt) => !other.attempts.has(attempt)).length;
  return {
    ok: true,
    lock: { header, attempts },
    report: {
      attempts: attempts.size,
      onlyFirst: onlyIn(first, second),
      onlySecond: onlyIn(second, first),
      spentMicroUsd: spentMicroUsd(attempts.values()),
      boughtTwice: boughtTwice(attempts.values()),
    },
  };
}

/** What was copied from another shared log is not known to be in the one that the result is a copy of. */
function copied({ header, attempts }: Lock, { log }: LockHeader): readonly Attempt[] {
  if (header.log === undefined || header.log === log) return [...attempts.values()];
  return [...attempts.values()].map(({ log_rev: _rev, ...attempt }) => attempt);
}
