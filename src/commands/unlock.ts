import path from 'node:path';
import { BatchError, EXIT, type ExitCode } from '../errors.js';
import { breakGuard } from '../lock/guard.js';
import { insistOnManifest } from './insist-manifest.js';
import { openSession } from './session.js';
import type { Flags } from './settings.js';

/** Frees a lock whose run is gone; `--force` also one that cannot be looked up. Never one whose run lives here. */
export async function unlockCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await insistOnManifest(session);
  const { ports, settings, stdout } = session;
  // Looked at first, as taking the guard would make its folder.
  if ((await ports.files.facts(path.dirname(settings.lockfilePath.value))) === undefined) {
    stdout.write('not locked\n');
    return EXIT.ok;
  }
  const force = (flags.force as unknown) === true;
  const broken = await breakGuard(
    ports.files,
    ports.processes,
    ports.clock,
    ports.random,
    settings.lockfilePath.value,
    force,
  );
  if (broken.kind === 'free') stdout.write('not locked\n');
  if (broken.kind === 'broken')
    stdout.write(`freed: it was held by pid ${broken.was.pid} on ${broken.was.hostname}\n`);
  if (broken.kind !== 'refused') return EXIT.ok;
  const { held } = broken;
  throw new BatchError('locked', `pid ${held.pid} on ${held.hostname} holds the lock`, {
    exitCode: EXIT.locked,
    hint:
      held.alive === true
        ? 'that run is alive: wait for it to end, or end it'
        : `if you know that no run is going on there: ${session.command('unlock', '--force')}`,
  });
}
