import type { BatchError } from '../core/errors.js';
import type { Clock, Random } from '../core/ports.js';
import type { Attempt, AttemptState } from '../lockfile/attempt.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import type { ObjectStore } from './object-store.js';
import type { WaitsFor } from './patience.js';

export const LOG_VERSION = 1;

/** The beginning of entry 0. */
export interface LogHeader {
  readonly format: 'venice-batch-log';
  readonly version: typeof LOG_VERSION;
  /** Base URL of the API that all attempts were sent to. */
  readonly endpoint: string;
  /** Like a lockfile's: random, and unchanged for the log's lifetime. Salts the key fingerprints. */
  readonly lineage: string;
}

/**
 * The record of every attempt, shared by any number of machines: entries `log/00000042.jsonl` in an `ObjectStore`, each
 * written once, by a run that had folded all earlier ones. No entry is ever changed or deleted, and a claim never
 * expires.
 */
export interface SharedLog {
  readonly header: LogHeader;
  /** Without secrets, for messages. */
  readonly address: string;
  /**
   * Folded like a lockfile, from all entries read so far. Their runs are kept separately (`originOf`), because unknown
   * fields of an attempt are copied from line to line.
   */
  readonly attempts: ReadonlyMap<string, Attempt>;
  /** Entries read so far; 0 if nothing was ever written. */
  readonly entries: number;
  originOf(attempt: string): Origin | undefined;
  /** When a run last wrote anything, by its machine's clock (ISO 8601); `undefined` for a run that never did. */
  lastSeen(run: string): string | undefined;
  /** Time of each run's last write (ISO 8601). */
  runs(): ReadonlyMap<string, string>;
  /** Name of a run's machine: untrusted text, escape it. */
  hostOf(run: string): string | undefined;
  /**
   * Appends one record. Records that arrive while an entry is being written share the next one. Checks are made against
   * the log at the time the entry is written. Only an intent can be `taken` or `over_budget`: its outcome can always be
   * recorded.
   *
   * Appending the same record again is harmless, and the way to continue after a rejection.
   *
   * Rejects with a `BatchError` if it is unknown whether the record was written: the store cannot be reached (exit 12),
   * refuses the credentials (4), or, for an intent, the log is damaged or the store failed `prove` (9). After a
   * rejected intent nothing may be sent, although the intent may turn up in the log: record its outcome (`not_sent`) as
   * usual.
   */
  append(attempt: Attempt, limits?: AppendLimits): Promise<AppendAnswer>;
  /** Writes a heartbeat if this run has nothing else to write: a group without records. */
  beat(): Promise<void>;
  /** Folds what others wrote. Rejects like `append`. */
  refresh(): Promise<void>;
  /**
   * Tests once that the store is reliable: of several writers of a key one wins, and this user may write. The first
   * intent waits for it; call it earlier to fail before the user is asked for approval.
   */
  prove(): Promise<void>;
  /** Describes a store rule that will delete entries; `undefined` if none is known. Never rejects. */
  expiry(): Promise<string | undefined>;
  /**
   * Why buying must stop: a gap, a vanished or changed entry, refused credentials. Collecting and recording continue.
   */
  fault(): BatchError | undefined;
  /** Waits for pending writes, and releases the store. */
  close(): Promise<void>;
}

export interface Origin {
  /** The run that made the intent. Only this run settles it. */
  readonly run: string;
  /** The run that wrote the newest record. It collects. */
  readonly by: string;
}

export type AppendAnswer =
  /** It is in the log, in exactly one entry. */
  | 'recorded'
  /** Another run has claimed or bought the intent's take: see `AppendLimits.over`. */
  | 'taken'
  /** The intent would exceed the budget. */
  | 'over_budget'
  /**
   * The log has a newer record of the attempt (in `attempts`), or an intent of another run, which only that run or the
   * user settles.
   */
  | 'superseded';

export interface AppendLimits {
  /** For an intent: over the log's lifetime. */
  readonly budgetMicroUsd?: number | undefined;
  /**
   * For an intent: all attempts of its take, by id, with the states that they had when it was decided to buy. Any other
   * attempt of the take that was not rejected makes it `taken`, and so does one that is in doubt or, with the same
   * request, in flight or done since. Absent: none was known.
   */
  readonly over?: ReadonlyMap<string, AttemptState> | undefined;
  /** The user settles it (`resolve`), even if it is an intent of another run. */
  readonly byPerson?: boolean;
}

export interface OpenLogOptions {
  readonly store: ObjectStore;
  /** 32 random hex digits, new for each process: a process that reuses one may settle its intents. */
  readonly runId: string;
  readonly endpoint: string;
  /** Name of this machine, for users who look for a file. */
  readonly host?: string;
  /** Of the local lockfile, if it exists: a log with another lineage is refused (exit 9). */
  readonly lineage?: string | undefined;
  /**
   * Entries that the local lockfile has seen. A log with fewer has lost some, so buying stops; an empty one is not
   * created again (exit 9).
   */
  readonly entriesMin?: number;
  /** For a new log without a `lineage`: generates 32 random hex digits. */
  readonly newLineage: () => string;
  /** `read`: creates nothing, and refuses to append. */
  readonly access: 'read' | 'write';
  readonly clock: Clock;
  readonly random: Random;
  /** There is no lockfile here yet. */
  readonly isFresh?: boolean;
  /** For the advice in errors. */
  readonly command: NextCommand;
  /** Aborted when the user stops the run: from then on a silent store is not waited for long. */
  readonly stop?: AbortSignal | undefined;
  /** Called when the run begins to wait for a store that does not answer. */
  readonly waits?: ((what: WaitsFor) => void) | undefined;
  /** See `About`. */
  readonly retry?: string | undefined;
}
