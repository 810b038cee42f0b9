import type { Code } from '../core/codes.js';
import { BatchError, describeFault, EXIT, unreachable } from '../core/errors.js';
import { shellWord } from '../core/shell.js';
import { shownEndpoint } from '../core/shown-address.js';

/** Why a lockfile cannot be used. Lines count from 1. */
export type LockProblem =
  /** The lockfile, or a journal beside it, could not be read: the system's error code. */
  | { readonly kind: 'unreadable'; readonly code: string; readonly journal?: string }
  /** It could not be made durable: the system's error code. */
  | { readonly kind: 'unwritable'; readonly code: string }
  /** `journal`, here and below: what the last run recorded is kept there. */
  | {
      readonly kind: 'not_a_lockfile';
      readonly line: number;
      readonly journal?: string | undefined;
      /** It has no lines. */
      readonly empty?: true;
      /** Other lines are records, so a repair is possible. */
      readonly records?: true;
      /** The shared log that the user named: no new header is made. */
      readonly named?: string | undefined;
      /** The last run here used a shared log: no new header is made. */
      readonly shared?: true;
    }
  | { readonly kind: 'newer_version'; readonly version: number }
  | { readonly kind: 'conflict_markers'; readonly line: number }
  | { readonly kind: 'second_header'; readonly line: number; readonly related: boolean }
  /** Copies of two shared logs in one file, or the lockfile is a copy of the first and a journal of the second. */
  | {
      readonly kind: 'two_logs';
      readonly line: number;
      readonly logs: readonly [string, string];
      readonly journal?: string | undefined;
      /** The log that the user named. */
      readonly named?: string | undefined;
    }
  | { readonly kind: 'duplicate_key'; readonly line: number; readonly key: string }
  | { readonly kind: 'bad_line'; readonly line: number; readonly why: string }
  /** The line does not match its checksum. */
  | { readonly kind: 'checksum'; readonly line: number }
  /** Lines are missing. Without numbers, the end and its mark are missing, so it is unknown how many. */
  | {
      readonly kind: 'incomplete';
      readonly lines?: number;
      readonly linesMarked?: number;
      readonly journal?: string | undefined;
    }
  /** There is no lockfile, and the journals do not certainly say all that it did. */
  | { readonly kind: 'journal_unsound'; readonly journal: string }
  /** More jobs under one attempt id than merges can bring. */
  | { readonly kind: 'too_many_jobs'; readonly line: number; readonly attempt: string }
  | { readonly kind: 'other_endpoint'; readonly endpoint: string; readonly wanted: string };

const CODE_OF: Readonly<Record<LockProblem['kind'], Code>> = {
  unreadable: 'lockfile-unreadable',
  unwritable: 'lockfile-unwritable',
  not_a_lockfile: 'lockfile-not-a-lockfile',
  newer_version: 'lockfile-newer-version',
  conflict_markers: 'lockfile-conflict-markers',
  second_header: 'lockfile-second-header',
  two_logs: 'lockfile-two-logs',
  duplicate_key: 'lockfile-duplicate-key',
  bad_line: 'lockfile-bad-line',
  checksum: 'lockfile-checksum',
  incomplete: 'lockfile-incomplete',
  journal_unsound: 'lockfile-incomplete',
  too_many_jobs: 'lockfile-too-many-jobs',
  other_endpoint: 'lockfile-other-endpoint',
};

/** Builds another command for the same manifest, ready to paste. */
export type NextCommand = (verb: string, ...words: string[]) => string;

/** The problem as the error that ends the command (exit 9), including how to fix it. */
export function lockError(problem: LockProblem, path: string, next: NextCommand): BatchError {
  const { message, hint } = explain(problem, path, next);
  return new BatchError(CODE_OF[problem.kind], `${shellWord(path)}: ${message}`, {
    exitCode: EXIT.lockfile,
    hint,
  });
}

