import path from 'node:path';
import { fetchHistory } from '../app/billing-history.js';
import type { Resolution } from '../app/resolution.js';
import { storageError } from '../app/storage-error.js';
import { EXIT, type ExitCode } from '../core/errors.js';
import { lockError } from '../lockfile/lock-error.js';
import { checkEndpoint, readLock } from '../lockfile/read.js';
import { jsonText } from '../report/json-text.js';
import { type InDoubt, inDoubtJson, renderInDoubt } from '../report/resolve-text.js';
import { tableWidth } from '../report/terminal.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { refused, settle } from '../session/settle.js';
import { createClient } from '../venice/create-client.js';
import { createEvidence } from '../venice/evidence.js';
import { removeIdleFolders } from './idle-folders.js';

interface ResolveFlags extends Flags {
  readonly queueId?: string;
  readonly charged?: boolean;
  readonly notCharged?: boolean;
  readonly refunded?: boolean;
  readonly requeue?: boolean;
}

/** Without an attempt: lists what is in doubt, with the evidence. With one: records what became of it. */
export async function resolveCommand(
  manifest: string,
  flags: ResolveFlags,
  [attempt]: readonly string[],
): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  try {
    await requireManifest(session);
    const resolution = resolutionOf(flags, session.command);
    if (attempt === undefined && resolution === undefined) return await show(session);
    if (attempt === undefined || resolution === undefined)
      throw refused(
        'usage',
        'name an attempt together with one of --queue-id, --charged, --not-charged, --refunded, --requeue',
        `see what is in doubt: ${session.command('resolve')}`,
      );
    return await settle(session, attempt, resolution);
  } catch (error) {
    const { lockfilePath } = session.settings;
    const directory = path.dirname(lockfilePath.value);
    throw await storageError(error, session.ports.files, { directory, next: session.command('resolve') });
  } finally {
    await session.close();
    await removeIdleFolders(session);
  }
}

function resolutionOf(flags: ResolveFlags, command: Session['command']): Resolution | undefined {
  const said: Resolution[] = [];
  if (flags.queueId !== undefined) said.push({ kind: 'queue_id', queueId: flags.queueId });
  if (flags.charged === true) said.push({ kind: 'charged' });
  if (flags.notCharged === true) said.push({ kind: 'not_charged' });
  if (flags.refunded === true) said.push({ kind: 'refunded' });
  if (flags.requeue === true) said.push({ kind: 'requeue' });
  if (said.length > 1)
    throw refused(
      'usage',
      'only one of --queue-id, --charged, --not-charged, --refunded, --requeue can be given',
      `use the one you know to be true; to see what is known: ${command('resolve')}`,
    );
  return said[0];
}

async function show(session: Session): Promise<ExitCode> {
  const { settings, stdout, endpoint } = session;
  const lockPath = settings.lockfilePath.value;
  const read = await readLock(session.ports.files, lockPath);
  if (!read.ok) throw lockError(read.problems[0], lockPath, session.command);
  const foreign = read.header === undefined ? undefined : checkEndpoint(read.header, endpoint);
  if (foreign !== undefined) throw lockError(foreign, lockPath, session.command);
  const attempts = [...read.attempts.values()];
  const doubtful = attempts.filter(({ state }) => state === 'in_doubt' || state === 'intent');
  const asks = doubtful.length > 0 && session.account !== undefined;
  const history = asks
    ? await fetchHistory(
        createClient(await session.connect(), session.redact, session.account),
        session.ports.clock,
        doubtful,
      )
    : undefined;
  const matchCharges =
    history === undefined ? undefined : createEvidence(history.entries, attempts, history.clockOffsetMs);
  const items = doubtful.map((attempt): InDoubt => {
    if (matchCharges === undefined || attempt.at.intent === undefined) return { attempt };
    return { attempt, evidence: matchCharges(attempt) };
  });
  if (settings.flags.json === true) stdout.write(`${jsonText(inDoubtJson(items, history), 2)}\n`);
  else
    stdout.write(
      renderInDoubt(items, {
        command: session.command,
        color: stdout.color,
        width: tableWidth(stdout, process.env),
        history,
      }),
    );
  return items.length === 0 ? EXIT.ok : EXIT.inDoubt;
}
