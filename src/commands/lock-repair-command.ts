import path from 'node:path';
import { lockedError } from '../app/open-lockfile.js';
import { storageError } from '../app/storage-error.js';
import { BatchError, describeFault, EXIT, type ExitCode, faultCode } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import { shellWord } from '../core/shell.js';
import { shownEndpoint } from '../core/shown-address.js';
import { takeKey } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import { readJournals } from '../lockfile/journal.js';
import { lockError } from '../lockfile/lock-error.js';
import { LOCK_BYTES_MAX } from '../lockfile/read.js';
import type { RepairReport } from '../lockfile/repair.js';
import { type RepairedFile, repairFile } from '../lockfile/repair-file.js';
import { acquireRunLock } from '../lockfile/run-lock.js';
import { UNREADABLE } from '../lockfile/salvage.js';
import type { SetAside } from '../lockfile/set-aside.js';
import { boughtTwiceTake } from '../plan/bought-twice-warning.js';
import { boughtTwiceLines } from '../report/bought-twice-text.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import { stateName } from '../report/phrases.js';
import { stateFinder } from '../session/find-state.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';

/**
 * Repairs a lockfile after a merge or damage. Every queue_id is kept; damaged lines are set aside in a file, and what
 * can still be read of them is kept.
 */
export async function repairCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await requireManifest(session);
  const { ports, settings, stdout, command } = session;
  const lockPath = settings.lockfilePath.value;
  let repaired: Repaired | undefined;
  try {
    // Check first, because taking the run lock would create its folder.
    if (await isRepairable(ports.files, lockPath)) repaired = await repairGuarded(session, lockPath);
  } catch (error) {
    throw await storageError(error, ports.files, {
      directory: path.dirname(lockPath),
      next: command('lock repair'),
    });
  }
  const log = repaired?.hasDoubts && settings.state === undefined ? repaired.log : undefined;
  const next = command(repaired?.hasDoubts ? 'resolve' : 'status', ...(log ? ['--state', log] : []));
  if (flags.json === true) stdout.write(jsonDocument(document(lockPath, repaired, next)));
  else if (repaired === undefined)
    stdout.write(`there is no lockfile at ${escapeForeign(lockPath)}: nothing to repair\n`);
  else stdout.write(`${repairText(repaired).map(escapeForeign).join('\n')}\nNext: ${next}\n`);
  return EXIT.ok;
}

type Repaired = RepairedFile & { readonly ok: true };

async function repairGuarded(session: Session, lockPath: string): Promise<Repaired> {
  const { ports, command } = session;
  const { files, processes, clock, random } = ports;
  const guard = await acquireRunLock(files, processes, clock, random, lockPath);
  if (!guard.ok) throw lockedError(guard.held, command);
  try {
    const state = await stateFinder(session)(async () => undefined);
    const repaired = await repairFile(files, random, lockPath, session.endpoint, state?.address);
    if (!repaired.ok) throw lockError(repaired.problem, lockPath, command);
    return repaired;
  } catch (error) {
    if (error instanceof BatchError || faultCode(error) === '') throw error;
    const { what, fix } = describeFault(faultCode(error));
    throw new BatchError(
      'storage',
      `${shellWord(lockPath)} cannot be repaired: ${what} (${faultCode(error)})`,
      {
        exitCode: EXIT.lockfile,
        hint: `nothing was changed: ${fix}, then: ${command('lock repair')}`,
        cause: error,
      },
    );
  } finally {
    await guard.release();
  }
}

/** A file that cannot be checked counts as existing. A missing one may have journals. */
async function isRepairable(files: Files, file: string): Promise<boolean> {
  const facts = await files.facts(file).catch(() => 'unknown');
  if (facts !== undefined) return true;
  const journals = await readJournals(files, await files.real(file), LOCK_BYTES_MAX);
  return !journals.ok || journals.all.length > 0;
}

