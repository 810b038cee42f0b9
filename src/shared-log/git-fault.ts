import { clause } from '../core/clause.js';
import type { GitAnswer } from '../core/ports.js';
import { withShownAddresses } from '../core/shown-address.js';
import { StoreFault, type StoreFaultKind } from './object-store.js';

/** Messages of git and the common hosts; the first match counts. */
const MEANINGS: readonly (readonly [RegExp, StoreFaultKind])[] = [
  [
    /returned error: 40[13]|Authentication failed|could not read (?:Username|Password)|Permission (?:to .* )?denied/i,
    'denied',
  ],
  [
    /hook declined|protected branch|not authori[sz]ed|access denied|insufficient permission|deny updating/i,
    'denied',
  ],
  [/service not enabled|unauthenticated|write access .* not granted/i, 'denied'],
  [
    /Repository not found|does not appear to be a git repository|not a git repository|cannot use bare repository|No such remote|returned error: 404/i,
    'missing',
  ],
  [/ENOENT/, 'unsupported'],
];

/** A git command that failed. */
export function gitFault({ code, stderr }: GitAnswer): StoreFault {
  if (code === undefined && /ENOENT/.test(stderr))
    return new StoreFault('unsupported', 'git is not installed');
  const said = stderr
    .split('\n')
    .map((line) => line.replace(/^(?:fatal|error|remote): ?/, '').trim())
    .filter((line) => line !== '' && !/^hint:/.test(line));
  const informative = said.find((line) => MEANINGS.some(([pattern]) => pattern.test(line))) ?? said[0];
  const kind = MEANINGS.find(([pattern]) => pattern.test(stderr))?.[1] ?? 'unreachable';
  const what = informative ?? (code === undefined ? 'git timed out' : `git ended with ${code}`);
  return new StoreFault(kind, clause(withShownAddresses(what).slice(0, 300)));
}

/** A failed `git push --porcelain`, which prints to stdout why a ref was refused: `[remote rejected] (hook declined)`. */
export function pushFault(answer: GitAnswer): StoreFault {
  const reasons = new TextDecoder().decode(answer.stdout).replace(/^!\t[^\t]*\t/gm, '');
  return gitFault({ ...answer, stderr: `${answer.stderr}\n${reasons}` });
}

/** A push for which the ref did not have the expected value, or was just being written. */
export function hasLostRace({ stdout, stderr }: GitAnswer): boolean {
  return /stale info|cannot lock ref|incorrect old value|failed to update ref|fetch first|non-fast-forward|already exists/.test(
    new TextDecoder().decode(stdout) + stderr,
  );
}
