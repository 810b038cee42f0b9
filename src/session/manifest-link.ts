import path from 'node:path';
import { usageError } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import { pathText } from '../report/path-text.js';

/** The lockfile and the sandbox folder are named after the manifest without it. */
export const MANIFEST_EXTENSION = /\.ya?ml$/i;

/** Where the lockfile of a manifest is unless another is named. */
export function lockfileBeside(manifestPath: string): string {
  return `${manifestPath.replace(MANIFEST_EXTENSION, '')}.lock.jsonl`;
}

/** A link to a manifest stands for its target: with a separate lockfile, everything would be bought twice. */
export async function manifestBehind(files: Files, named: string): Promise<string> {
  const asNamed = path.join(await files.real(path.dirname(named)), path.basename(named));
  const real = await files.real(named);
  return real === asNamed ? named : real;
}

/** Throws `BatchError` (2) if there is also a lockfile next to the link, where earlier versions put it. */
export async function refuseTwoLockfiles(files: Files, named: string, manifestPath: string): Promise<void> {
  if (named === manifestPath) return;
  const [beside, real] = [
    await files.facts(lockfileBeside(named)),
    await files.facts(lockfileBeside(manifestPath)),
  ];
  if (beside === undefined || beside.id === real?.id) return;
  throw usageError(
    `${named} is a link to ${manifestPath}, whose lockfile is ${lockfileBeside(manifestPath)}, but there is also a lockfile next to the link: ${lockfileBeside(named)}`,
    `pass the one to use to every command: --lockfile ${pathText(lockfileBeside(named))} --out-dir ${pathText(path.dirname(named))}, or --lockfile ${pathText(lockfileBeside(manifestPath))}`,
    'lockfile-beside-link',
  );
}
