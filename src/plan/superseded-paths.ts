import { posix } from 'node:path';
import { supersededStems } from '../core/file-name.js';
import type { Attempt } from '../lockfile/attempt.js';

/** Paths for a file that a newer one replaces. `extension`: with its dot. */
export function supersededPaths(attempt: Attempt, stem: string, extension: string): readonly string[] {
  return supersededStems(stem, attempt).map((name) => name + extension);
}

/** Whether the file has such a name, with any stem. */
export function hasSupersededName(attempt: Attempt, path: string): boolean {
  const name = posix.basename(path);
  const extension = posix.extname(name);
  return supersededPaths(attempt, '', extension).some(
    (ending) => name.length > ending.length && name.endsWith(ending),
  );
}
