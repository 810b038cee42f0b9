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
  const [what, until] = count === 1 ? ['1 job is', 'it is'] : [`${count} jobs are`, 'they are'];
  return {
    code: 'lockfile-bad-line',
    severity: 'error',
    message: `${what} known only from damaged lines of the lockfile, which may not say for which take: nothing is bought until ${until} settled`,
    hint: `to see what is known and settle ${count === 1 ? 'it' : 'them'}: ${command('resolve')}`,
  };
}
