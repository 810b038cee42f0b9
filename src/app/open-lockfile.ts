import path from 'node:path';
import { BatchError, EXIT, unreachable } from '../core/errors.js';
import type { RunEvent } from '../core/events.js';
import type { Ports } from '../core/ports.js';
import { shellWord } from '../core/shell.js';
import { lockError, type NextCommand } from '../lockfile/lock-error.js';
import type { LockStore } from '../lockfile/lock-store.js';
import { linkToNothing } from '../lockfile/read.js';
import { adoptRescues, type Rescue } from '../lockfile/rescue.js';
import { rescueKey } from '../lockfile/rescue-key.js';
import { acquireRunLock, type RunLockState } from '../lockfile/run-lock.js';
import type { LockHolder } from '../lockfile/run-lock-file.js';
import type { AudioStore } from '../shared-log/audio-store.js';
import { noticeTo } from './emit.js';
import { openStore } from './open-records.js';
import type { OpenSettings } from './opening.js';

export interface Opened {
  readonly store: LockStore;
  /** Whether other runs are certainly kept out: see `AcquiredLock`. */
  readonly exclusive: boolean;
  /** Checks whether this run still holds the lock. */
  checkLock(): Promise<RunLockState>;
  readonly rescue: Rescue;
  readonly audio?: AudioStore | undefined;
  /** By attempt: where the lockfile said that its file is, before newer records were restored. */
  readonly formerPlaces: ReadonlyMap<string, string>;
  release(): Promise<void>;
}

/**
 * Takes the run lock, opens the lockfile, and adopts records that a run on a full disk had to store elsewhere. Throws
 * `BatchError`: 7 if another run holds the lock, 9 if the lockfile cannot be used.
 */
export async function openForRun(
  ports: Ports,
  settings: OpenSettings,
  emit: (event: RunEvent) => void,
): Promise<Opened> {
  const { files, processes, clock, random } = ports;
  const lockPath = settings.lockfilePath;
  const linked = await linkToNothing(files, lockPath);
  if (linked !== undefined) throw lockError(linked, lockPath, settings.command);
  await files.makeDirectory(path.dirname(lockPath));
  const guard = await acquireRunLock(files, processes, clock, random, lockPath);
  if (!guard.ok) throw lockedError(guard.held, settings.command);
  const report = noticeTo({ ports, emit });
  if (guard.tookOver !== undefined)
    report(
      'info',
      'guard-taken-over',
      `an earlier run (pid ${guard.tookOver.pid}) ended without releasing its lock, so the lock was taken over`,
    );
  try {
    const opened = await openStore(ports, settings, report);
    let formerPlaces: ReadonlyMap<string, string> = new Map();
    for (const note of opened.notes)
      if (note.kind === 'restored') {
        formerPlaces = note.places ?? formerPlaces;
        report(
          'info',
          'journal-restored',
          `the lockfile lacked records of ${note.attempts === 1 ? '1 attempt' : `${note.attempts} attempts`} of earlier runs: restored them from the second copy in .venice-batch (to start over, delete that folder as well)`,
        );
      }
    const places = settings.rescuePlaces;
    const rescue = { places, key: await rescueKey(files, random, places.keyFile) };
    const open = [path.dirname(lockPath), ...settings.openPlaces];
    const { count: rescued, ignored } = await adoptRescues(files, rescue, open, opened.store);
    for (const file of ignored)
      report(
        'warning',
        'rescue-ignored',
        `${shellWord(file)} is ignored: it was not written by this user's venice-batch`,
      );
    if (rescued > 0)
      report(
        'info',
        'rescue-adopted',
        `${rescued} record${rescued === 1 ? '' : 's'} of an earlier run recovered from a rescue file`,
      );
    // The lockfile may have been read in another folder than the one that is locked.
    if ((await guard.check()) !== 'ours') throw lockLostError(lockPath, settings.command);
    return {
      store: opened.store,
      audio: opened.audio,
      formerPlaces,
      rescue,
      exclusive: guard.exclusive,
      checkLock: guard.check,
      release: guard.release,
    };
  } catch (error) {
    await guard.release();
    throw error;
  }
}

function lockLostError(lockPath: string, command: NextCommand): BatchError {
  const place = shellWord(path.dirname(lockPath));
  return new BatchError(
    'lock-deleted',
    `the lock was deleted, or ${place} was moved, while the run was starting`,
    {
      exitCode: EXIT.lockfile,
      hint: `to take the lock again: ${command('run')}`,
    },
  );
}

/** Another run holds the lock: the error that ends the command, including what to do. */
export function lockedError(held: LockHolder, command: NextCommand): BatchError {
  const hint =
    held.alive === true
      ? `wait for it to end, or stop it; to see its progress: ${command('status')}`
      : `${checkBeforeForcing(held)}: ${command('unlock', ...forcing(held))}`;
  return new BatchError('locked', `another run ${holding(held)}`, {
    exitCode: EXIT.locked,
    hint,
  });
}

/** The flags that free this lock, but not one that another run has taken since. */
export function forcing({ id }: LockHolder): readonly string[] {
  return ['--force', '--id', id];
}

function holding({ pid, hostname, ageMs }: LockHolder): string {
  if (pid !== 0) return `has held the lock for ${seconds(ageMs)} (pid ${pid} on ${hostname})`;
  return `holds the lock (${hostname === '' ? 'its lock file cannot be read' : `on ${hostname}`})`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

/** `pid 4711 on studio, for 5 s`. */
export function holderName({ pid, hostname, ageMs }: LockHolder): string {
  if (pid === 0) return hostname === '' ? 'its lock file cannot be read' : `on ${hostname}`;
  return `pid ${pid} on ${hostname}, for ${seconds(ageMs)}`;
}

/** What the user has to check before forcing the lock, because the program cannot. */
export function checkBeforeForcing({ pid, hostname, why }: LockHolder): string {
  switch (why) {
    case 'other_host':
      return `if process ${pid} no longer runs on ${hostname}`;
    case 'same_name':
      return `check every machine or container named ${hostname}; if process ${pid} runs on none of them`;
    case 'other_container':
      return `the run was in another container on this machine; if that container has ended`;
    case 'pid_in_use':
      return `if process ${pid} on this machine is not a run`;
    case 'unreadable':
    case undefined:
      return 'if no run is active, on this machine or any other';
    default:
      return unreachable(why);
  }
}
