import { pullWanted } from '../app/pull-here.js';
import { EXIT, type ExitCode, usageError } from '../core/errors.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { readableManifest } from '../session/unreadable.js';
import { withStore } from '../session/with-store.js';
import { openOutput } from '../storage/output.js';
import { changeLockfile } from './change-lockfile.js';

/**
 * Downloads what other machines stored, by hash, and updates the lockfile from the shared log. Buys nothing, and needs
 * no key.
 */
export async function pullCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  return changeLockfile(session, () => pull(session));
}

async function pull(session: Session): Promise<ExitCode> {
  const { ports, settings, stdout, stderr, placeOf, command } = session;
  const output = await openOutput(ports.files, settings.outputRoot.value);
  const { files, failed, changed } = await withStore(session, 'pull', async ({ store, audio }) => {
    if (audio === undefined)
      throw usageError(
        'no audio store is set, so there is nowhere to download from: only a bucket or a folder keeps audio beside the log',
        `to download what the service still has, at no cost: ${command('collect')}`,
        'no-audio-store',
      );
    return pullWanted(audio, output, [...store.attempts.values()], await readableManifest(session));
  });
  const needed = failed.filter((one) => one.needed);
  if (settings.flags.json === true)
    stdout.write(
      jsonDocument({ schema: 1, downloaded: files, failed, changed: changed.map(({ path }) => path) }),
    );
  else stdout.write(`${files.length === 1 ? '1 file' : `${files.length} files`} downloaded\n`);
  for (const { path, why } of needed)
    stderr.write(`${escapeForeign(`${placeOf(path)} could not be downloaded: ${why}`)}\n`);
  for (const { path } of changed)
    stderr.write(
      `${escapeForeign(`${placeOf(path)} is not the file that was stored: move it away, then: ${session.again()}`)}\n`,
    );
  const others = failed.length - needed.length;
  if (others > 0)
    stderr.write(
      `${others === 1 ? '1 file that no take needs here is' : `${others} files that no take needs here are`} not in the audio store\n`,
    );
  return needed.length + changed.length > 0 ? EXIT.tracks : EXIT.ok;
}
