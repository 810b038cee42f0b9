import type { Attempt } from './attempt.js';

export interface LockHeader {
  readonly format: 'venice-batch-lock';
  readonly version: 1;
  /** Base URL of the API that all attempts went to. */
  readonly endpoint: string;
  /** Random, for the lockfile's whole life: 32 hex digits. Salts the key fingerprints. */
  readonly lineage: string;
}

/** The single writer of a lockfile, for one process that holds its guard. */
export interface LockStore {
  readonly header: LockHeader;
  /** Folded, by attempt id, in the order of first appearance. */
  readonly attempts: ReadonlyMap<string, Attempt>;
  /**
   * Appends the attempt as it is now; resolved when it is durable (one sync serves all that wait).
   * `rev` must be higher than what is known. Rejects with the `FileFault` when it could not be made durable;
   * `attempts` then does not show it, and later calls try again from a sound end of the file.
   */
  record(attempt: Attempt): Promise<void>;
  /** Rewrites the file canonically (one line an attempt, sorted; atomic) and closes it. */
  close(): Promise<void>;
  /** Closes without rewriting: nothing was changed, or the disk is in trouble. */
  abandon(): Promise<void>;
}
