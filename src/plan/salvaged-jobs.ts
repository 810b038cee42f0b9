import type { Diagnostic } from '../core/diagnostic.js';
import type { Attempt } from '../lockfile/attempt.js';
import { isMissing, isSalvaged } from '../lockfile/salvage.js';

/** Why nothing may be bought, whatever was selected, after a repair left jobs whose takes are uncertain. */
export function salvagedJobsError(
  attempts: Iterable<Attempt>,
  command: (verb: string) => string,
): Diagnostic | undefined {
  const salvaged = [...attempts].filter(isSalvaged);
  if (salvaged.length === 0) return undefined;
  const count = salvaged.filter((attempt) => !isMissing(attempt)).length;
  const it = count === 0 ? 'this' : salvaged.length === 1 ? 'it' : 'them';
  const known =
    count === 1
      ? '1 job is known only from a damaged line'
      : `${count} jobs are known only from damaged lines`;
  const what =
    count === 0
      ? 'records are missing from the lockfile, and any take may have been paid for in them'
      : count < salvaged.length
        ? `${known} of the lockfile, and other records are missing: any take may have been paid for`
        : `${known} of the lockfile, and may belong to any take`;
  return {
    code: count === 0 ? 'lockfile-incomplete' : 'lockfile-bad-line',
    severity: 'error',
    message: `${what}: nothing is bought until you settle ${it}`,
    hint: `to see what is known, and settle ${it}: ${command('resolve')}`,
  };
}
