/**
 * Tells a job's own failure from a service in trouble, where a retrieve answers 500 or 503: the API tells both that
 * way. A failure is repeated on every poll, for long, while the service answers for other jobs.
 */
export interface ServerErrors {
  /**
   * The retrieve of a job answered 500 or 503.
   *
   * @param expectedAtMs when the job was expected to be done
   * @returns whether that has come often and long enough to be the job's verdict
   */
  came(job: string, expectedAtMs: number, nowMs: number): boolean;
  /** The retrieve of a job was answered in another way. */
  answered(job: string, nowMs: number): void;
  /** What came is no answer of the API: it breaks the row of errors, and proves nothing about the service. */
  interrupted(job: string): void;
}

/** Errors in a row, and the time from the first to the last of them, that make a verdict. */
const ERRORS_MIN = 4;
const SPAN_MS_MIN = 60_000;
/** The time between two errors counts up to twice the time before it and this: the machine may have slept, or its clock jumped. */
const LONGER_MS_MAX = 10_000;
/** From so many jobs on that only get errors at the same time, an outage is likelier: it has to last longer. */
const OUTAGE_JOBS = 4;
const OUTAGE_SPAN_MS_MIN = 10 * 60_000;

export function createServerErrors(): ServerErrors {
  const rows = new Map<
    string,
    { count: number; spanMs: number; betweenMs: number; lastMs: number; readonly sinceMs: number }
  >();
  let lastAnswerMs = Number.NEGATIVE_INFINITY;
  return {
    came(job, expectedAtMs, nowMs) {
      const row = rows.get(job) ?? { count: 0, spanMs: 0, betweenMs: 0, lastMs: nowMs, sinceMs: nowMs };
      rows.set(job, row);
      row.count += 1;
      row.betweenMs = Math.min(nowMs - row.lastMs, 2 * row.betweenMs + LONGER_MS_MAX);
      row.spanMs += row.betweenMs;
      row.lastMs = nowMs;
      const outage = rows.size >= OUTAGE_JOBS && lastAnswerMs < row.sinceMs;
      const spanMs = outage ? OUTAGE_SPAN_MS_MIN : SPAN_MS_MIN;
      return row.count >= ERRORS_MIN && row.spanMs >= spanMs && nowMs >= expectedAtMs;
    },
    answered(job, nowMs) {
      rows.delete(job);
      lastAnswerMs = nowMs;
    },
    interrupted: (job) => void rows.delete(job),
  };
}
