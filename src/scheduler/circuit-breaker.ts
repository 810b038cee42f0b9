/**
 * Pauses submits to a model that refuses them because it is overloaded, offline or at capacity. After the pause one
 * submit is tried alone; if it is accepted, all may be sent again. Polls and clean-ups continue meanwhile.
 */
export interface CircuitBreaker {
  allows(nowMs: number): boolean;
  /** When submits may be allowed again if no response comes first. `Infinity`: only a response changes it. */
  opensAtMs(nowMs: number): number;
  /** When the pause after the last refusal ends, in ms; in the past if there is none. */
  pausedUntilMs(): number;
  /** How often in a row the model refused a submit after a pause. Refusals at the same time count as one. */
  refusals(): number;
  sent(): void;
  /** Records that the model refused a submit. `retryAfterSeconds` is the pause that its response names, if any. */
  refused(retryAfterSeconds: number | undefined, nowMs: number): void;
  /** Records that a submit has ended. */
  settled(accepted: boolean): void;
}

/** The first pause, in ms, where the response names none. Doubled with each further refusal. */
const PAUSE_MS = 10_000;
const PAUSE_MS_MAX = 80_000;
const RETRY_SECONDS_MAX = 3_600;
/** After so many refusals in a row, a short pause that the response names is no longer believed. */
const BELIEVED_MAX = 3;

export function createCircuitBreaker(): CircuitBreaker {
  let closedUntilMs = Number.NEGATIVE_INFINITY;
  let refusals = 0;
  let activeRequests = 0;
  const isBusy = (): boolean => refusals > 0 && activeRequests > 0;
  return {
    allows: (nowMs) => nowMs >= closedUntilMs && !isBusy(),
    opensAtMs: (nowMs) => (isBusy() ? Number.POSITIVE_INFINITY : Math.max(nowMs, closedUntilMs)),
    pausedUntilMs: () => closedUntilMs,
    refusals: () => refusals,
    sent: () => {
      activeRequests += 1;
    },
    refused: (retryAfterSeconds, nowMs) => {
      // Refusals of submits that were in flight together count as one.
      if (nowMs >= closedUntilMs) refusals += 1;
      const ownMs = Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** (refusals - 1));
      const namedMs = retryAfterSeconds && Math.min(RETRY_SECONDS_MAX, retryAfterSeconds) * 1_000;
      const pauseMs = refusals > BELIEVED_MAX ? Math.max(namedMs ?? 0, ownMs) : (namedMs ?? ownMs);
      closedUntilMs = Math.max(closedUntilMs, nowMs + pauseMs);
    },
    settled: (accepted) => {
      activeRequests -= 1;
      if (accepted) refusals = 0;
    },
  };
}
