import path from 'node:path';
import { storageError } from '../app/storage-error.js';
import type { Code } from '../core/codes.js';
import { EXIT, type ExitCode, usageError } from '../core/errors.js';
import { takeKey } from '../core/take-key.js';
import type { Attempt, FiledAttempt } from '../lockfile/attempt.js';
import { requireLock } from '../lockfile/read.js';
import type { Take } from '../manifest/take.js';
import { type Choice, chooseTake, unknownTrack } from '../picks/find-take.js';
import type { Pick } from '../picks/pick-types.js';
import { writePicks } from '../picks/picks-file.js';
import { withBoughtTakes } from '../plan/extra-takes.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import { pathText } from '../report/path-text.js';
import { elsewhereNote } from '../session/elsewhere-note.js';
import { viewOf } from '../session/find-state.js';
import { loadPicks } from '../session/picks.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { readableManifest } from '../session/unreadable.js';

/** Records which take of a track is the chosen one. Costs nothing, and never changes the lockfile. */
export async function pickCommand(
  manifest: string,
  flags: Flags,
  words: readonly string[],
): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  const [track = '', take] = flags.clear === true ? words : splitKey(words);
  if ((take === undefined) !== (flags.clear === true))
    throw usageError(
      take === undefined ? 'name the take to pick, or use --clear' : '--clear takes no TAKE',
      take === undefined
        ? `${session.command('pick', track, '1')} or ${session.command('pick', track, '--clear')}`
        : session.command('pick', track, '--clear'),
    );
  if (flags.clear === true && flags.note !== undefined)
    throw usageError('--clear and --note cannot be combined', session.command('pick', track, '--clear'));
  await requireManifest(session);
  const { file, picks, text } = await loadPicks(session);
  const { attempts, takes, here } = await knownTakes(session);
  const chosen = take === undefined ? undefined : await choose(session, track, take, takes, attempts);
  if (chosen !== undefined && take !== undefined)
    requireHeard(session, chosen, chooseTake(track, take, takes, here), [track, take]);
  if (chosen === undefined) requireTrack(session, track, takes, attempts, picks.has(track));
  const before = picks.get(track);
  const pick = chosen && pickFor(chosen.file.sha256, flags.note, before);
  try {
    const { files, random } = session.ports;
    await writePicks(files, random, file, text, new Map([[track, pick]]));
  } catch (error) {
    const next = session.command('pick', track, ...(take === undefined ? ['--clear'] : [take]));
    throw await storageError(error, session.ports.files, { directory: path.dirname(file), next });
  }
  session.stdout.write(reported(session, file, track, chosen, pick, before));
  return EXIT.ok;
}

/** `opening#2`, as in `status`, names track and take in one word. */
function splitKey(words: readonly string[]): readonly string[] {
  const [track = ''] = words;
  const at = track.lastIndexOf('#');
  return words.length === 1 && at > 0 ? [track.slice(0, at), track.slice(at + 1)] : words;
}

async function knownTakes(session: Session) {
  const lockPath = session.settings.lockfilePath.value;
  const read = await requireLock(session.ports.files, lockPath, session.command);
  const manifest = await readableManifest(session);
  const { attempts, audio } = await viewOf(session, read, 'pick');
  await audio?.close();
  const takes = manifest === undefined ? [] : withBoughtTakes(manifest, attempts).takes;
  return { attempts, takes, here: [...read.attempts.values()] };
}

/**
 * A number names another file here if another machine has made the take again: the user cannot have heard that one.
 *
 * @param here what the same words mean by the lockfile alone
 */
function requireHeard(
  { command }: Session,
  chosen: FiledAttempt,
  here: Choice,
  words: readonly string[],
): void {
  const { sha256 } = chosen.file;
  if (!here.ok || here.attempt.file.sha256 === sha256) return;
  const [track = ''] = words;
  const byHash = (hash: string) => command('pick', track, hash.slice(0, HASH_DIGITS));
  throw usageError(
    `${takeKey(chosen)} was made again on another machine, and its new file is not in this lockfile yet`,
    `to listen to it first: ${command('collect')}; to pick it: ${byHash(sha256)}; to pick the file that is here: ${byHash(here.attempt.file.sha256)}`,
    'changed-meanwhile',
  );
}

/** Enough to name one file of a track. */
const HASH_DIGITS = 12;

/** A note belongs to its take: picking another take starts without one. An empty note removes it. */
export function pickFor(sha256: string, note: string | undefined, before: Pick | undefined): Pick {
  const text = note ?? (before?.sha256 === sha256 ? before.note : undefined);
  return { sha256, ...(text === undefined || text.trim() === '' ? {} : { note: text.trim() }) };
}

async function choose(
  session: Session,
  track: string,
  word: string,
  takes: readonly Take[],
  attempts: readonly Attempt[],
) {
  const choice = chooseTake(track, word, takes, attempts);
  if (choice.ok) return choice.attempt;
  const { command } = session;
  if (choice.why === 'no-file') {
    const { message, state } = choice;
    if (state === undefined) {
      const elsewhere = await elsewhereNote(session, ['pick', track, word]);
      throw usageError(
        escapeForeign(message),
        elsewhere ?? `make it: ${command('run')}`,
        'take-without-file',
      );
    }
    const next = state === 'queued' ? command('collect') : command('status');
    throw usageError(`${message}: it is ${state.replace('_', ' ')}`, next, 'take-without-file');
  }
  const meant = choice.meant;
  if (choice.why === 'track') throw unknown('unknown-track', choice.message, session, meant && [meant, word]);
  throw unknown('unknown-take', choice.message, session, meant && [track, meant]);
}

function requireTrack(
  session: Session,
  track: string,
  takes: readonly Take[],
  attempts: readonly Attempt[],
  picked: boolean,
): void {
  const unknownOne = picked ? undefined : unknownTrack(track, takes, attempts);
  const meant = unknownOne?.meant;
  if (unknownOne !== undefined)
    throw unknown('unknown-track', unknownOne.message, session, meant && [meant, '--clear']);
}

function unknown(
  code: Code,
  message: string,
  { command }: Session,
  words: readonly string[] | '' | undefined,
) {
  const hint = words ? `did you mean: ${command('pick', ...words)}` : `see: ${command('status')}`;
  return usageError(escapeForeign(message), hint, code);
}

function reported(
  { settings, displayPath, placeOf }: Session,
  file: string,
  track: string,
  chosen: FiledAttempt | undefined,
  pick: Pick | undefined,
  before: Pick | undefined,
): string {
  if (settings.flags.json === true)
    return jsonDocument({
      schema: 1,
      manifest: displayPath,
      picks_file: file,
      track,
      pick: pick ?? null,
      ...(chosen && { attempt: chosen }),
    });
  const place = pathText(path.relative(process.cwd(), file) || file);
  if (chosen === undefined)
    return before === undefined ? `${track} had no pick\n` : `cleared the pick of ${track} (${place})\n`;
  const note = pick?.note === undefined ? '' : `: ${escapeForeign(pick.note)}`;
  return `picked ${takeKey(chosen)}, ${pathText(placeOf(chosen.file.path))}${note}\n`;
}
