import path from 'node:path';
import { storageError } from '../app/storage-error.js';
import { EXIT, type ExitCode } from '../core/errors.js';
import { shellWord } from '../core/shell.js';
import { takeKey } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import { escapeForeign } from '../report/escape.js';
import { jsonText } from '../report/json-text.js';
import { acceptKept } from '../run/accept.js';
import { recover } from '../run/recover.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { openQuietly, refused, sealedBy } from '../session/settle.js';
import { openOutput } from '../storage/output.js';
import { removeIdleFolders } from './idle-folders.js';

/** Accepts the kept bytes of an unverified take on the user's request. */
export async function acceptCommand(
  manifest: string,
  flags: Flags,
  [take = '']: readonly string[],
): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  try {
    await requireManifest(session);
    return await accept(session, take);
  } catch (error) {
    const directory = path.dirname(session.settings.lockfilePath.value);
    const next = session.command('accept', take);
    throw await storageError(error, session.ports.files, { directory, next });
  } finally {
    await session.close();
    await removeIdleFolders(session);
  }
}

async function accept(session: Session, word: string): Promise<ExitCode> {
  const { settings, ports, stdout, stderr, command, placeOf } = session;
  const output = await openOutput(ports.files, settings.outputRoot.value);
  const { store, release } = await openQuietly(session, 'accept');
  try {
    const context = { output, store };
    const nowMs = ports.clock.nowMs();
    await recover(context, nowMs);
    const attempt = find(session, [...store.attempts.values()], word);
    const seal = (before: Attempt, after: Attempt) => sealedBy(session, store.header, before, after);
    const accepted = await acceptKept(context, attempt, nowMs, seal, (relative) => {
      const name = shellWord(placeOf(relative));
      stderr.write(`warning: ${name} exists and is not in the lockfile: it is left alone\n`);
    });
    if (!accepted.ok) throw unacceptable(session, attempt, accepted.why);
    stdout.write(acceptedText(settings.flags, accepted.attempt, placeOf, command('collect')));
    await store.close();
    return EXIT.ok;
  } finally {
    await store.abandon();
    await release();
  }
}

function acceptedText({ json }: Flags, attempt: Attempt, placeOf: Session['placeOf'], next: string): string {
  if (json === true) return `${jsonText({ schema: 1, attempt, next_command: next }, 2)}\n`;
  const where = placeOf(attempt.file?.path ?? '');
  return `${escapeForeign(`${takeKey(attempt)} is stored as ${where}, accepted without a check`)}\nnext: ${next}\n`;
}

/** An attempt can be named by this many digits. */
const ID_DIGITS_MIN = 4;

/** By the take's name, or, if it has several attempts, by the attempt. */
function find({ command }: Session, attempts: readonly Attempt[], word: string): Attempt {
  const unverified = attempts.filter(({ state }) => state === 'unverified');
  const byTake = unverified.filter((attempt) => takeKey(attempt) === word);
  const byId = unverified.filter(
    ({ attempt }) => word.length >= ID_DIGITS_MIN && attempt.startsWith(word.toLowerCase()),
  );
  const named = byTake.length > 0 ? byTake : byId;
  if (named[0] !== undefined && named.length === 1) return named[0];
  const choices = named.length > 1 ? named.map(({ attempt }) => attempt) : unverified.map(takeKey);
  const commands = choices.slice(0, 5).map((choice) => command('accept', choice));
  throw refused(
    named.length > 1 ? 'unknown-attempt' : 'not-unverified',
    named.length > 1
      ? `${escapeForeign(word)} names ${named.length} unverified attempts`
      : `${escapeForeign(word)} is not an unverified take`,
    commands.length === 0 ? `nothing can be accepted; see: ${command('status')}` : commands.join(' or '),
  );
}

const WHY = {
  'nothing-kept': 'its download never completed',
  missing: 'its kept file is gone',
  changed: 'its kept file changed since it was downloaded',
} as const;

function unacceptable({ command }: Session, attempt: Attempt, why: keyof typeof WHY) {
  return refused(
    'nothing-to-accept',
    `${takeKey(attempt)} cannot be accepted: ${WHY[why]}`,
    `fetch it again, at no cost: ${command('collect')}`,
  );
}
