import { EXIT, type ExitCode } from '../core/errors.js';
import { requireLock } from '../lockfile/read.js';
import { withBoughtTakes } from '../plan/extra-takes.js';
import { lastRequested } from '../plan/latest-attempts.js';
import { jsonDocument } from '../report/json-text.js';
import { renderSounds, soundJson } from '../report/sound-text.js';
import { styleFor } from '../report/style.js';
import { tableWidth } from '../report/terminal.js';
import { elsewhereNote } from '../session/elsewhere-note.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { readableManifest } from '../session/unreadable.js';
import { allSounds } from './sounds.js';

/** Measures the sound of each take's file. Offline; earlier results are reused. */
export async function qcCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await requireManifest(session);
  const { ports, settings, stdout, command } = session;
  const lockPath = settings.lockfilePath.value;
  const read = await requireLock(ports.files, lockPath, command);
  const attempts = [...read.attempts.values()];
  const wanted = await readableManifest(session);
  const takes = wanted === undefined ? lastRequested(attempts) : withBoughtTakes(wanted, attempts).takes;
  const view = await allSounds(session, takes, attempts);
  stdout.write(
    flags.json === true
      ? jsonDocument({ schema: 1, output_root: settings.outputRoot.value, ...soundJson(view) })
      : renderSounds(view, styleFor(stdout.color), tableWidth(stdout, process.env)),
  );
  const note =
    attempts.length === 0 && flags.json !== true ? await elsewhereNote(session, ['qc']) : undefined;
  if (note !== undefined) stdout.write(`${note}\n`);
  const warned = view.sounds.some(({ findings }) => findings.length > 0);
  return flags.qcFail === true && warned ? EXIT.tracks : EXIT.ok;
}
