import type { BatchError } from '../core/errors.js';
import type { Attempt } from './attempt.js';
import type { LockHeader } from './header.js';

/** The single writer of a lockfile, for one process that holds its guard. */
export interface LockStore {
  readonly header: LockHeader;
  /** Folded, by attempt id, in the order of first appearance. */
  readonly attempts: ReadonlyMap<string, Attempt>;
  /** The newest record of an attempt, also one that is still being written: what the next one is made from. */
  newest(attempt: string): Attempt | undefined;
  /**
   * Appends the attempt as it is now; resolved when it is durable (one sync serves all that wait).
   * `rev` must be higher than what is known. Rejects with the `FileFault` when it could not be made durable;
   * `attempts` then does not show it, and later calls try again from a sound end of the file.
   */
  record(attempt: Attempt): Promise<void>;
  /**
   * Makes sure that the path still names the file that holds all records, and puts them back where it does not. Rejects
   * with the `FileFault`.
   */
  confirm(): Promise<void>;
  /** Why nothing may be bought any more: what others did to the lockfile during the run. */
  trouble(): StoreTrouble | undefined;
  /** Rewrites the file canonically (one line an attempt, sorted; atomic) and closes it. */
  close(): Promise<void>;
  /** Closes without rewriting: nothing was changed, or the disk is in trouble. */
  abandon(): Promise<void>;
}

export type StoreTrouble =
  /** It cannot be used, or is another one: records go into the journal alone. The error says what to do. */
  | { readonly kind: 'displaced'; readonly error: BatchError }
  /** It has attempts that this run did not know when it was planned. */
  | { readonly kind: 'grown' };
