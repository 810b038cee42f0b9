import { lockedError } from '../app/open-lockfile.js';
import { EXIT, type ExitCode } from '../core/errors.js';
import { leaveLog } from '../lockfile/leave-log.js';
import { requireLock } from '../lockfile/read.js';
import { acquireRunLock } from '../lockfile/run-lock.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { changeLockfile } from './change-lockfile.js';

/** What was left. */
interface Detached {
  /** Its address. */
  readonly log: string;
  /** How many attempts the lockfile keeps. */
  readonly attempts: number;
}

/**
 * Removes the shared log from the lockfile that is a copy of it, so that the lockfile can be added to another log: the log
 * was moved, or deleted and cannot be restored. Contacts no log.
 */
export async function detachCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  const left = await changeLockfile(session, session.command('lock detach'), () => detach(session));
  const { stdout, command, settings } = session;
  // Without its log: to which one it is added next is for the user to say.
  const next = command('run', '--state', 'ADDRESS');
  if (flags.json === true)
    stdout.write(
      jsonDocument({
        schema: 1,
        lockfile: settings.lockfilePath.value,
        left: left?.log ?? null,
        attempts: left?.attempts ?? 0,
      }),
    );
  else if (left === undefined) stdout.write('the lockfile is not a copy of a shared log: nothing to do\n');
  else stdout.write(`${textOf(left).map(escapeForeign).join('\n')}\nNext: ${next}\n`);
  return EXIT.ok;
}

async function detach({ ports, settings, command }: Session): Promise<Detached | undefined> {
  const { files, processes, clock, random } = ports;
  const lockPath = settings.lockfilePath.value;
  // Check first, because taking the run lock would create its folder.
  if ((await requireLock(files, lockPath, command)).header?.log === undefined) return undefined;
  const guard = await acquireRunLock(files, processes, clock, random, lockPath);
  if (!guard.ok) throw lockedError(guard.held, command);
  try {
    const { header, attempts } = await requireLock(files, lockPath, command);
    if (header?.log === undefined) return undefined;
    await leaveLog(files, random, await files.real(lockPath), { header, attempts });
    return { log: header.log, attempts: attempts.size };
  } finally {
    await guard.release();
  }
}

function textOf({ log, attempts }: Detached): readonly string[] {
  return [
    `the lockfile is no longer a copy of ${log}; ${attempts === 1 ? '1 attempt' : `${attempts} attempts`} kept`,
    `stop every machine that uses ${log}: what it buys there from now on is not known here, and would be bought again`,
    'the next run with --state, VENICE_BATCH_STATE or `state:` adds all attempts to that log; detach every other clone, too',
  ];
}
