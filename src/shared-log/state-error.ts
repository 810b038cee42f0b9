import type { Code } from '../core/codes.js';
import { BatchError, EXIT, type ExitCode, unreachable } from '../core/errors.js';
import { takeKey } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import { entryKey } from './entry.js';
import type { LogProblem } from './log-state.js';
import type { StoreFault } from './object-store.js';

/** How errors name the log, and what they suggest. */
export interface About {
  /** Without secrets. */
  readonly address: string;
  readonly command: NextCommand;
  /** What to run once the cause is gone. Default: a run, which continues the batch. */
  readonly retry?: string | undefined;
  /** There is no lockfile here: what the log does not tell, this machine does not know. */
  readonly isFresh?: boolean;
}

/** Who can still collect while the log cannot be used. */
function collecting({ command, isFresh }: About): string {
  return isFresh === true
    ? `what is paid for can be collected on a machine that has the lockfile: ${command('collect')}`
    : `what is paid for is still collected: ${command('collect')}`;
}

/** Turns a store failure into the error that ends the command. */
export function storeError(fault: StoreFault, about: About): BatchError {
  const { address, command, retry = command('run') } = about;
  const made = (code: Code, exitCode: ExitCode, message: string, hint: string) =>
    new BatchError(code, `${address}: ${message}`, { exitCode, hint, cause: fault });
  const collect = `nothing is bought; ${collecting(about)}`;
  switch (fault.kind) {
    case 'denied':
      return made(
        'state-denied',
        EXIT.authentication,
        `access denied: ${fault.message}`,
        `allow these credentials to read and write there, or use others; ${collect}`,
      );
    case 'expired':
      return made(
        'state-expired',
        EXIT.authentication,
        `the credentials have expired: ${fault.message}`,
        `get new ones, then: ${retry}; ${collect}`,
      );
    case 'missing':
      return made(
        'state-missing',
        EXIT.unavailable,
        `not found: ${fault.message}`,
        'create it, or correct the address in --state, VENICE_BATCH_STATE or the manifest',
      );
    case 'unreachable':
      return made(
        'state-unreachable',
        EXIT.unavailable,
        `not reachable: ${fault.message}`,
        `nothing is bought that cannot be recorded there; try again: ${retry}`,
      );
    case 'unsupported':
      return made(
        'state-unsupported',
        EXIT.lockfile,
        `cannot hold the shared log: ${fault.message}`,
        'use a store that supports conditional writes: the README lists them',
      );
    case 'foreign':
      return foreign(about, fault.message);
    case 'deleted':
    case 'altered':
      return altered(about, fault.message);
    default:
      return unreachable(fault.kind);
  }
}

/** A log that may lack records of paid jobs. */
export function logError(problem: LogProblem, about: About): BatchError {
  const { address, command, retry = command('run') } = about;
  if (problem.kind === 'newer_version') {
    return new BatchError(
      'state-newer-version',
      `${address}: the log has format version ${problem.version}, which this release does not know`,
      {
        exitCode: EXIT.lockfile,
        hint: `update venice-batch to the release that wrote it; then: ${retry}`,
      },
    );
  }
  if (problem.kind === 'foreign')
    return foreign(about, `venice-batch did not write what is in ${entryKey(problem.entry)}`);
  return altered(about, `entry ${problem.entry} ${WRONG[problem.kind]}${whyOf(problem)}`);
}

/** A log that lacks attempts which the lockfile copied from it. */
export function cutError(missing: readonly Attempt[], { address, command }: About): BatchError {
  const takes = [...new Set(missing.map(takeKey))];
  const more = takes.length > NAMED_MAX ? ` and ${takes.length - NAMED_MAX} more` : '';
  const attempts = missing.length === 1 ? '1 attempt' : `${missing.length} attempts`;
  return altered(
    { address, command },
    `the log no longer has ${attempts} that the lockfile copied from it (${takes.slice(0, NAMED_MAX).join(', ')}${more}): its newest entries were deleted, or it was restored from an older backup`,
  );
}

const NAMED_MAX = 3;

const WRONG: Readonly<Record<Exclude<LogProblem['kind'], 'newer_version' | 'foreign'>, string>> = {
  damaged: 'is damaged: ',
  changed: 'does not follow the entry before it: one of them was replaced',
  gap: 'is missing, though it was written',
  vanished: 'exists, but cannot be read',
};

function whyOf(problem: LogProblem): string {
  return problem.kind === 'damaged' ? problem.why : '';
}

function altered(about: About, what: string): BatchError {
  return new BatchError('state-altered', `${about.address}: ${what}`, {
    exitCode: EXIT.lockfile,
    hint: `nothing is bought while records may be missing: restore it from a backup or an older version, and switch off rules that expire or delete objects there; ${collecting(about)}`,
  });
}

/** What is in the way may also have replaced an entry. */
function foreign(about: About, what: string): BatchError {
  const { address, command, retry = command('run') } = about;
  return new BatchError('state-altered', `${address}: ${what}`, {
    exitCode: EXIT.lockfile,
    hint: `nothing is bought while it is there: if it replaced an entry, restore that from a backup or an older version; if not, move it away; then: ${retry}; ${collecting(about)}`,
  });
}

/** A log that belongs to something else. */
export function otherLogError(
  what: 'endpoint' | 'lineage',
  found: string,
  wanted: string,
  { address, command }: About,
  isUnused = false,
): BatchError {
  if (what === 'endpoint') {
    const unused = isUnused ? '; nothing was ever bought with it, so you can abandon it' : '';
    return new BatchError(
      'state-other-endpoint',
      `${address}: the log belongs to ${found}, not to ${wanted}${unused}`,
      {
        exitCode: EXIT.lockfile,
        hint: `use another address for the shared log, or the --base-url of that log; then: ${command('status')}`,
      },
    );
  }
  return new BatchError(
    'state-other-lineage',
    `${address}: the log belongs to another lockfile (lineage ${found}, not ${wanted})`,
    {
      exitCode: EXIT.lockfile,
      hint: `use the address of this lockfile's own log, or join the two lockfiles first; then: ${command('status')}`,
    },
  );
}

/** A store that would let two machines claim one take. */
export function unsafeError(what: string, { address }: About): BatchError {
  return new BatchError('state-unsafe', `${address}: ${what}`, {
    exitCode: EXIT.lockfile,
    hint: 'two machines could buy the same take through it, so nothing is bought: use a store that supports conditional writes; the README lists them',
  });
}
