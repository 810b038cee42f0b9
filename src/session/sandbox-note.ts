import { pathText } from '../report/path-text.js';
import { lockfileIn } from './batch-place.js';
import type { Session } from './session.js';

/** Prints the note, if there is one, beside the output. */
export async function noteSandbox(session: Session, ...words: readonly string[]): Promise<void> {
  const note = await sandboxNote(session, words);
  if (note !== undefined) session.stderr.write(`note: ${note}\n`);
}

/**
 * For a command that found nothing: if the sandbox has a lockfile for this manifest, the user probably forgot
 * `--sandbox`.
 *
 * @param words of the command to use instead, verb first
 * @returns one line without its end; `undefined` if there was no sandbox run
 */
export async function sandboxNote(
  { settings, ports, command }: Session,
  [verb = '', ...words]: readonly string[],
): Promise<string | undefined> {
  const { manifestPath, sandbox, sandboxDirectory } = settings;
  if (sandbox) return undefined;
  const facts = await ports.files.facts(lockfileIn(sandboxDirectory, manifestPath)).catch(() => undefined);
  if (facts?.kind !== 'file') return undefined;
  return `a sandbox run is in ${pathText(sandboxDirectory)}: ${command(verb, ...words, '--sandbox')}`;
}
