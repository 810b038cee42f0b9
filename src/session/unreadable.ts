import type { Diagnostic } from '../core/diagnostic.js';
import type { Manifest } from '../manifest/take.js';
import { escapeForeign } from '../report/escape.js';
import { pathText } from '../report/path-text.js';
import type { OpenBatch } from './open-batch.js';

/** Warns that a read-only command shows takes as recorded. */
export function warnUnreadable({ warn, settings }: OpenBatch): (code: string) => void {
  const { value: outputRoot } = settings.outputRoot;
  return (code) =>
    warn(
      `warning: cannot check the files (${code}) below ${pathText(outputRoot)}: showing their recorded state\n`,
    );
}

/** For a command that shows what the lockfile says. */
export function printFileWarnings({ warn }: OpenBatch, warnings: readonly Diagnostic[]): void {
  for (const { message, hint } of warnings.slice(0, WARNINGS_MAX))
    warn(`warning: ${escapeForeign(message)}: showing its recorded state\n  ${escapeForeign(hint ?? '')}\n`);
  if (warnings.length > WARNINGS_MAX)
    warn(`warning: and ${warnings.length - WARNINGS_MAX} more files; to list them all: verify\n`);
}

const WARNINGS_MAX = 5;

/** `undefined` if it cannot be used: the lockfile has everything else. */
export async function readableManifest(batch: OpenBatch): Promise<Manifest | undefined> {
  if (batch.settings.manifest === '-') return undefined;
  return (await batch.load().catch(() => undefined))?.manifest;
}

/** The same, with a warning, for commands that show the takes of the manifest. */
export async function manifestOrWarning(batch: OpenBatch): Promise<Manifest | undefined> {
  const manifest = await readableManifest(batch);
  if (manifest === undefined && batch.settings.manifest !== '-')
    batch.warn(
      `warning: the manifest cannot be used, so takes are shown as the lockfile has them\n  to see why: ${batch.command('validate')}\n`,
    );
  return manifest;
}
