import type { OpenSettings } from '../app/opening.js';
import { checkLog } from '../app/opening.js';
import type { State } from '../app/state.js';
import { BatchError, EXIT } from '../core/errors.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { ReadLock } from '../lockfile/read.js';
import { escapeForeign } from '../report/escape.js';
import type { Session } from './session.js';
import { readableManifest } from './unreadable.js';

/** The place of the shared log for a command that is no run: by flag, environment, manifest, or the lockfile's own header. */
export function stateFinder(session: Session): NonNullable<OpenSettings['findState']> {
  return async (named) => {
    const { settings } = session;
    const given = settings.state?.value;
    const manifest = given === undefined && !settings.sandbox ? await readableManifest(session) : undefined;
    const address = given ?? manifest?.state ?? (manifest === undefined ? await named() : undefined);
    return address === undefined ? undefined : session.openState(address);
  };
}

/**
 * The attempts that a command which only looks goes by: those of the shared log, where there is one and it can be reached,
 * else those of the lockfile, and that is told. Writes nothing. Throws a `BatchError` for a log that is not the lockfile's.
 */
export async function attemptsOf(
  session: Session,
  read: ReadLock & { ok: true },
  verb: string,
): Promise<readonly Attempt[]> {
  const { settings, command } = session;
  const own = [...read.attempts.values()];
  if (settings.state === undefined && read.header?.log === undefined) {
    const manifest = settings.sandbox ? undefined : await readableManifest(session);
    if (manifest?.state === undefined) return own;
  }
  const state = await stateFinder(session)(async () => read.header?.log);
  checkLog(read.header, state?.address, settings.lockfilePath.value, (...words) => command(verb, ...words));
  return state === undefined ? own : withShared(session, state, read, own);
}

async function withShared(
  { ports, endpoint, command, stderr }: Session,
  state: State,
  { header, attempts }: ReadLock & { ok: true },
  own: readonly Attempt[],
): Promise<readonly Attempt[]> {
  const { isBehind, placed } = await import('../shared-log/placement.js');
  try {
    const log = await state.openLog({
      runId: '0'.repeat(32),
      endpoint,
      lineage: header?.was === undefined ? header?.lineage : undefined,
      newLineage: () => header?.lineage ?? '0'.repeat(32),
      access: 'read',
      clock: ports.clock,
      random: ports.random,
      command,
    });
    const all = new Map(attempts);
    for (const shared of log.attempts.values()) {
      const known = all.get(shared.attempt);
      if (known === undefined || isBehind(known, shared))
        all.set(shared.attempt, placed(shared, known, log.originOf(shared.attempt)?.run));
    }
    await log.close();
    return [...all.values()];
  } catch (error) {
    if (!(error instanceof BatchError) || error.exitCode === EXIT.lockfile) throw error;
    stderr.write(
      `${escapeForeign(`warning: ${error.message}: showing what the lockfile on this machine records`)}\n`,
    );
    return own;
  }
}
