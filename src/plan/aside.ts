import { posix } from 'node:path';
import type { Attempt } from '../lockfile/attempt.js';

/**
 * Where a file goes that a newer one replaces: `<stem>.<digest8>.<ext>`, or, where that is taken by another
 * take of the same request, with the attempt's first digits. The first that is free is the one to use.
 *
 * @param extension with its dot
 */
export function asidePaths(attempt: Attempt, stem: string, extension: string): readonly string[] {
  const digest8 = attempt.digest.replace(/^v\d+:/, '').slice(0, 8);
  return [`${stem}.${digest8}${extension}`, `${stem}.${digest8}-${attempt.attempt.slice(0, 8)}${extension}`];
}

/** Whether the file bears such a name, of whatever stem. */
export function isAside(attempt: Attempt, path: string): boolean {
  const name = posix.basename(path);
  const extension = posix.extname(name);
  return asidePaths(attempt, '', extension).some(
    (ending) => name.length > ending.length && name.endsWith(ending),
  );
}
