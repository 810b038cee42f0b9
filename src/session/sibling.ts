import path from 'node:path';
import type { Files } from '../core/ports.js';
import type { LoadedManifest } from '../manifest/take.js';
import { MANIFEST_EXTENSION } from './manifest-link.js';
import type { PlaceSettings } from './settings.js';

/**
 * Refuses a manifest next to another one that would share its lockfile: each would treat the other's tracks as its own.
 * Reported as an error of the manifest, so that paid audio is still collected.
 */
export async function refuseSiblingManifest(
  loaded: LoadedManifest,
  { manifest, manifestPath, choices }: PlaceSettings,
  files: Files,
): Promise<LoadedManifest> {
  if (manifest === '-' || choices.lockfile !== undefined) return loaded;
  const stem = manifestPath.replace(MANIFEST_EXTENSION, '');
  for (const other of [`${stem}.yaml`, `${stem}.yml`]) {
    if (other.toLowerCase() === manifestPath.toLowerCase() || !(await isFile(files, other))) continue;
    const message = `${path.basename(manifestPath)} and ${path.basename(other)} would share one lockfile`;
    const hint = 'rename one of them, or give it a separate lockfile with --lockfile';
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
