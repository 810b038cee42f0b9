/** Rate limit headers of one response. All are optional. */
export interface RateHeaders {
  readonly limit?: number;
  readonly remaining?: number;
  /** When the window resets, in Unix seconds by the server's clock. */
  readonly resetUnixSeconds?: number;
  /** Seconds, from `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** How many more failed requests the key may make before it is blocked, and when that count starts again. */
  readonly errorsRemaining?: number;
  readonly errorsResetUnixSeconds?: number;
  /** The server's clock at the time of the response, in Unix seconds, from `Date`. */
  readonly dateUnixSeconds?: number;
}

/** The service's time when its response arrived, in ms; without a `Date`, this machine's. */
export function serviceMs({ dateUnixSeconds }: RateHeaders, nowMs: number): number {
  return dateUnixSeconds === undefined ? nowMs : dateUnixSeconds * 1_000;
}