/** The `--json` document. Fields are only ever added. */
function document(lockfile: string, repaired: Repaired | undefined, next: string): object {
  if (repaired === undefined) return { schema: 1, lockfile, repaired: null, next_command: null };
  const { report, asidePath } = repaired;
  return {
    schema: 1,
    lockfile,
    repaired: {
      attempts: report.attempts,
      conflict_markers: report.markers,
      repeated_headers: report.headers,
      header_for: report.headerFor ?? null,
      lockfiles_joined: report.lockfiles,
      bought_twice: report.boughtTwice.map(boughtTwiceTake),
      corrected: report.corrected,
      kept_as_read: report.keptAsRead.map(({ line, why, loweredTo }) => ({
        line,
        why,
        ...(loweredTo !== undefined && { lowered_to: loweredTo }),
      })),
      missing:
        report.missing === undefined
          ? null
          : {
              lines: report.missing.lines ?? null,
              lines_marked: report.missing.linesMarked ?? null,
              in_doubt: report.missing.inDoubt?.attempt ?? null,
            },
      set_aside: report.setAside.map(({ line, why, queueIds, salvaged }) => ({
        line,
        why,
        queue_ids: queueIds,
        salvaged: salvaged.map(({ attempt, track, take, state, queue_id }) => ({
          attempt,
          track,
          take,
          state,
          queue_id: queue_id ?? null,
        })),
      })),
      set_aside_file: asidePath ?? null,
    },
    next_command: next,
  };
}

function repairText({ report, asidePath, restorable, hasDoubts, log }: Repaired): readonly string[] {
  const lines: string[] = [counted(report.attempts, 'attempt', 'kept')];
  if (report.markers > 0) lines.push(counted(report.markers, 'conflict marker', 'removed, both sides kept'));
  if (report.headers > 0) lines.push(counted(report.headers, 'repeated header', 'removed'));
  if (report.headerFor !== undefined)
    lines.push(
      `the header cannot be read: a new one says that the jobs were sent to ${shownEndpoint(report.headerFor)}; if that is wrong, restore the file from version control or a backup`,
    );
  if (report.lockfiles > 1)
    lines.push(`joined ${report.lockfiles} lockfiles that began separately; every attempt counts`);
  lines.push(...boughtTwiceLines(report.boughtTwice));
  for (const { line, column } of report.corrected)
    lines.push(
      `line ${line} has one wrong character, in column ${column}: corrected; its checksum matches again`,
    );
  for (const { line, why, loweredTo } of report.keptAsRead) {
    const kept = loweredTo === undefined ? 'kept as it is' : `lowered to ${loweredTo}`;
    lines.push(`line ${line} ${why}: ${kept}; compare it with version control or a backup`);
  }
  if (report.missing !== undefined) lines.push(missingText(report.missing, restorable));
  else if (restorable > 0) lines.push(restoredText(restorable));
  lines.push(...report.setAside.map(asideText));
  if (asidePath !== undefined) lines.push(`the lines set aside are saved in ${shellWord(asidePath)}`);
  if (hasDoubts && log !== undefined)
    lines.push(
      `the lockfile is a copy of the shared log ${log}: what is in doubt here is dropped if the log has it; the rest you have to settle before anything is bought`,
    );
  else if (hasDoubts)
    lines.push(
      'nothing is bought until you settle what is in doubt; if you can, restore the file from version control or a backup instead',
    );
  return lines;
}

function asideText({ line, why, queueIds, salvaged }: SetAside): string {
  const kept = salvaged.map((attempt) => `; ${salvagedText(attempt)} is ${stateName(attempt.state)}`);
  const jobs = queueIds.length > 0 ? `; it names the job ${queueIds.join(', ')}` : '';
  return `line ${line} ${why}: set aside${kept.join('')}${jobs}`;
}

function salvagedText({ track, take, queue_id }: Attempt): string {
  if (track !== UNREADABLE)
    return takeKey({ track, take }) + (queue_id === undefined ? '' : ` with the job ${queue_id}`);
  return queue_id === undefined ? 'what it recorded' : `the job ${queue_id}, of an unknown take,`;
}

function missingText(
  { lines, linesMarked, inDoubt }: NonNullable<RepairReport['missing']>,
  restorable: number,
): string {
  const many = lines === undefined || linesMarked === undefined || lines >= linesMarked;
  const count = many ? 0 : linesMarked - lines;
  const what = many ? 'records may be missing' : missingCount(count, linesMarked);
  const they = count === 1 ? 'it' : 'they';
  const unknown = inDoubt === undefined ? [] : [`what ${they} recorded is in doubt`];
  const rest =
    'if that is not all of them, the other tracks count as new: before you buy, check the status and the billing history';
  const found = restorable === 0 ? [] : [restoredText(restorable), ...(inDoubt === undefined ? [rest] : [])];
  return [what, ...found, ...unknown].join('; ');
}

function missingCount(count: number, of: number): string {
  if (of === 1) return 'the only record is missing';
  return `${count} of ${of} records ${count === 1 ? 'is' : 'are'} missing`;
}

function restoredText(attempts: number): string {
  return `the next run restores ${attempts === 1 ? '1 attempt' : `${attempts} attempts`} from .venice-batch`;
}

function counted(count: number, what: string, became: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'} ${became}`;
}
