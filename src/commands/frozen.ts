import type { Diagnostic } from '../diagnostic.js';
import type { Decision, PlanRow } from '../plan/plan.js';

/** Takes named in the error, at most. */
const NAMED_MAX = 20;

/** Why `--frozen` fails: one error for all that is not done. Empty where everything is. Pure. */
export function notFrozen(rows: readonly PlanRow[]): readonly Diagnostic[] {
  const open = rows.filter(({ decision }) => decision.kind !== 'done');
  const [first] = open;
  if (first === undefined) return [];
  const names = open
    .slice(0, NAMED_MAX)
    .map(({ take, decision }) => `${take.key} (${openPhrase(decision)})`)
    .join(', ');
  const more = open.length > NAMED_MAX ? `, and ${open.length - NAMED_MAX} more` : '';
  const told =
    open.length === 1
      ? `${names} is not done, and --frozen buys nothing`
      : `${open.length} takes are not done, and --frozen buys nothing: ${names}${more}`;
  return [
    {
      code: 'not-frozen',
      severity: 'error',
      message: told,
      hint: 'run without --frozen where buying is allowed, and commit the lockfile and the files',
      ...(open.every(({ take }) => take.track === first.take.track) ? { span: first.take.span } : {}),
    },
  ];
}

/** What is open about a take, in a word or two: `new`, `changed`, `missing`, `in doubt`. */
function openPhrase(decision: Decision): string {
  if (decision.kind === 'held') return decision.because;
  if (decision.kind === 'buy' || decision.kind === 'excluded') return decision.why.kind;
  if (decision.kind === 'collect') return decision.attempt.state === 'stored' ? 'clean-up owed' : 'in flight';
  return decision.kind.replace('_', ' ');
}
