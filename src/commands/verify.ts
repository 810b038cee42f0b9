import pLimit from 'p-limit';
import { type Standing, standingOf } from '../app/take-status.js';
import { EXIT, type ExitCode } from '../core/errors.js';
import type { Attempt } from '../lockfile/attempt.js';
import { boughtTwice } from '../lockfile/bought-twice.js';
import { lockError } from '../lockfile/lock-error.js';
import { readLock } from '../lockfile/read.js';
import { boughtTwicePhrase, boughtTwiceTake } from '../plan/bought-twice.js';
import { compareNewest, type FileState, takeId } from '../plan/history.js';
import type { PlanRow } from '../plan/plan.js';
import { madeAgainWords, takeWord } from '../plan/selection.js';
import { isElsewhere, isNothingHere } from '../plan/standing.js';
import { jsonText } from '../report/json-text.js';
import { pathText } from '../report/shell.js';
import { type DiskView, stateOf } from '../run/recover.js';
import { openOutput } from '../storage/output.js';
import { insistOnManifest } from './insist-manifest.js';
import { openSession, type Session } from './session.js';
import type { Flags } from './settings.js';
import { readableManifest } from './unreadable.js';

const HASHES_AT_ONCE = 4;

/** Hashes every stored file again and holds it against the lockfile. Asks nobody, changes nothing. */
export async function verifyCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await insistOnManifest(session);
  const { ports, settings, stdout, command } = session;
  const lockPath = settings.lockfilePath.value;
  const outputRoot = settings.outputRoot.value;
  const read = await readLock(ports.files, lockPath);
  if (!read.ok) throw lockError(read.problems[0], lockPath, command);
  const view = { output: await openOutput(ports.files, outputRoot) };
  const attempts = [...read.attempts.values()];
  const standing = await standingOf(view, attempts, await readableManifest(session));
  const files = await hashed(view, attempts, standing);
  const doubles = boughtTwice(attempts);
  if (flags.json === true) {
    const told = files.map(({ attempt: { track, take }, word, path, state }) => {
      return { path, track, take, state, needed: word !== undefined };
    });
    const bought_twice = doubles.map(boughtTwiceTake);
    stdout.write(`${jsonText({ schema: 1, output_root: outputRoot, files: told, bought_twice }, 2)}\n`);
  } else {
    for (const double of doubles) stdout.write(`warning: ${boughtTwicePhrase(double)}\n`);
    stdout.write(verdictText(files, isNothingHere(standing.rows), session));
  }
  return files.some(isBad) ? EXIT.tracks : EXIT.ok;
}

interface Hashed {
  readonly attempt: Attempt;
  readonly path: string;
  /** `elsewhere`: it is missing, and the manifest says that it is kept in another place. */
  readonly state: FileState | 'elsewhere';
  /** What names the take that rests on it. Absent: a newer one took its place, or it left the manifest. */
  readonly word: string | undefined;
}

/** A take rests on it, and it is not what was stored. */
function isBad({ state, word }: Hashed): boolean {
  return state !== 'present' && state !== 'elsewhere' && word !== undefined;
}

async function hashed(
  view: DiskView,
  attempts: readonly Attempt[],
  { rows, owners }: Standing,
): Promise<readonly Hashed[]> {
  const words = new Map(
    rows.flatMap((row) =>
      restsOn(row, attempts).map(({ attempt }) => [attempt, takeWord(row.take)] as const),
    ),
  );
  const away = new Set(
    rows.filter(isElsewhere).map(({ decision }) => ('attempt' in decision ? decision.attempt.attempt : '')),
  );
  const limit = pLimit(HASHES_AT_ONCE);
  return Promise.all(
    attempts.flatMap((attempt) => {
      const { file, state } = attempt;
      if (file === undefined || (state !== 'stored' && state !== 'done')) return [];
      // A path that two attempts name is judged by the one whose file it is now.
      if ((owners.get(file.path) ?? attempt.attempt) !== attempt.attempt) return [];
      const word = words.get(attempt.attempt);
      return limit(async () => {
        const found = await stateOf(view, attempt, 'hash');
        const state = found === 'missing' && away.has(attempt.attempt) ? ('elsewhere' as const) : found;
        return { attempt, path: file.path, word, state };
      });
    }),
  );
}

/** Also on what was made before, while it is not known what becomes of an attempt to make it again. */
function restsOn({ take, decision }: PlanRow, attempts: readonly Attempt[]): readonly Attempt[] {
  if (!('attempt' in decision)) return [];
  if (decision.kind !== 'collect' && decision.kind !== 'in_doubt') return [decision.attempt];
  const [before] = attempts
    .filter((one) => one.state === 'done' && one.digest === take.digest && takeId(one) === takeId(take))
    .sort(compareNewest);
  return before === undefined ? [decision.attempt] : [decision.attempt, before];
}

/** What is not as it was stored, how many are, and what to do about the rest. */
function verdictText(
  files: readonly Hashed[],
  nothingHere: boolean,
  { command, placeOf }: Pick<Session, 'command' | 'placeOf'>,
): string {
  const lines = files
    .filter(({ state }) => state !== 'present')
    .map(({ path, state, word }) => {
      return `${state}  ${pathText(placeOf(path))}${word === undefined ? '   (no longer needed)' : ''}`;
    });
  const bad = files.filter(isBad);
  const needed = files.filter(({ word }) => word !== undefined).length;
  const away = files.filter(({ state }) => state === 'elsewhere').length;
  const kept = away === 0 ? '' : `; ${away} kept elsewhere, as the manifest says`;
  lines.push(`${needed - bad.length - away} of ${needed} files verified${kept}`);
  const [owed, done] = [bad.filter(isRemote), bad.filter((file) => !isRemote(file))];
  const changed = done.filter(({ state }) => state === 'changed');
  if (owed.length > 0) lines.push(`next: ${command('collect')}   (fetches it again, at no cost)`);
  if (nothingHere)
    lines.push('next: if they were made with --out-dir, pass that folder again; otherwise put them back');
  else if (done.length > changed.length)
    lines.push(`next: ${command('run', '--retry-failed')}   (buys what is missing again)`);
  if (changed.length > 0) {
    const words = madeAgainWords({ retryFailed: false, force: changed.flatMap(({ word }) => word ?? []) });
    lines.push(`next: ${command('run', ...words)}   (buys what was changed again; or put it back)`);
  }
  return `${lines.join('\n')}\n`;
}

/** The service has it still: its copy goes only when this one is whole. */
function isRemote({ attempt }: Hashed): boolean {
  return attempt.state === 'stored';
}
