import path from 'node:path';
import { BatchError, EXIT, type ExitCode } from '../errors.js';
import type { Attempt } from '../lock/attempt.js';
import { lockError } from '../lock/problem.js';
import { checkEndpoint, readLock } from '../lock/read.js';
import { escapeForeign } from '../report/escape.js';
import { jsonText } from '../report/json-text.js';
import {
  type InDoubt,
  inDoubtJson,
  renderInDoubt,
  renderResolved,
  resolvedJson,
} from '../report/resolve-text.js';
import { tableWidth } from '../report/terminal.js';
import { recover } from '../run/recover.js';
import { type Resolution, resolveAttempt } from '../run/resolve.js';
import { createClient } from '../venice/create-client.js';
import { weigh } from '../venice/evidence.js';
import { rescueDirectories } from './batch-settings.js';
import { insistOnManifest } from './insist-manifest.js';
import { openForRun } from './open.js';
import { removeIdleSandbox } from './run.js';
import { openSession, type Session } from './session.js';
import type { Flags } from './settings.js';
import { storageError } from './storage-error.js';
import { askHistory } from './usage-evidence.js';

interface ResolveFlags extends Flags {
  readonly queueId?: string;
  readonly charged?: boolean;
  readonly notCharged?: boolean;
  readonly refunded?: boolean;
  readonly requeue?: boolean;
}

/** Without an attempt: what is in doubt, and the evidence. With one: what a person says became of it. */
export async function resolveCommand(
  manifest: string,
  flags: ResolveFlags,
  [attempt]: readonly string[],
): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  try {
    await insistOnManifest(session);
    const resolution = resolutionOf(flags, session.command);
    if (attempt === undefined && resolution === undefined) return await show(session);
    if (attempt === undefined || resolution === undefined)
      throw new BatchError(
        'usage',
        'an attempt and one of --queue-id, --charged, --not-charged, --refunded, --requeue belong together',
        {
          exitCode: EXIT.usage,
          hint: `see what is in doubt: ${session.command('resolve')}`,
        },
      );
    return await settle(session, attempt, resolution);
  } catch (error) {
    const { lockfilePath } = session.settings;
    const directory = path.dirname(lockfilePath.value);
    throw await storageError(error, session.ports.files, { directory, next: session.command('resolve') });
  } finally {
    await session.close();
    await removeIdleSandbox(session);
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
    throw new BatchError(
      'usage',
      'only one of --queue-id, --charged, --not-charged, --refunded, --requeue can be true',
      {
        exitCode: EXIT.usage,
        hint: `name the one that you know to hold; what is known of it: ${command('resolve')}`,
      },
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
  const asks = doubtful.length > 0 && session.apiKey !== undefined;
  const history = asks
    ? await askHistory(createClient(await session.connect()), session.ports.clock, doubtful)
    : undefined;
  const items = doubtful.map((attempt): InDoubt => {
    if (history === undefined || attempt.at.intent === undefined) return { attempt };
    return { attempt, evidence: weigh(attempt, history.entries, attempts, history.clockOffsetMs) };
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

async function settle(session: Session, id: string, resolution: Resolution): Promise<ExitCode> {
  const { settings, ports, stdout, stderr, endpoint } = session;
  const opened = await openForRun(
    ports,
    {
      lockfilePath: settings.lockfilePath.value,
      endpoint,
      // A record that is known must not be overruled by a guess.
      rescueDirectories: rescueDirectories(settings),
      command: session.command,
    },
    (event) => {
      if (event.type === 'notice') stderr.write(`${escapeForeign(event.message)}\n`);
    },
  );
  try {
    const { store } = opened;
    await recover({ ports, store, settings: { outputRoot: settings.outputRoot.value } }, ports.clock.nowMs());
    const matching = [...store.attempts.values()].filter(({ attempt }) =>
      attempt.startsWith(id.toLowerCase()),
    );
    const [attempt] = matching;
    if (id.length < 4 || attempt === undefined || matching.length > 1)
      throw new BatchError(
        'unknown-attempt',
        `${escapeForeign(id)} names ${matching.length === 0 || id.length < 4 ? 'no attempt' : 'several attempts'}`,
        {
          exitCode: EXIT.usage,
          hint: `give the whole id, as listed by: ${session.command('resolve')}`,
        },
      );
    const holder = [...store.attempts.values()].find(
      (other) => resolution.kind === 'queue_id' && other.queue_id === resolution.queueId && other !== attempt,
    );
    if (holder !== undefined)
      throw new BatchError(
        'queue-id-taken',
        `this queue_id is the job of ${holder.track}, take ${holder.take}`,
        {
          exitCode: EXIT.usage,
          hint: `look again which job is missing: ${session.command('resolve')}`,
        },
      );
    if (resolution.kind === 'queue_id') await checkAdopted(session, attempt, resolution.queueId);
    const resolved = resolveAttempt(attempt, resolution, ports.clock.nowMs());
    if (!resolved.ok)
      throw new BatchError('not-in-doubt', resolved.why, {
        exitCode: EXIT.usage,
        hint: `see: ${session.command('status')}`,
      });
    await store.record(resolved.attempt);
    const next = nextAfter(session, resolution);
    if (settings.flags.json === true) stdout.write(`${jsonText(resolvedJson(resolved.attempt, next), 2)}\n`);
    else stdout.write(renderResolved(resolved.attempt, next));
    await store.close();
    return EXIT.ok;
  } finally {
    await opened.store.abandon();
    await opened.release();
  }
}

/** A lost take is bought again only when asked for. */
function nextAfter(session: Session, resolution: Resolution): string {
  if (resolution.kind === 'queue_id') return session.command('collect');
  const gone = resolution.kind === 'charged' || resolution.kind === 'refunded';
  return gone ? session.command('run', '--retry-failed') : session.command('run');
}

/** One look whether the service knows the job, before the lockfile is told: a slip of the pen would lose what is paid. */
async function checkAdopted(session: Session, attempt: Attempt, queueId: string): Promise<void> {
  if (session.apiKey === undefined) return;
  const client = createClient(await session.connect());
  const found = await client.retrieve(attempt.model, queueId);
  if (found.ok && found.value.kind === 'audio') found.value.answer.discard();
  if (found.ok) return;
  if (found.kind === 'refused' && (found.status === 404 || found.status === 400))
    throw new BatchError(
      'queue-id-unknown',
      `the service does not know this queue_id for ${attempt.model} under this key: nothing was changed`,
      {
        exitCode: EXIT.usage,
        hint: `look at the id and the key again, or tell what else became of it: ${session.command('resolve')}`,
      },
    );
  session.stderr.write(
    `warning: whether the service knows this queue_id cannot be asked now: ${escapeForeign(found.message)}\n`,
  );
}
