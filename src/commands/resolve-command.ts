import { fetchHistory } from '../app/billing-history.js';
import type { Resolution } from '../app/resolution.js';
import { EXIT, type ExitCode, usageError } from '../core/errors.js';
import { requireLock } from '../lockfile/read.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import {
  type InDoubt,
  inDoubtJson,
  renderInDoubt,
  renderResolved,
  resolvedJson,
} from '../report/resolve-text.js';
import { tableWidth } from '../report/terminal.js';
import { elsewhereNote } from '../session/elsewhere-note.js';
import { viewOf } from '../session/find-state.js';
import { settleAttempt } from '../session/resolve-attempt.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { shortId } from '../session/with-store.js';
import type { CallFailure } from '../venice/client.js';
import { createClient } from '../venice/create-client.js';
import { createEvidence } from '../venice/matching-charges.js';
import { changeLockfile } from './change-lockfile.js';
import { runAtWork } from './run-at-work.js';

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
  return changeLockfile(session, async () => {
    const resolution = resolutionOf(flags, session.command);
    if (attempt === undefined && resolution === undefined) return show(session);
    if (attempt === undefined || resolution === undefined)
      throw usageError(
        'name an attempt and one of --queue-id, --charged, --not-charged, --refunded, --requeue',
        `to see what is in doubt: ${session.command('resolve')}`,
      );
    const settled = await settleAttempt(session, attempt, resolution);
    const [as, next] = [settled.attempt, settled.next];
    session.stdout.write(
      flags.json === true ? jsonDocument(resolvedJson(as, next)) : renderResolved(as, next),
    );
    return EXIT.ok;
  });
}

function resolutionOf(flags: ResolveFlags, command: Session['command']): Resolution | undefined {
  const said: Resolution[] = [];
  if (flags.queueId !== undefined) said.push({ kind: 'queue_id', queueId: flags.queueId });
  if (flags.charged === true) said.push({ kind: 'charged' });
  if (flags.notCharged === true) said.push({ kind: 'not_charged' });
  if (flags.refunded === true) said.push({ kind: 'refunded' });
  if (flags.requeue === true) said.push({ kind: 'requeue' });
  if (said.length > 1)
    throw usageError(
      'only one of --queue-id, --charged, --not-charged, --refunded, --requeue can be given',
      `use the one that you know to be true; to see what is known: ${command('resolve')}`,
    );
  return said[0];
}

/** An inference key cannot read the billing history. */
function isKeyRefused({ status }: CallFailure): boolean {
  return status === 401 || status === 403;
}

async function show(session: Session): Promise<ExitCode> {
  const { settings, stdout, endpoint } = session;
  const lockPath = settings.lockfilePath.value;
  const read = await requireLock(session.ports.files, lockPath, session.command, endpoint);
  const { command } = session;
  const { attempts, audio } = await viewOf(session, read, 'resolve');
  await audio?.close();
  const doubtful = attempts.filter(({ state }) => state === 'in_doubt' || state === 'intent');
  const running = doubtful.length === 0 ? undefined : await runAtWork(session);
  if (running !== undefined)
    session.warn(
      `warning: a run (${escapeForeign(running)}) is at work and may still record what became of these: wait for it to end, then look again\n`,
    );
  const asks = doubtful.length > 0 && session.account !== undefined;
  const asked = asks
    ? await fetchHistory(
        createClient(await session.connect(), session.redact, session.account),
        session.ports.clock,
        doubtful,
      )
    : undefined;
  const history = asked === undefined || 'ok' in asked ? undefined : asked;
  const matchCharges =
    history === undefined ? undefined : createEvidence(history.entries, attempts, history.clockOffsetMs);
  const items = doubtful.map((attempt): InDoubt => {
    if (matchCharges === undefined || attempt.at.intent === undefined) return { attempt };
    return { attempt, evidence: matchCharges(attempt) };
  });
  if (settings.flags.json === true) stdout.write(jsonDocument(inDoubtJson(items, history)));
  else
    stdout.write(
      renderInDoubt(items, {
        command,
        idOf: (attempt) => shortId(attempts, attempt),
        color: stdout.color,
        width: tableWidth(stdout, process.env),
        history,
        ...(asked !== undefined && 'ok' in asked && !isKeyRefused(asked) ? { unread: asked.message } : {}),
      }),
    );
  const note = attempts.length === 0 ? await elsewhereNote(session, ['resolve']) : undefined;
  if (note !== undefined) session.stderr.write(`note: ${note}\n`);
  return items.length === 0 ? EXIT.ok : EXIT.inDoubt;
}
