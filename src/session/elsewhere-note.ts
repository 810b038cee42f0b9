import { type Bought, boughtElsewhere } from '../app/elsewhere.js';
import { BatchError } from '../core/errors.js';
import type { Take } from '../manifest/take.js';
import { pathText } from '../report/path-text.js';
import { lockfileIn } from './batch-place.js';
import { neighbourhoodOf } from './batch-settings.js';
import type { OpenBatch } from './open-batch.js';
import type { Session } from './session.js';
import { readableManifest } from './unreadable.js';

/** Prints the note, if there is one, beside the output. */
export async function noteElsewhere(session: Session, ...words: readonly string[]): Promise<void> {
  const note = await elsewhereNote(session, words);
  if (note !== undefined) session.stderr.write(`note: ${note}\n`);
}

/**
 * For a command that found nothing: where the records are that the user probably meant. If the sandbox has a lockfile
 * for this manifest, the user forgot `--sandbox`; if another lockfile has its takes, the manifest was renamed.
 *
 * @param words of the command to use instead, verb first
 * @returns one line without its end; `undefined` if nothing was found elsewhere either
 */
export async function elsewhereNote(
  session: OpenBatch,
  [verb = '', ...words]: readonly string[],
): Promise<string | undefined> {
  const { settings, ports, command } = session;
  const { manifestPath, sandbox, sandboxDirectory } = settings;
  const inSandbox = lockfileIn(sandboxDirectory, manifestPath);
  const facts = sandbox ? undefined : await ports.files.facts(inSandbox).catch(() => undefined);
  if (facts?.kind === 'file')
    return `a sandbox run is in ${pathText(sandboxDirectory)}: ${command(verb, ...words, '--sandbox')}`;
  const takes = (await readableManifest(session))?.takes ?? [];
  const bought = await boughtElsewhereOf(session, takes);
  if (bought === undefined) return undefined;
  const count = bought.takes.length === 1 ? '1 take' : `${bought.takes.length} takes`;
  const next = command(verb, ...words, '--lockfile', bought.lockfile);
  return `${count} of this manifest ${bought.takes.length === 1 ? 'was' : 'were'} bought under another lockfile, ${pathText(bought.lockfile)}: ${next}`;
}

/** A note never ends a command: not even if the address of the service cannot be used. */
async function boughtElsewhereOf(session: OpenBatch, takes: readonly Take[]): Promise<Bought | undefined> {
  try {
    return await boughtElsewhere(session.ports.files, neighbourhoodOf(session), takes, []);
  } catch (error) {
    if (error instanceof BatchError) return undefined;
    throw error;
  }
}
