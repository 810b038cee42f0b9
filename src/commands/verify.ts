import pLimit from 'p-limit';
import { EXIT, type ExitCode } from '../errors.js';
import type { Attempt } from '../lock/attempt.js';
import { lockError } from '../lock/problem.js';
import { readLock } from '../lock/read.js';
import { jsonText } from '../report/json-text.js';
import { pathText } from '../report/shell.js';
import { fileStates, stateOf } from '../run/recover.js';
import { insistOnManifest } from './insist-manifest.js';
import { openSession } from './session.js';
import type { Flags } from './settings.js';

const HASHES_AT_ONCE = 4;

/** Hashes every stored file again and holds it against the lockfile. Asks nobody, changes nothing. */
export async function verifyCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await insistOnManifest(session);
  const { ports, settings, stdout, placeOf } = session;
  const read = await readLock(ports.files, settings.lockfilePath.value);
  if (!read.ok) throw lockError(read.problems[0], settings.lockfilePath.value, session.command);
  const view = { ports, settings: { outputRoot: settings.outputRoot.value } };
  const limit = pLimit(HASHES_AT_ONCE);
  const attempts = [...read.attempts.values()];
  // A path that two attempts name is judged by the one whose file it is now.
  const { owners } = await fileStates(view, attempts);
  const kept = attempts.filter(
    (attempt): attempt is Attempt & { file: object } =>
      attempt.file !== undefined &&
      (attempt.state === 'stored' || attempt.state === 'done') &&
      (owners.get(attempt.file.path) ?? attempt.attempt) === attempt.attempt,
  );
  const files = await Promise.all(
    kept.map((attempt) =>
      limit(async () => ({
        path: attempt.file.path,
        track: attempt.track,
        take: attempt.take,
        state: await stateOf(view, attempt, 'hash'),
      })),
    ),
  );
  const bad = files.filter(({ state }) => state !== 'present');
  if (flags.json === true)
    stdout.write(`${jsonText({ schema: 1, output_root: settings.outputRoot.value, files }, 2)}\n`);
  else {
    for (const { path, state } of bad) stdout.write(`${state}  ${pathText(placeOf(path))}\n`);
    stdout.write(`${files.length - bad.length} of ${files.length} files are as they were stored\n`);
    const missing = bad.some(({ state }) => state === 'missing');
    if (missing)
      stdout.write(`next: ${session.command('run', '--retry-failed')}   (buys what is missing again)\n`);
    const changed = bad.filter(({ state }) => state === 'changed').flatMap(({ track }) => ['--force', track]);
    if (changed.length > 0)
      stdout.write(
        `next: ${session.command('run', ...changed)}   (buys what was changed again; or put it back)\n`,
      );
  }
  return bad.length === 0 ? EXIT.ok : EXIT.tracks;
}
