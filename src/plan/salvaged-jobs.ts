import type { Diagnostic } from '../core/diagnostic.js';
import type { Attempt } from '../lockfile/attempt.js';
import { isSalvaged } from '../lockfile/salvage.js';

/** Why nothing may be bought, whatever was selected, after a repair left jobs whose takes are uncertain. */
export function salvagedJobsError(
  attempts: Iterable<Attempt>,
  command: (verb: string) => string,
): Diagnostic | undefined {
  const count = [...attempts].filter(isSalvaged).length;
  if (count === 0) return undefined;
  const [what, it] = count === 1 ? ['1 job is', 'it'] : [`${count} jobs are`, 'them'];
  return {
    code: 'lockfile-bad-line',
    severity: 'error',
    message: `${what} known only from damaged lines of the lockfile and may belong to any take: nothing is bought until you settle ${it}`,
    hint: `to see what is known and settle ${it}: ${command('resolve')}`,
  };
}
