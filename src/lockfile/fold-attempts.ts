import { createHash } from 'node:crypto';
import type { Attempt } from './attempt.js';
import { STATE_RANK } from './check.js';
import { attemptLine } from './line.js';

/**
 * Folds records. The result does not depend on the order or repetition of records, so files of two branches can be
 * merged line by line.
 *
 * A job is what is paid for, and `queue_id` is its name. So for one attempt:
 * - among records of the same job, one that names the stored file wins over any that does not: otherwise a branch that
 *   could not get the audio would hide the one that has it. Then the highest `rev` wins, then the later state
 *   (`STATE_RANK`);
 * - a record that knows the job wins over any that does not, whatever its `rev`: otherwise a branch that gave the
 *   attempt up would hide a paid job that another branch had found;
 * - if a merge brings two jobs, both stay: the first by name keeps the attempt's id, and the other becomes a separate
 *   attempt with an id derived from both names.
 */
export interface Fold {
  /** By attempt id, in order of first appearance. */
  readonly attempts: ReadonlyMap<string, Attempt>;
  add(record: Attempt): void;
  /** Whether the record can be added: no merge brings more than `JOBS_MAX` jobs under one attempt id. */
  hasRoom(record: Attempt): boolean;
  /** The attempts that adding the record can change. */
  familyOf(record: Attempt): readonly Attempt[];
}

/** For one attempt. Limits the work for each line of a file that may be malicious. */
export const JOBS_MAX = 16;

export function createFold(records: Iterable<Attempt> = []): Fold {
  const attempts = new Map<string, Attempt>();
  const families = new Map<string, readonly Attempt[]>();

  function add(record: Attempt): void {
    const family = familyOf(record);
    const before = families.get(family);
    const after = before === undefined ? [record] : foldFamily(before, record);
    families.set(family, after);
    for (const { attempt } of before ?? []) {
      if (!after.some((member) => member.attempt === attempt)) attempts.delete(attempt);
    }
    for (const member of after) attempts.set(member.attempt, member);
  }

  for (const record of records) add(record);
  const membersOf = (record: Attempt) => families.get(familyOf(record)) ?? [];
  return {
    attempts,
    add,
    familyOf: membersOf,
    hasRoom: (record) => {
      const members = membersOf(record);
      return members.length < JOBS_MAX || members.some((member) => isSameJob(member, record));
    },
  };
}

function isSameJob(a: Attempt, b: Attempt): boolean {
  return a.attempt === b.attempt && a.queue_id === b.queue_id;
}

/** What an attempt and those derived from it have in common. */
export function familyOf({ attempt }: Pick<Attempt, 'attempt'>): string {
  return attempt.slice(0, FAMILY_DIGITS);
}

export function foldAttempts(records: Iterable<Attempt>): ReadonlyMap<string, Attempt> {
  return createFold(records).attempts;
}

/** An attempt and those derived from it share this many leading digits of their ids. */
const FAMILY_DIGITS = 24;

/** The id of an attempt's second job. */
export function derivedAttemptId(attempt: string, queueId: string): string {
  const hash = createHash('sha256')
    .update(`${attempt.slice(0, FAMILY_DIGITS)} ${queueId}`)
    .digest('hex');
  return attempt.slice(0, FAMILY_DIGITS) + hash.slice(0, 32 - FAMILY_DIGITS);
}

function foldFamily(members: readonly Attempt[], record: Attempt): readonly Attempt[] {
  const only = members[0];
  if (members.length === 1 && only !== undefined && only.attempt === record.attempt) {
    if (only.queue_id === record.queue_id) return [higher(only, record)];
    if (record.queue_id === undefined) return [only];
    if (only.queue_id === undefined) return [record];
  }
  return namedJobs([...members, record]);
}

interface Job {
  readonly queueId: string;
  best: Attempt;
  /** Attempt ids that it was submitted under, without derived ones. */
  readonly submittedAs: Set<string>;
}

function namedJobs(records: readonly Attempt[]): readonly Attempt[] {
  const jobs = jobsOf(records);
  const result = new Map<string, Attempt>();
  for (const job of jobs) {
    const own = [...job.submittedAs].filter((attempt) => !result.has(attempt));
    const ids = own.length > 0 ? own : [derivedAttemptId(job.best.attempt, job.queueId)];
    for (const attempt of ids) result.set(attempt, { ...job.best, attempt });
  }
  const answered = new Set(jobs.flatMap((job) => [...job.submittedAs]));
  for (const record of records) {
    if (record.queue_id !== undefined || answered.has(record.attempt)) continue;
    const other = result.get(record.attempt);
    if (other?.queue_id !== undefined) continue;
    result.set(record.attempt, other === undefined ? record : higher(other, record));
  }
  return [...result.values()];
}

/** The jobs of a family with the best record of each, sorted by name. */
function jobsOf(records: readonly Attempt[]): readonly Job[] {
  const jobs = new Map<string, Job>();
  for (const record of records) {
    const queueId = record.queue_id;
    if (queueId === undefined) continue;
    const job = jobs.get(queueId) ?? { queueId, best: record, submittedAs: new Set() };
    job.best = higher(job.best, record);
    if (record.attempt !== derivedAttemptId(record.attempt, queueId)) job.submittedAs.add(record.attempt);
    jobs.set(queueId, job);
  }
  return [...jobs.values()].sort((a, b) => (a.queueId < b.queueId ? -1 : 1));
}

type Ranked = Pick<Attempt, 'rev' | 'state'> & { readonly file?: Attempt['file'] | undefined };

/** Positive if the first of two records of the same job wins over the second; see `Fold`. */
export function compareRecords(a: Ranked, b: Ranked): number {
  const filed = Number(a.file !== undefined) - Number(b.file !== undefined);
  return filed || a.rev - b.rev || STATE_RANK[a.state] - STATE_RANK[b.state];
}

/** Whether a fold has more of an attempt than the other record of it, if there is one. */
export function isNewerThan(folded: Attempt, other: Attempt | undefined): boolean {
  if (other === undefined || other.queue_id !== folded.queue_id) return true;
  return compareRecords(folded, other) > 0;
}

function higher(a: Attempt, b: Attempt): Attempt {
  const difference = compareRecords(a, b);
  if (difference !== 0) return difference > 0 ? a : b;
  // Equal in rank. Either will do, but it must be the same one in every order and under either id.
  return attemptLine(a) >= attemptLine({ ...b, attempt: a.attempt }) ? a : b;
}
