/** The headers of one answer, with what is known of its request. Times are local where not said otherwise, ms. */
export interface Reading {
  readonly token: number;
  readonly remaining: number;
  /** By the service's clock. */
  readonly resetMs: number;
  /** The service's clock less this machine's: at least this, and at most about a second more. `undefined`: unknown. */
  readonly skewMs: number | undefined;
  readonly sentMs: number;
  readonly nowMs: number;
  /** Requests that the service may have counted after this one: sent later, still under way, or answered meanwhile without a word. */
  readonly uncounted: number;
  /** Requests sent after this one. */
  readonly sentAfter: number;
  /** Nothing else was under way from its being sent to its answer: its count is exact. */
  readonly alone: boolean;
}

/** Keeps the count by one way of limiting. */
export interface Ledger {
  available(nowMs: number): number;
  opensAtMs(nowMs: number): number;
  lapsesAtMs(nowMs: number): number;
  sent(token: number, nowMs: number): void;
  /** `stale`: of a time before; `shared`: somebody else spends from the same budget; `foreign`: not of this way of limiting. */
  read(reading: Reading): 'fits' | 'stale' | 'shared' | 'foreign';
  /** An answer without headers. `true`: it was to bring them. */
  unread(token: number): boolean;
  /** A 429 came. */
  refused(nowMs: number): void;
}
