/** The headers of one response, and what is known about its request. Times are local unless stated otherwise, in ms. */
export interface Reading {
  readonly token: number;
  readonly remaining: number;
  /** In the service's time. */
  readonly resetMs: number;
  /**
   * How far the service's clock is ahead of this machine's: at least this, and at most about a second more.
   * `undefined`: unknown.
   */
  readonly skewMs: number | undefined;
  readonly sentMs: number;
  readonly nowMs: number;
  /**
   * Requests that the service may have counted after this one: sent later, still in flight, or answered meanwhile
   * without headers.
   */
  readonly uncounted: number;
  /** Requests sent after this one. */
  readonly sentAfter: number;
  /** Nothing else was in flight between this request and its response, so its count is exact. */
  readonly alone: boolean;
}

/** Keeps the count for one kind of limit. */
export interface Ledger {
  available(nowMs: number): number;
  opensAtMs(nowMs: number): number;
  lapsesAtMs(nowMs: number): number;
  sent(token: number, nowMs: number): void;
  /** `stale`: from an earlier window. `shared`: others use the same budget. `foreign`: not this kind of limit. */
  read(reading: Reading): 'fits' | 'stale' | 'shared' | 'foreign';
  /** Records a response without headers. Returns `true` if it was expected to bring them. */
  unread(token: number): boolean;
  /** Records a 429. */
  refused(nowMs: number): void;
}
