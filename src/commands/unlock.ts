import path from 'node:path';
import { BatchError, EXIT, type ExitCode } from '../errors.js';
import { type BrokenGuard, breakGuard } from '../lock/guard.js';
import { insistOnManifest } from './insist-manifest.js';
import { openSession } from './session.js';
import type { Flags } from './settings.js';
import { storageError } from './storage-error.js';

/** Frees a lock whose run is gone; `--force` also one that cannot be looked up. Never one whose run lives here. */
export async function unlockCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await insistOnManifest(session);
  const { ports, settings, stdout, command } = session;
  const { files, processes, clock, random } = ports;
  const lockPath = settings.lockfilePath.value;
  const directory = path.dirname(lockPath);
  const force = (flags.force as unknown) === true;
  let broken: BrokenGuard;
  try {
    // Looked at first, as taking the guard would make its folder.
    const folder = await files.facts(directory);
    broken =
      folder?.kind === 'directory'
        ? await breakGuard(files, processes, clock, random, lockPath, force)
        : { kind: 'free' };
  } catch (error) {
    const next = command('unlock', ...(force ? ['--force'] : []));
    throw await storageError(error, files, { directory, next });
  }
  if (broken.kind === 'free') stdout.write('not locked\n');
  if (broken.kind === 'broken')
    stdout.write(`freed: it was held by pid ${broken.was.pid} on ${broken.was.hostname}\n`);
  if (broken.kind !== 'refused') return EXIT.ok;
  const { held } = broken;
  throw new BatchError('locked', `pid ${held.pid} on ${held.hostname} holds the lock`, {
    exitCode: EXIT.locked,
    hint:
      held.alive === true
        ? `that run is alive: wait for it to end, or end it; how far it is: ${command('status')}`
        : `if you know that no run is going on there: ${command('unlock', '--force')}`,
  });
}
