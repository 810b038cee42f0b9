/** Rate-limit facts of one answer. Any may be absent. */
export interface RateHeaders {
  readonly limit?: number;
  readonly remaining?: number;
  /** Unix seconds at which the window resets (the server's clock). */
  readonly resetUnixSeconds?: number;
  /** Seconds, from `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** The server's clock as it answered, Unix seconds, from `Date`. */
  readonly dateUnixSeconds?: number;
}
