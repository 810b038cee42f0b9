import { BatchError, EXIT, type ExitCode } from '../core/errors.js';
import { escapeForeign } from '../report/escape.js';
import { jsonText } from '../report/json-text.js';
import { pullFiles } from '../run/upload.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { openQuietly } from '../session/settle.js';
import { openOutput } from '../storage/output.js';

/**
 * Downloads what other machines stored, by hash, and updates the lockfile from the shared log. Buys nothing, and needs
 * no key.
 */
export async function pullCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await requireManifest(session);
  const { ports, settings, stdout, stderr, placeOf, command } = session;
  const output = await openOutput(ports.files, settings.outputRoot.value);
  const { store, audio, release } = await openQuietly(session, 'pull');
  try {
    if (audio === undefined)
      throw new BatchError('no-audio-store', 'no audio store is set, so there is nowhere to download from', {
        exitCode: EXIT.usage,
        hint: `name a bucket or a folder, which keep audio beside the log: ${command('pull', '--state', 's3://bucket/prefix')}`,
      });
    const { files, failed } = await pullFiles(audio, output, store.attempts.values());
    await store.close();
    if (flags.json === true) stdout.write(`${jsonText({ schema: 1, downloaded: files, failed }, 2)}\n`);
    else stdout.write(`${files.length === 1 ? '1 file' : `${files.length} files`} downloaded\n`);
    for (const { path, why } of failed)
      stderr.write(`${escapeForeign(`${placeOf(path)} could not be downloaded: ${why}`)}\n`);
    return failed.length > 0 ? EXIT.tracks : EXIT.ok;
  } finally {
    await store.abandon();
    await release();
    await audio?.close();
    await session.close();
  }
}
