import { BatchError, EXIT, type ExitCode, faultCode } from '../errors.js';
import { acquireGuard } from '../lock/guard.js';
import { lockError } from '../lock/problem.js';
import { type RepairedFile, repairFile } from '../lock/repair-file.js';
import { escapeForeign } from '../report/escape.js';
import { insistOnManifest } from './insist-manifest.js';
import { openSession } from './session.js';
import type { Flags } from './settings.js';

/** Mends a lockfile after a merge or damage. Every queue_id is kept; lines that cannot be understood are set aside in a file. */
export async function repairCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await insistOnManifest(session);
  const { ports, settings, stdout } = session;
  const { files, processes, clock, random } = ports;
  const lockPath = settings.lockfilePath.value;
  const guard = await acquireGuard(files, processes, clock, random, lockPath);
  if (!guard.ok)
    throw new BatchError(
      'locked',
      `another run holds the lock (pid ${guard.held.pid} on ${guard.held.hostname})`,
      {
        exitCode: EXIT.locked,
        hint: 'wait for it to end',
      },
    );
  try {
    const repaired = await repairFile(files, lockPath);
    if (!repaired.ok) throw lockError(repaired.problem, lockPath, session.command);
    for (const line of told(repaired)) stdout.write(`${escapeForeign(line)}\n`);
    stdout.write(`next: ${session.command('status')}\n`);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof BatchError || faultCode(error) === '') throw error;
    throw new BatchError('storage', `${lockPath} cannot be repaired (${faultCode(error)})`, {
      exitCode: EXIT.lockfile,
      hint: 'make the file and its folder readable and writable; nothing was changed',
      cause: error,
    });
  } finally {
    await guard.release();
  }
}

function told({ report, asidePath }: RepairedFile & { ok: true }): readonly string[] {
  const lines = [`${report.attempts} attempts kept`];
  if (report.markers > 0) lines.push(`${report.markers} conflict markers taken out, both sides kept`);
  if (report.headers > 0) lines.push(`${report.headers} repeated headers taken out`);
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
