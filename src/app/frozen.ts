import type { Diagnostic } from '../core/diagnostic.js';
import { shellWord } from '../core/shell.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import type { Plan } from '../plan/plan.js';
import type { BatchSettings } from './world.js';

/** At most this many takes are named in the error. */
const NAMED_MAX = 20;

/** Why `--frozen` fails: what would be bought, and what would be moved. Empty if nothing would change. Pure. */
export function notFrozen(
  { rows, moves }: Pick<Plan, 'rows' | 'moves'>,
  { command, placeOf = String }: Pick<BatchSettings, 'command' | 'placeOf'>,
): readonly Diagnostic[] {
  return [...wouldBuy(rows, command), ...wouldMove(moves, command, placeOf)];
}

function wouldBuy(rows: Plan['rows'], command: NextCommand): readonly Diagnostic[] {
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
  const message =
    open.length === 1
      ? `${names} would be bought, but --frozen forbids buying`
      : `${open.length} takes would be bought, but --frozen forbids buying: ${names}${more}`;
  return [
    {
      code: 'not-frozen',
      severity: 'error',
      message,
      hint: `run this where buying is allowed, then commit the lockfile and the files: ${command('run')}`,
      ...(open.every(({ take }) => take.track === first.take.track) ? { span: first.take.span } : {}),
    },
  ];
}

/** A file that moves twice, out of the way and on, counts once. */
function wouldMove(
  moves: Plan['moves'],
  command: NextCommand,
  placeOf: (file: string) => string,
): readonly Diagnostic[] {
  const [first] = moves;
  if (first === undefined) return [];
  const count = new Set(moves.map(({ attempt }) => attempt)).size;
  const files = count === 1 ? '1 file' : `${count} files`;
  const example = `${shellWord(placeOf(first.from))} to ${shellWord(placeOf(first.to))}`;
  return [
    {
      code: 'not-frozen',
      severity: 'error',
      message: `${files} would be moved to new names, but --frozen changes nothing: ${count === 1 ? '' : 'such as '}${example}`,
      hint: `run this where files may be renamed, then commit the lockfile and the files: ${command('run')}`,
    },
  ];
}
