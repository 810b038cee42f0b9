/**
 * Keeps a key from being blocked. The service blocks a key for 30 s after more than 20 failed requests within 30 s,
 * across all models. Active requests are counted as failures until they are answered.
 */
export interface ErrorBudget {
  allows(unanswered: number, nowMs: number): boolean;
  /** When requests may be allowed again if no response comes first. `Infinity`: only a response changes it. */
  opensAtMs(unanswered: number, nowMs: number): number;
  /** `status` is absent if no response came. */
  answered(status: number | undefined, nowMs: number): void;
}

const SPAN_MS = 30_500;
/** Requests pause at this many failures within the span. */
const FAILURES_MAX = 14;
/** The same, with all active requests counted as failures. */
const FAILURES_POSSIBLE_MAX = 19;

export function createErrorBudget(): ErrorBudget {
  let failuresMs: number[] = [];
  const recentlySent = (nowMs: number): number => {
    if (failuresMs.length > 0 && failuresMs[0]! <= nowMs - SPAN_MS) {
      failuresMs = failuresMs.filter((ms) => ms > nowMs - SPAN_MS);
    }
    return failuresMs.length;
  };
  const excess = (unanswered: number, nowMs: number): number => {
    const failures = recentlySent(nowMs);
    if (failures === 0) return 0;
    return Math.max(failures - (FAILURES_MAX - 1), failures + unanswered - (FAILURES_POSSIBLE_MAX - 1), 0);
  };
  return {
    allows: (unanswered, nowMs) => excess(unanswered, nowMs) === 0,
    opensAtMs: (unanswered, nowMs) => {
      const many = excess(unanswered, nowMs);
      if (many === 0) return nowMs;
      const last = failuresMs[many - 1];
      return last === undefined ? Number.POSITIVE_INFINITY : last + SPAN_MS;
    },
    answered: (status, nowMs) => {
      recentlySent(nowMs);
      if (status === undefined || status >= 400) failuresMs.push(nowMs);
    },
  };
}
