import type { BatchError } from '../core/errors.js';
import type { Attempt, AttemptState } from './attempt.js';
import type { LockHeader } from './lock-header.js';

/**
 * Result of recording. A local lockfile accepts everything; a shared log may refuse:
 * - `taken`: another run claimed or bought the intent's take, so it is not bought here.
 * - `over_budget`: the intent would exceed the budget, given what all runs have spent.
 * - `superseded`: there is a newer record of the attempt; see `newest`.
 */
export type Recorded = 'recorded' | 'taken' | 'over_budget' | 'superseded';

/** What a record is checked against if others may have written since the decision. */
export interface RecordLimits {
  /** For an intent: over the lifetime of the lockfile, in integer micro-dollars. */
  readonly budgetMicroUsd?: number | undefined;
  /** For an intent: all attempts by id, with the states that they had when it was decided to buy. */
  readonly known?: ReadonlyMap<string, AttemptState> | undefined;
  /** The user decided it (`resolve`). */
  readonly byPerson?: boolean;
}

/** The run that is responsible for an attempt. */
export type Holder =
  | { readonly kind: 'here' }
  /**
   * Another run. `silent`: it has recorded nothing for so long that it may be gone. `lastSeen` is by its own clock,
   * `heardMs` by the one of this machine.
   */
  | {
      readonly kind: 'elsewhere';
      readonly silent: boolean;
      readonly lastSeen?: string | undefined;
      readonly heardMs?: number | undefined;
    };

/** The other runs, if several machines write to a shared log. */
export interface Sharing {
  /** Of the log, without secrets. */
  readonly address: string;
  readonly run: string;
  holderOf(attempt: Attempt): Holder;
  /** The name of another machine that stored the attempt's file; `undefined` if this machine did. */
  keptBy(attempt: Attempt): string | undefined;
  /** Attempts of other runs that are new since the last call. */
  unseen(): readonly Attempt[];
  /** How many runs are working on the batch, this one included. */
  runs(): number;
  /**
   * Reads what other runs recorded, and writes to the log what it could not take before. Rejects with a `BatchError`.
   */
  refresh(): Promise<void>;
  /** Whether the log has this record or a newer one, so that it survives the loss of this machine. */
  has(attempt: Attempt): boolean;
  /** Signals to other runs that this one is alive. */
  beat(): Promise<void>;
  /** Tests that the log's store is reliable and writable. Rejects with a `BatchError`. */
  prove(): Promise<void>;
}

/** The single writer of a lockfile, for the process that holds the run lock. */
export interface LockStore {
  readonly header: LockHeader;
  /** Folded, by attempt id, in order of first appearance. */
  readonly attempts: ReadonlyMap<string, Attempt>;
  /** The newest record of an attempt, including one still being written. The next record is derived from it. */
  newest(attempt: string): Attempt | undefined;
  /**
   * Appends the current state of the attempt. Resolves when it is durable; one sync serves all waiting calls. `rev`
   * must be higher than the known one. Rejects with the `FileFault` if it could not be made durable: `attempts` then
   * does not show it, and later calls try again from a sound end of the file.
   */
  record(attempt: Attempt, limits?: RecordLimits): Promise<Recorded>;
  /**
   * Checks that the path still names the file that holds all records, and restores them if not. Rejects with the
   * `FileFault`.
   */
  confirm(): Promise<void>;
  /** Absent if only this machine uses the lockfile. */
  readonly sharing?: Sharing;
  /** Why nothing more may be bought: the lockfile was changed during the run, or the shared log failed. */
  fault(): StoreFault | undefined;
  /** Rewrites the file in canonical form, atomically, and closes it. */
  close(): Promise<void>;
  /** Closes without rewriting: nothing was changed, or the disk is failing. */
  abandon(): Promise<void>;
}

export type StoreFault =
  /** The file cannot be used, or is a different one: records go only to the journal. The error says what to do. */
  | { readonly kind: 'displaced'; readonly error: BatchError }
  /** The file has attempts that were unknown when this run was planned. */
  | { readonly kind: 'grown' }
  /** The shared log is unavailable: records are kept in the lockfile until it is back. The error says what to do. */
  | { readonly kind: 'log'; readonly error: BatchError };
