/**
 * Distinguishes a failed job from a service in trouble when a retrieve answers 500 or 503, which the API uses for both.
 * A failed job gets the error on every poll, for a long time, while the service answers for other jobs.
 */
export interface ServerErrors {
  /**
   * Records that the retrieve of a job answered 500 or 503.
   *
   * @param expectedAtMs when the job was expected to be done
   * @returns whether that has happened often and long enough to mean that the job failed
   */
  came(job: string, expectedAtMs: number, nowMs: number): boolean;
  /** Records that the retrieve of a job was answered differently. */
  answered(job: string, nowMs: number): void;
  /**
   * Records that the response did not come from the API: it ends the series of errors, and proves nothing about the
   * service.
   */
  interrupted(job: string): void;
}

/** The number of consecutive errors, and the time from first to last, that mean a failed job. */
const ERRORS_MIN = 4;
const SPAN_MS_MIN = 60_000;
/**
 * The time between two errors counts up to twice the time before it and this: the machine may have slept, or its clock
 * jumped.
 */
const LONGER_MS_MAX = 10_000;
/**
 * If at least this many jobs only get errors at the same time, and fewer are answered, an outage is more likely: it has
 * to last longer.
 */
const OUTAGE_JOBS = 4;
const OUTAGE_SPAN_MS_MIN = 10 * 60_000;

export function createServerErrors(): ServerErrors {
  const rows = new Map<
    string,
    { count: number; spanMs: number; betweenMs: number; lastMs: number; readonly sinceMs: number }
  >();
  const answeredMs = new Map<string, number>();
  return {
    came(job, expectedAtMs, nowMs) {
      const row = rows.get(job) ?? { count: 0, spanMs: 0, betweenMs: 0, lastMs: nowMs, sinceMs: nowMs };
      rows.set(job, row);
      row.count += 1;
      row.betweenMs = Math.min(nowMs - row.lastMs, 2 * row.betweenMs + LONGER_MS_MAX);
      row.spanMs += row.betweenMs;
      row.lastMs = nowMs;
      const working = [...answeredMs.values()].filter((atMs) => atMs >= row.sinceMs).length;
      const outage = rows.size >= OUTAGE_JOBS && working < rows.size;
      const spanMs = outage ? OUTAGE_SPAN_MS_MIN : SPAN_MS_MIN;
      return row.count >= ERRORS_MIN && row.spanMs >= spanMs && nowMs >= expectedAtMs;
    },
    answered(job, nowMs) {
      rows.delete(job);
      answeredMs.set(job, nowMs);
    },
    interrupted: (job) => void rows.delete(job),
  };
}
