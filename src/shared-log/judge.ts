import { type Attempt, type AttemptState, countsAsSpent } from '../lockfile/attempt.js';
import { derivedAttemptId, foldAttempts } from '../lockfile/fold-attempts.js';
import { attemptLine } from '../lockfile/line.js';
import { isInDoubt, isInFlight, takeId } from '../plan/history.js';
import { type LogState, originOf } from './log-state.js';
import type { AppendAnswer, AppendLimits } from './shared-log.js';

/** A record that a caller waits for. */
export interface Wanted {
  readonly attempt: Attempt;
  readonly limits: AppendLimits;
}

/** `write`: it belongs in the next entry. */
export type Verdict = 'write' | AppendAnswer;

/**
 * Decides what to do about each record, given the log and earlier records of the same group. Pure, and the only place
 * that decides what an entry may contain.
 * @param run that wants to write them
 */
export function judge(state: LogState, run: string, wanted: readonly Wanted[]): readonly Verdict[] {
  const written = new Map<string, Attempt>();
  return wanted.map(({ attempt, limits }) => {
    const verdict = judgeOne(state, run, { attempt, limits }, written);
    if (verdict === 'write') written.set(attempt.attempt, attempt);
    return verdict;
  });
}

type Written = ReadonlyMap<string, Attempt>;

function judgeOne(state: LogState, run: string, { attempt, limits }: Wanted, written: Written): Verdict {
  const known = newestOf(state, attempt, written);
  if (known !== undefined) {
    if (attemptLine(known) === attemptLine(attempt))
      return written.has(attempt.attempt) ? 'write' : 'recorded';
    if (!outranks(attempt, known) || isSetBack(attempt, known)) return 'superseded';
    const maker = written.has(attempt.attempt) ? run : originOf(state, attempt.attempt)?.run;
    if (known.state === 'intent' && maker !== run && limits.byPerson !== true) return 'superseded';
    return 'write';
  }
  if (attempt.state !== 'intent') return 'write';
  const all = [...allAttempts(state, written)];
  if (all.some((other) => blocks(other, attempt, limits.over))) return 'taken';
  return isWithinBudget(all, attempt, limits.budgetMicroUsd) ? 'write' : 'over_budget';
}

/**
 * What is known of the attempt, under its own id. If it has two jobs, the second is in the log under a derived id: each
 * record is compared with records of the same job.
 */
function newestOf(state: LogState, attempt: Attempt, written: Written): Attempt | undefined {
  const known = written.get(attempt.attempt) ?? state.fold.attempts.get(attempt.attempt);
  if (known?.queue_id === undefined || attempt.queue_id === undefined) return known;
  if (known.queue_id === attempt.queue_id) return known;
  const second = state.fold.attempts.get(derivedAttemptId(attempt.attempt, attempt.queue_id));
  return second === undefined ? known : { ...second, attempt: attempt.attempt };
}

/**
 * A late observation: another run has already collected the job, or the user has said that it was not charged. Another
 * job of the same attempt is new, whatever became of the first.
 */
function isSetBack(attempt: Attempt, known: Attempt): boolean {
  if (known.state === 'rejected') return attempt.state === 'in_doubt' && attempt.queue_id === undefined;
  if (known.queue_id !== attempt.queue_id) return false;
  if (known.state === 'done') return attempt.state !== 'done';
  return known.state === 'stored' && GIVEN_UP.has(attempt.state);
}

const GIVEN_UP: ReadonlySet<AttemptState> = new Set(['lost', 'failed', 'unverified']);

/** Whether any of it would survive the fold. */
function outranks(attempt: Attempt, known: Attempt): boolean {
  const after = [...foldAttempts([known, attempt]).values()];
  return after.length > 1 || after.some((one) => attemptLine(one) !== attemptLine(known));
}

function* allAttempts(state: LogState, written: Written): Iterable<Attempt> {
  for (const attempt of state.fold.attempts.values()) if (!written.has(attempt.attempt)) yield attempt;
  yield* written.values();
}

/** Whether another attempt already occupies the intent's take. A claim never expires. */
function blocks(other: Attempt, intent: Attempt, over: AppendLimits['over']): boolean {
  if (takeId(other) !== takeId(intent) || other.state === 'rejected') return false;
  if (isInDoubt(other)) return true;
  const planned = over?.get(other.attempt);
  if (planned === undefined) return true;
  if (other.digest !== intent.digest) return false;
  return isInFlight(other) || (other.state === 'done' && planned !== 'done');
}

function isWithinBudget(
  all: readonly Attempt[],
  intent: Attempt,
  budgetMicroUsd: number | undefined,
): boolean {
  if (budgetMicroUsd === undefined) return true;
  const spent = all.reduce((sum, one) => sum + (countsAsSpent(one) ? one.quote_micro_usd : 0), 0);
  return spent + intent.quote_micro_usd <= budgetMicroUsd;
}
