import type { BatchError } from '../core/errors.js';
import type { Attempt } from './attempt.js';
import type { LockHeader } from './header.js';

/**
 * Result of recording. A local lockfile records everything; a shared log may refuse:
 * - `taken`: another run claimed or bought the intent's take, so it is not bought here.
 * - `over_budget`: the intent would exceed the budget, given what all runs have spent.
 * - `superseded`: another record of the attempt is ahead of this one; see `newest`.
 */
export type Recorded = 'recorded' | 'taken' | 'over_budget' | 'superseded';

/** What a record is checked against, where others may have written since the decision. */
export interface RecordLimits {
  /** Of an intent: over the life of the lockfile, integer micro-dollars. */
  readonly budgetMicroUsd?: number | undefined;
  /** Of an intent: ids of all attempts that were known when it was decided to buy. */
  readonly known?: ReadonlySet<string> | undefined;
  /** A person decided it (`resolve`). */
  readonly byPerson?: boolean;
}

/** Who carries an attempt on. */
export type Holder =
  | { readonly kind: 'here' }
  /** Another run. `silent`: it has recorded nothing for so long that it may be gone. */
  | { readonly kind: 'elsewhere'; readonly silent: boolean; readonly lastSeen?: string | undefined };

/** The other runs, where the records are in a log that several machines write. */
export interface Sharing {
  /** Of the log, without secrets. */
  readonly address: string;
  /** This run's id. */
  readonly run: string;
  holderOf(attempt: Attempt): Holder;
  /** The name of another machine that stored the attempt's file; `undefined` where this one did. */
  keptBy(attempt: Attempt): string | undefined;
  /** Attempts of other runs that this one had not seen at the last call. */
  news(): readonly Attempt[];
  /** How many runs work on the batch now, this one included. */
  runs(): number;
  /** Brings in what other runs recorded, and puts into the log what it could not take before. Rejects with a `BatchError`. */
  refresh(): Promise<void>;
  /**
   * True if the log has this record, or one that supersedes it, so that it survives the loss of
   * this machine.
   */
  has(attempt: Attempt): boolean;
  /** Tells other runs that this one is alive. */
  beat(): Promise<void>;
  /** Tests that the store of the log can be relied on and written to. Rejects with a `BatchError`. */
  prove(): Promise<void>;
}

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
  record(attempt: Attempt, limits?: RecordLimits): Promise<Recorded>;
  /**
   * Makes sure that the path still names the file that holds all records, and puts them back where it does not. Rejects
   * with the `FileFault`.
   */
  confirm(): Promise<void>;
  /** Absent where the lockfile is this machine's alone. */
  readonly sharing?: Sharing;
  /** Why nothing may be bought any more: what others did to the lockfile during the run, or a fault of the shared log. */
  trouble(): StoreFault | undefined;
  /** Rewrites the file canonically (one line an attempt, sorted; atomic) and closes it. */
  close(): Promise<void>;
  /** Closes without rewriting: nothing was changed, or the disk is in trouble. */
  abandon(): Promise<void>;
}

export type StoreFault =
  /** It cannot be used, or is another one: records go into the journal alone. The error says what to do. */
  | { readonly kind: 'displaced'; readonly error: BatchError }
  /** It has attempts that this run did not know when it was planned. */
  | { readonly kind: 'grown' }
  /** The shared log cannot be used now: records are kept in the lockfile until it can. The error says what to do. */
  | { readonly kind: 'log'; readonly error: BatchError };
