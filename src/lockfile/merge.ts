import { createHash } from 'node:crypto';
import type { Attempt } from './attempt.js';
import { STATE_RANK } from './check.js';
import { attemptLine } from './line.js';

/**
 * All records seen so far, folded. What it holds is the same whatever the order in which they came and
 * however often, so that files of two branches can be put together line by line.
 *
 * What is paid for is a job, and its name is the `queue_id`. So of one attempt:
 * - among records of the same job, the highest `rev` wins, then the later state (`STATE_RANK`);
 * - a record that knows the job stands above any that does not, whatever its `rev`: else a branch that
 *   gave the attempt up would hide a paid job that another branch had found;
 * - two jobs (only a merge brings them) both stay: the first by name keeps the attempt's id, the other
 *   goes on as an attempt of its own, under an id that follows from the two names.
 */
export interface Fold {
  /** By attempt id, in the order of first appearance. */
  readonly attempts: ReadonlyMap<string, Attempt>;
  add(record: Attempt): void;
  /** Whether the record can be added: no merge brings more than `JOBS_MAX` jobs under one attempt id. */
  hasRoom(record: Attempt): boolean;
}

/** Of one attempt: those of some branches at most. It bounds the work for each line of a stranger's file. */
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
  return {
    attempts,
    add,
    hasRoom: (record) => {
      const members = families.get(familyOf(record)) ?? [];
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

/** The folded attempts of some records. */
export function foldAttempts(records: Iterable<Attempt>): ReadonlyMap<string, Attempt> {
  return createFold(records).attempts;
}

/** An attempt and those derived from it share so many leading digits of their ids. */
const FAMILY_DIGITS = 24;

/** The id under which a second job of an attempt goes on. */
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
  /** Attempt ids it was submitted under: not those derived. */
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

/** The jobs of a family, each with its best record, the first by name first. */
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

function higher(a: Attempt, b: Attempt): Attempt {
  const difference = a.rev - b.rev || STATE_RANK[a.state] - STATE_RANK[b.state];
  if (difference !== 0) return difference > 0 ? a : b;
  // Equal in rank: which one is of no matter, but it must be the same one in every order and under either id.
  return attemptLine(a) >= attemptLine({ ...b, attempt: a.attempt }) ? a : b;
}
