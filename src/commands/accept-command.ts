import { EXIT, type ExitCode, usageError } from '../core/errors.js';
import { shellWord } from '../core/shell.js';
import { takeKey } from '../core/take-key.js';
import { type Attempt, isGivenUpByUser } from '../lockfile/attempt.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import { acceptKept } from '../run/accept-kept.js';
import { recover } from '../run/recover.js';
import { supersededError } from '../session/changed-meanwhile.js';
import { elsewhereNote } from '../session/elsewhere-note.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { attemptsNamed, sealedBy, withStore } from '../session/with-store.js';
import { openOutput } from '../storage/output.js';
import { changeLockfile } from './change-lockfile.js';

/** Accepts the kept bytes of an unverified take on the user's request. */
export async function acceptCommand(
  manifest: string,
  flags: Flags,
  [take = '']: readonly string[],
): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  return changeLockfile(session, () => accept(session, take));
}

async function accept(session: Session, word: string): Promise<ExitCode> {
  const { settings, ports, stdout, stderr, command, placeOf } = session;
  const output = await openOutput(ports.files, settings.outputRoot.value);
  const attempt = await withStore(session, 'accept', async ({ store, formerPlaces }) => {
    const context = { output, store };
    const nowMs = ports.clock.nowMs();
    await recover(context, nowMs, { former: formerPlaces });
    const elsewhere = store.attempts.size === 0 ? await elsewhereNote(session, ['accept', word]) : undefined;
    const unverified = find(session, [...store.attempts.values()], word, elsewhere);
    const seal = (before: Attempt, after: Attempt) => sealedBy(session, store.header, before, after);
    const accepted = await acceptKept(context, unverified, nowMs, seal, (relative, why) => {
      const name = shellWord(placeOf(relative));
      stderr.write(`warning: ${name} ${why}: it is left alone\n`);
    });
    if (!accepted.ok)
      throw accepted.why === 'superseded'
        ? supersededError(session, accepted.newest)
        : unacceptable(session, unverified, accepted.why);
    return accepted.attempt;
  });
  stdout.write(acceptedText(settings.flags, attempt, placeOf, command('collect')));
  return EXIT.ok;
}

function acceptedText({ json }: Flags, attempt: Attempt, placeOf: Session['placeOf'], next: string): string {
  if (json === true) return jsonDocument({ schema: 1, attempt, next_command: next });
  const where = placeOf(attempt.file?.path ?? '');
  return `${escapeForeign(`${takeKey(attempt)} is stored as ${where}, accepted without a check`)}\nNext: ${next}\n`;
}

/** Also a job that failed or was lost later, if a download of it is kept. What the user has settled stays. */
function isAcceptable({ state, kept, reason }: Attempt): boolean {
  if (state === 'unverified') return true;
  return (state === 'failed' || state === 'lost') && kept !== undefined && !isGivenUpByUser(reason?.code);
}

/**
 * By the take's name, or, if it has several attempts, by the attempt.
 *
 * @param elsewhere where the user may have meant to look
 */
function find(
  { command }: Session,
  attempts: readonly Attempt[],
  word: string,
  elsewhere: string | undefined,
): Attempt {
  const unverified = attempts.filter(isAcceptable);
  const byTake = unverified.filter((attempt) => takeKey(attempt) === word);
  const byId = attemptsNamed(unverified, word);
  const named = byTake.length > 0 ? byTake : byId;
  if (named[0] !== undefined && named.length === 1) return named[0];
  const choices = named.length > 1 ? named.map(({ attempt }) => attempt) : unverified.map(takeKey);
  const commands = choices.slice(0, 5).map((choice) => command('accept', choice));
  throw usageError(
    named.length > 1
      ? `${escapeForeign(word)} matches ${named.length} unverified attempts`
      : `${escapeForeign(word)} is not an unverified take`,
    commands.length === 0
      ? (elsewhere ?? `no take is unverified; to see the takes: ${command('status')}`)
      : commands.join(' or '),
    named.length > 1 ? 'unknown-attempt' : 'not-unverified',
  );
}

const WHY = {
  'nothing-kept': 'its download never completed',
  missing: 'its kept file is gone',
  changed: 'its kept file changed since it was downloaded',
} as const;

function unacceptable({ command }: Session, attempt: Attempt, why: keyof typeof WHY) {
  return usageError(
    `${takeKey(attempt)} cannot be accepted: ${WHY[why]}`,
    `fetch it again, at no cost: ${command('collect')}`,
    'nothing-to-accept',
  );
}
