/**
 * Keeps submits from a model that takes none: overloaded, offline or at capacity. After a refusal no submit goes to
 * it for a while, then one alone; once that is accepted, all may go again. Its jobs are polled and cleaned up meanwhile.
 */
export interface CircuitBreaker {
  allows(nowMs: number): boolean;
  /** While it does not allow: when that may change without an answer. `Infinity`: only an answer changes it. */
  opensAtMs(nowMs: number): number;
  /** When the pause after the last refusal ends, ms; in the past where there is none. */
  pausedUntilMs(): number;
  /** A submit was sent. */
  sent(): void;
  /** The model refused a submit; `retryAfterSeconds` as its answer names it. */
  refused(retryAfterSeconds: number | undefined, nowMs: number): void;
  /** A submit came to an end. */
  settled(accepted: boolean): void;
}

/** Where the model names no time, ms: doubled with each refusal. */
const PAUSE_MS = 10_000;
const PAUSE_MS_MAX = 80_000;
const RETRY_SECONDS_MAX = 3_600;

export function createCircuitBreaker(): CircuitBreaker {
  let closedUntilMs = Number.NEGATIVE_INFINITY;
  let refusals = 0;
  let activeRequests = 0;
  const isBusy = (): boolean => refusals > 0 && activeRequests > 0;
  return {
    allows: (nowMs) => nowMs >= closedUntilMs && !isBusy(),
    opensAtMs: (nowMs) => (isBusy() ? Number.POSITIVE_INFINITY : Math.max(nowMs, closedUntilMs)),
    pausedUntilMs: () => closedUntilMs,
    sent: () => {
      activeRequests += 1;
    },
    refused: (retryAfterSeconds, nowMs) => {
      // Those that were under way together are one refusal.
      if (nowMs >= closedUntilMs) refusals += 1;
      const pauseMs =
        retryAfterSeconds === undefined
          ? Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** (refusals - 1))
          : Math.min(RETRY_SECONDS_MAX, retryAfterSeconds) * 1_000;
      closedUntilMs = Math.max(closedUntilMs, nowMs + pauseMs);
    },
    settled: (accepted) => {
      activeRequests -= 1;
      if (accepted) refusals = 0;
    },
  };
}
