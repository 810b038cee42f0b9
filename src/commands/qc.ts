import { EXIT, type ExitCode } from '../core/errors.js';
import { lockError } from '../lockfile/lock-error.js';
import { readLock } from '../lockfile/read.js';
import { withBoughtTakes } from '../plan/extra-takes.js';
import { lastAskedFor } from '../plan/standing.js';
import { jsonText } from '../report/json-text.js';
import { renderSounds, soundJson } from '../report/sound-text.js';
import { styleFor } from '../report/style.js';
import { tableWidth } from '../report/terminal.js';
import { insistOnManifest } from './insist-manifest.js';
import { openSession } from './session.js';
import type { Flags } from './settings.js';
import { allSounds } from './sounds.js';
import { readableManifest } from './unreadable.js';

/** Measures the sound of the file that each take rests on. Asks nobody; what was measured before is remembered. */
export async function qcCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await insistOnManifest(session);
  const { ports, settings, stdout, command } = session;
  const lockPath = settings.lockfilePath.value;
  const read = await readLock(ports.files, lockPath);
  if (!read.ok) throw lockError(read.problems[0], lockPath, command);
  const attempts = [...read.attempts.values()];
  const wanted = await readableManifest(session);
  const takes = wanted === undefined ? lastAskedFor(attempts) : withBoughtTakes(wanted, attempts).takes;
  const view = await allSounds(session, takes, attempts);
  stdout.write(
    flags.json === true
      ? `${jsonText({ schema: 1, output_root: settings.outputRoot.value, ...soundJson(view) }, 2)}\n`
      : renderSounds(view, styleFor(stdout.color), tableWidth(stdout, process.env)),
  );
  const warned = view.sounds.some(({ findings }) => findings.length > 0);
  return flags.qcFail === true && warned ? EXIT.tracks : EXIT.ok;
}
