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
  { manifest, manifestPath, choices }: Pick<PlaceSettings, 'manifest' | 'manifestPath' | 'choices'>,
  files: Files,
): Promise<LoadedManifest> {
  if (manifest === '-' || choices.lockfile !== undefined) return loaded;
  const other = await siblingManifest(files, manifestPath);
  if (other === undefined) return loaded;
  const message = `${path.basename(manifestPath)} and ${path.basename(other)} would share one lockfile`;
  const hint = 'rename one of them, or give it a separate lockfile with --lockfile';
  return {
    diagnostics: [...loaded.diagnostics, { code: 'lockfile-shared', severity: 'error', message, hint }],
    sources: loaded.sources,
  };
}

/** Another manifest with the same lockfile. Its extension may differ only in case (`album.YAML`). */
export async function siblingManifest(files: Files, manifestPath: string): Promise<string | undefined> {
  const stem = manifestPath.replace(MANIFEST_EXTENSION, '');
  const folder = path.dirname(manifestPath);
  const listed = (await files.list(folder).catch(() => []))
    .map((name) => path.join(folder, name))
    .filter((file) => MANIFEST_EXTENSION.test(file) && file.replace(MANIFEST_EXTENSION, '') === stem);
  const own = await files.facts(manifestPath).catch(() => undefined);
  for (const other of new Set([`${stem}.yaml`, `${stem}.yml`, ...listed])) {
    if (other === manifestPath) continue;
    const facts = await files.facts(other).catch(() => undefined);
    if (facts?.kind !== 'file') continue;
    // On a case-insensitive disk it is the same file.
    const isOwn = facts.id === own?.id && other.toLowerCase() === manifestPath.toLowerCase();
    if (!isOwn) return other;
  }
  return undefined;
}
