import type { Diagnostic } from '../core/diagnostic.js';
import type { PlanRow } from '../plan/plan.js';

/** Takes named in the error, at most. */
const NAMED_MAX = 20;

/** Why `--frozen` fails: one error for all that would be bought. Empty where nothing would. Pure. */
export function notFrozen(rows: readonly PlanRow[]): readonly Diagnostic[] {
  const open = rows.flatMap(({ take, decision }) =>
    decision.kind === 'buy' ? [{ take, why: decision.why.kind }] : [],
  );
  const [first] = open;
  if (first === undefined) return [];
  const names = open
    .slice(0, NAMED_MAX)
    .map(({ take, why }) => `${take.key} (${why})`)
    .join(', ');
  const more = open.length > NAMED_MAX ? `, and ${open.length - NAMED_MAX} more` : '';
  const told =
    open.length === 1
      ? `${names} would be bought, but --frozen forbids buying`
      : `${open.length} takes would be bought, but --frozen forbids buying: ${names}${more}`;
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
