import type { Code } from '../core/codes.js';
import { BatchError, EXIT } from '../core/errors.js';
import type { Ports } from '../core/ports.js';
import { shellWord } from '../core/shell.js';
import { lockError, type NextCommand } from '../lockfile/lock-error.js';
import type { LockHeader } from '../lockfile/lock-header.js';
import type { LockStore } from '../lockfile/lock-store.js';
import type { LockNote } from '../lockfile/lock-text.js';
import { openLock } from '../lockfile/open-lock.js';
import { randomHex } from '../lockfile/private-folder.js';
import type { RescuePlaces } from '../lockfile/rescue-key.js';
import type { Manifest } from '../manifest/take.js';
import type { AudioStore } from '../shared-log/audio-store.js';
import type { State } from './shared-state.js';

export interface OpenSettings {
  /** Absolute. */
  readonly lockfilePath: string;
  readonly endpoint: string;
  readonly rescuePlaces: RescuePlaces;
  /** Folder where others could place a file that looks like a rescue file: reported, never trusted. Absolute. */
  readonly openPlaces: readonly string[];
  readonly command: NextCommand;
  /** The command that opens it, with these words, for messages. Default: a run. */
  again?: ((...words: string[]) => string) | undefined;
  /** What to run once the shared log can be used again. Default: a run, which continues the batch. */
  readonly retry?: string | undefined;
  /**
   * Finds the shared log. If this is absent or returns nothing, only the lockfile holds the records.
   *
   * @param named reads the address that the lockfile's header names
   */
  findState?(named: () => Promise<string | undefined>): Promise<State | undefined>;
  /** The manifest, if it can be used: to see whether the shared log is its own. */
  manifest?(): Promise<Manifest | undefined>;
  /** A run that `--yes` approved: no one sees a warning before money is spent. */
  readonly yes?: boolean;
}

export interface OpenedStore {
  readonly store: LockStore;
  readonly notes: readonly LockNote[];
  /** Absent if audio is kept only on this machine. */
  readonly audio?: AudioStore | undefined;
}

export type Notify = (level: 'info' | 'warning', code: Code, message: string, hint?: string) => void;

export function againOf({ again, command }: Pick<OpenSettings, 'again' | 'command'>) {
  return again ?? ((...words: string[]) => command('run', ...words));
}

export async function openFile(
  { files, random }: Ports,
  { lockfilePath, endpoint, command }: OpenSettings,
  log?: {
    readonly address: string;
    readonly lineage: string;
    /** See `settledByLog`. */
    readonly settled: ReadonlySet<string>;
  },
): Promise<{ store: LockStore; notes: readonly LockNote[] }> {
  const opened = await openLock(files, lockfilePath, {
    endpoint,
    command,
    lineage: () => log?.lineage ?? randomHex(random),
    log: log?.address,
    without: log?.settled,
    random,
  });
  if (!opened.ok) throw lockError(opened.problem, lockfilePath, command);
  return opened;
}

/**
 * Refuses a lockfile whose records are in a log that this command does not use: going by the lockfile alone, it would
 * buy what other machines bought. Throws a `BatchError` (9).
 *
 * @param address of the log in use; absent: none
 */
export function checkLog(
  header: Pick<LockHeader, 'log'> | undefined,
  address: string | undefined,
  lockPath: string,
  again: (...words: string[]) => string,
): void {
  const log = header?.log;
  if (log !== undefined && log !== address) throw otherLog(log, address, lockPath, again);
}

/** The error of a command that does not use the log that the lockfile names. */
export function otherLog(
  log: string,
  address: string | undefined,
  lockPath: string,
  again: (...words: string[]) => string,
): BatchError {
  const message =
    address === undefined
      ? `the lockfile is a copy of the shared log ${log}, and this command names none`
      : `the lockfile is a copy of the shared log ${log}, not of ${address}`;
  return new BatchError(
    address === undefined ? 'state-needed' : 'state-other',
    `${shellWord(lockPath)}: ${message}`,
    {
      exitCode: EXIT.lockfile,
      hint: `without the log, takes that other machines bought would be bought again; check that this address is yours, then: ${again('--state', log)}${address === undefined ? '' : '; if the log was moved, the steps are in: venice-batch explain state-other'}`,
    },
  );
}
