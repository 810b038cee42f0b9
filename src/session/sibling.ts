import path from 'node:path';
import type { Files } from '../core/ports.js';
import type { LoadedManifest } from '../manifest/take.js';
import { MANIFEST_EXTENSION } from './manifest-link.js';
import type { Settings } from './settings.js';

/**
 * Refuses a manifest beside which another one would share its lockfile: each would take the other's tracks for its own.
 * A fault of the manifest, so that what is paid for is collected all the same.
 */
export async function unlessShared(
  loaded: LoadedManifest,
  { manifest, manifestPath, flags }: Settings,
  files: Files,
): Promise<LoadedManifest> {
  if (manifest === '-' || flags.lockfile !== undefined) return loaded;
  const stem = manifestPath.replace(MANIFEST_EXTENSION, '');
  for (const other of [`${stem}.yaml`, `${stem}.yml`]) {
    if (other.toLowerCase() === manifestPath.toLowerCase() || !(await isFile(files, other))) continue;
    const message = `${path.basename(manifestPath)} and ${path.basename(other)} would share one lockfile`;
    const hint = 'rename one of them, or give it a lockfile of its own with --lockfile';
    return {
      diagnostics: [...loaded.diagnostics, { code: 'lockfile-shared', severity: 'error', message, hint }],
      sources: loaded.sources,
    };
  }
  return loaded;
}

async function isFile(files: Files, file: string): Promise<boolean> {
  return (await files.facts(file).catch(() => undefined))?.kind === 'file';
}