function explain(
  problem: LockProblem,
  path: string,
  next: NextCommand,
): { readonly message: string; readonly hint: string } {
  const repair = `nothing is bought until it is repaired; every paid job is kept: ${next('lock repair')}`;
  const salvage = `nothing is bought until it is repaired; what can still be read of the line is kept: ${next('lock repair')}`;
  const restored = `restore the file from version control or a backup, then: ${next('status')}; or keep what is left of it: ${next('lock repair')}`;
  const look = `then: ${next('status')}`;
  switch (problem.kind) {
    case 'unreadable':
      if (problem.journal !== undefined)
        return {
          message: `the journal ${shellWord(problem.journal)} cannot be read: ${describeFault(problem.code).what} (${problem.code})`,
          hint: `it may record what a killed run paid for: make it readable; if no run of yours wrote it, remove it; ${look}`,
        };
      return {
        message: `the lockfile cannot be read: ${describeFault(problem.code).what} (${problem.code})`,
        hint: `it records what is already paid for: ${describeFault(problem.code).fix}, or restore it from a backup; ${look}`,
      };
    case 'unwritable':
      return {
        message: `the lockfile cannot be written: ${describeFault(problem.code).what} (${problem.code})`,
        hint: `nothing is bought that cannot be recorded: ${describeFault(problem.code).fix}; ${look}`,
      };
    case 'not_a_lockfile':
      return {
        message:
          problem.empty === true ? 'the lockfile is empty' : `line ${problem.line} is not a lockfile header`,
        hint:
          problem.journal !== undefined
            ? `the file was emptied or overwritten; what the last run here recorded is kept in ${shellWord(problem.journal)}: if version control or a backup has nothing newer, restore it: ${next('lock repair')}`
            : problem.records === true
              ? restored
              : problem.named !== undefined
                ? copyAgain(problem.named, path, next)
                : problem.shared === true
                  ? 'nothing was changed: the last run here used a shared log, which shows what other machines bought: name it with --state to see how to make its copy again'
                  : problem.empty === true
                    ? `restore it from version control or a backup; if nothing was bought with it, remove it: rm ${shellWord(path)}; ${look}`
                    : `the file is damaged or not a lockfile: restore it from version control or a backup, or name another with --lockfile; ${look}`,
      };
    case 'newer_version':
      return {
        message: `the lockfile has format version ${problem.version}, which this release does not know`,
        hint: `update venice-batch to the release that wrote it; ${look}`,
      };
    case 'conflict_markers':
      return { message: `line ${problem.line} has merge conflict markers`, hint: repair };
    case 'second_header':
      return {
        message: `line ${problem.line} is a second header${problem.related ? '' : ', of a lockfile that began separately'}`,
        hint: problem.related
          ? repair
          : `git merged two first runs; nothing is bought until their lockfiles are joined, which keeps every paid job: ${next('lock repair')}`,
      };
    case 'two_logs':
      return twoLogs(problem, path);
    case 'duplicate_key':
      return { message: `line ${problem.line} has ${JSON.stringify(problem.key)} twice`, hint: salvage };
    case 'bad_line':
      return { message: `line ${problem.line} ${problem.why}`, hint: salvage };
    case 'checksum':
      return {
        message: `line ${problem.line} does not match its checksum: it was damaged or edited`,
        hint: restored,
      };
    case 'incomplete':
      return {
        message: missing(problem),
        hint: problem.journal === undefined ? restored : fromCopy(problem.journal, next),
      };
    case 'journal_unsound':
      return {
        message: `the lockfile is missing, and its copies, such as ${shellWord(problem.journal)}, are damaged or belong to several lockfiles`,
        hint: restored,
      };
    case 'too_many_jobs':
      return {
        message: `line ${problem.line} adds another job under attempt ${problem.attempt}: more than a merge can produce`,
        hint: restored,
      };
    case 'other_endpoint':
      return {
        message: `the lockfile belongs to ${shownEndpoint(problem.endpoint)}, not to ${problem.wanted}`,
        hint: otherEndpointHint(problem.endpoint, next),
      };
    default:
      return unreachable(problem);
  }
}

/** Only the log shows what other machines bought, and what never reached it is only in the damaged file. */
function copyAgain(log: string, path: string, next: NextCommand): string {
  const [lockfile, aside, restored] = [path, `${path}.damaged`, `${path}.restored`].map(shellWord);
  const steps = [
    `mv -n ${lockfile} ${aside}`,
    next('collect'),
    `(head -n 1 ${lockfile} && tail -n +2 ${aside}) > ${restored}`,
    `venice-batch lock merge ${lockfile} ${restored}`,
  ];
  return `nothing was changed: if the file was a copy of the shared log ${log}, make it again, and buy nothing before the last of these steps, which adds what only the damaged file has: ${steps.join('; then: ')}`;
}

/** A take can be bought once with each log, so all machines have to use the same one: only the user can choose it. */
function twoLogs(
  { line, logs, journal, named = '' }: LockProblem & { kind: 'two_logs' },
  path: string,
): { readonly message: string; readonly hint: string } {
  const [log, other] = logs;
  const merge = (keep: string) =>
    `to keep ${keep}: venice-batch lock merge ${shellWord(path)} ${shellWord(journal ?? 'theirs.lock.jsonl')} --state ${shellWord(keep)}`;
  const choice = (logs.includes(named) ? [named] : logs).map(merge).join('; ');
  const stop =
    'nothing was changed: stop everything that uses the log you give up, on every machine, as a take can be bought once with each';
  return journal === undefined
    ? {
        message: `line ${line} is the header of a copy of the shared log ${other}, and the file is a copy of ${log}`,
        hint: `${stop}; then take both lockfiles from version control, one as theirs.lock.jsonl; ${choice}`,
      }
    : {
        message: `the lockfile is a copy of the shared log ${log}, and the last run here used ${other}: see ${shellWord(journal)}`,
        hint: `${stop}; ${choice}`,
      };
}

function fromCopy(journal: string, next: NextCommand): string {
  return `if version control or a backup has nothing newer, repair what is left of the file; the next run then restores from ${shellWord(journal)} what the last run here recorded: ${next('lock repair')}`;
}

function missing({ lines, linesMarked }: LockProblem & { kind: 'incomplete' }): string {
  if (lines === undefined || linesMarked === undefined)
    return 'the end of the lockfile is missing: the file was cut off, and with it records of what is paid for';
  if (lines < linesMarked) {
    const left =
      linesMarked === 1 ? 'lacks the one record' : `has only ${lines} of the ${linesMarked} records`;
    return `the lockfile ${left} that its end mark counts: it no longer shows all that is paid for`;
  }
  return 'the lines of the lockfile do not match its end mark: lines were lost, added or replaced';
}

/** Never suggests sending the key to an address read from a file, which may be an attacker's. */
function otherEndpointHint(endpoint: string, next: NextCommand): string {
  const other = 'name another lockfile with --lockfile';
  if (endpoint === 'sandbox:') return `${other}, or use the sandbox: ${next('plan', '--sandbox')}`;
  return `${other}; or, only if you know that address and trust it with your key, name it with --base-url`;
}
