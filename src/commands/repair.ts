import path from 'node:path';
import { BatchError, describeFault, EXIT, type ExitCode, faultCode } from '../errors.js';
import { acquireGuard } from '../lock/guard.js';
import { lockError } from '../lock/problem.js';
import { type RepairedFile, repairFile } from '../lock/repair-file.js';
import type { Files } from '../ports.js';
import { escapeForeign } from '../report/escape.js';
import { insistOnManifest } from './insist-manifest.js';
import { lockedError } from './open.js';
import { openSession, type Session } from './session.js';
import type { Flags } from './settings.js';
import { storageError } from './storage-error.js';

/** Mends a lockfile after a merge or damage. Every queue_id is kept; lines that cannot be understood are set aside in a file. */
export async function repairCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await insistOnManifest(session);
  const { ports, settings, stdout, command } = session;
  const lockPath = settings.lockfilePath.value;
  // Looked at first, as taking the guard would make its folder.
  if (!(await stands(ports.files, lockPath))) {
    stdout.write(`there is no lockfile at ${escapeForeign(lockPath)}: nothing to repair\n`);
    return EXIT.ok;
  }
  try {
    await repairGuarded(session, lockPath);
  } catch (error) {
    throw await storageError(error, ports.files, {
      directory: path.dirname(lockPath),
      next: command('lock repair'),
    });
  }
  stdout.write(`next: ${command('status')}\n`);
  return EXIT.ok;
}

async function repairGuarded({ ports, stdout, command }: Session, lockPath: string): Promise<void> {
  const { files, processes, clock, random } = ports;
  const guard = await acquireGuard(files, processes, clock, random, lockPath);
  if (!guard.ok) throw lockedError(guard.held, command);
  try {
    const repaired = await repairFile(files, lockPath);
    if (!repaired.ok) throw lockError(repaired.problem, lockPath, command);
    for (const line of told(repaired)) stdout.write(`${escapeForeign(line)}\n`);
  } catch (error) {
    if (error instanceof BatchError || faultCode(error) === '') throw error;
    const { what, fix } = describeFault(faultCode(error));
    throw new BatchError('storage', `${lockPath} cannot be repaired: ${what} (${faultCode(error)})`, {
      exitCode: EXIT.lockfile,
      hint: `nothing was changed: ${fix}, then: ${command('lock repair')}`,
      cause: error,
    });
  } finally {
    await guard.release();
  }
}

/** What cannot even be looked at is there. */
async function stands(files: Files, file: string): Promise<boolean> {
  const facts = await files.facts(file).catch(() => 'unknown');
  return facts !== undefined;
}

function told({ report, asidePath }: RepairedFile & { ok: true }): readonly string[] {
  const lines = [counted(report.attempts, 'attempt', 'kept')];
  if (report.markers > 0)
    lines.push(counted(report.markers, 'conflict marker', 'taken out, both sides kept'));
  if (report.headers > 0) lines.push(counted(report.headers, 'repeated header', 'taken out'));
  for (const ids of report.paidTwice)
    lines.push(`paid more than once, all kept and collected: ${ids.join(', ')}`);
  for (const { line, why, queueIds } of report.setAside)
    lines.push(
      `line ${line} ${why}: set aside${queueIds.length > 0 ? `; it names the job ${queueIds.join(', ')}` : ''}`,
    );
  if (asidePath !== undefined)
    lines.push(`lines set aside are in ${asidePath}: nothing of them is lost, nothing of them counts`);
  return lines;
}

function counted(count: number, what: string, became: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'} ${became}`;
}
