import type { BatchError } from '../core/errors.js';
import type { Clock, Random } from '../core/ports.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import type { ObjectStore } from './object-store.js';

export const LOG_VERSION = 1;

/** Entry 0 begins with it. */
export interface LogHeader {
  readonly format: 'venice-batch-log';
  readonly version: typeof LOG_VERSION;
  /** Base URL of the API that all attempts went to. */
  readonly endpoint: string;
  /** As a lockfile's: random, for the log's whole life. Salts the key fingerprints. */
  readonly lineage: string;
}

/**
 * The record of every attempt, shared by any number of machines: entries `log/00000042.jsonl` in an `ObjectStore`, each
 * written once, by a run that had folded all before it. No entry is ever changed or deleted, and a claim never expires.
 */
export interface SharedLog {
  readonly header: LogHeader;
  /** Without secrets, for messages. */
  readonly address: string;
  /**
   * Folded as a lockfile is, of all entries read so far. Whose they are is beside them (`originOf`), not in them: unknown
   * fields of an attempt are carried from line to line.
   */
  readonly attempts: ReadonlyMap<string, Attempt>;
  /** Entries read so far; 0 where nothing was ever written. */
  readonly entries: number;
  originOf(attempt: string): Origin | undefined;
  /** When a run last wrote anything, by the clock of its machine (ISO 8601); `undefined` for a run that never did. */
  lastSeen(run: string): string | undefined;
  /** Time of each run's last write (ISO 8601). */
  runs(): ReadonlyMap<string, string>;
  /** Name of a run's machine: untrusted text, to be escaped. */
  hostOf(run: string): string | undefined;
  /**
   * Appends one record; those that come while an entry is being written share the next one. The checks are made against
   * the log as it is when the entry is written. Only an intent can be `taken` or `over_budget`: what became of it
   * can always be recorded.
   *
   * Appending the very same record again is harmless, and the way to go on after a rejection.
   *
   * Rejects with a `BatchError` where it is not known to be recorded: the store cannot be reached (exit 12), refuses the
   * credentials (4), or, for an intent, the log is in trouble or the store failed `prove` (9). After a rejected intent nothing
   * may be sent, although the intent may turn up in the log: record what became of it (`not_sent`) as usual.
   */
  append(attempt: Attempt, limits?: AppendLimits): Promise<AppendAnswer>;
  /** Says that this run is alive where it has nothing else to write: a group without records. */
  beat(): Promise<void>;
  /** Folds what others wrote. Rejects as `append` does. */
  refresh(): Promise<void>;
  /**
   * Proves once that the store keeps its word (one of several writers of a key wins, and this user may write). The first
   * intent waits for it; call it earlier to fail before a person is asked for approval.
   */
  prove(): Promise<void>;
  /**
   * Describes a store rule that will delete entries; `undefined` if none is known. Never rejects.
   */
  expiry(): Promise<string | undefined>;
  /** Why buying must stop: a gap, a vanished or changed entry, refused credentials. Collecting and recording go on. */
  trouble(): BatchError | undefined;
  /** Waits for what is being written, and lets go of the store. */
  close(): Promise<void>;
}

export interface Origin {
  /** The run that made the intent: it alone settles it. */
  readonly run: string;
  /** The run that wrote the newest record: it collects. */
  readonly by: string;
}

export type AppendAnswer =
  /** It is in the log, in exactly one entry. */
  | 'recorded'
  /** An intent whose take somebody else has claimed or bought: see `AppendLimits.over`. */
  | 'taken'
  /** An intent that would take the log over the budget. */
  | 'over_budget'
  /**
   * The log has a record of the attempt that supersedes this one (`attempts` shows it), or an
   * intent of another run, which only that run or the user settles.
   */
  | 'superseded';

export interface AppendLimits {
  /** Of the log's whole life, for an intent. */
  readonly budgetMicroUsd?: number | undefined;
  /**
   * For an intent: the ids of all attempts of its take, whatever their state, that were known when it was decided to buy. Any other
   * attempt of the take that was not rejected makes it `taken`, and so does one that is in doubt or, with the same
   * request, in flight. Absent: none was known.
   */
  readonly over?: ReadonlySet<string> | undefined;
  /** A person settles it (`resolve`): also an intent of another run. */
  readonly byPerson?: boolean;
}

export interface OpenLogOptions {
  readonly store: ObjectStore;
  /** 32 random hex digits, new for each process: whoever reuses one may settle its intents. */
  readonly runId: string;
  readonly endpoint: string;
  /** Name of this machine, for people who look for a file. */
  readonly host?: string;
  /** Of the local lockfile, where there is one: a log of another lineage is refused (exit 9). */
  readonly lineage?: string | undefined;
  /** Entries that the local lockfile has seen. A log with fewer has lost some, so that buying stops; an empty one is not begun anew (exit 9). */
  readonly entriesMin?: number;
  /** For a log that is new and no `lineage`: 32 random hex digits. */
  readonly newLineage: () => string;
  /** `read`: creates nothing, and refuses to append. */
  readonly access: 'read' | 'write';
  readonly clock: Clock;
  readonly random: Random;
  /** For what errors advise. */
  readonly command: NextCommand;
}
